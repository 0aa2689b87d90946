"""The contact page in a real Chromium: written to, corrected, sent once and read by the operator."""

from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.test_identity import SIZES, letter_to
from tests.support.looks import look_at

pytestmark = pytest.mark.browser


def fill(page: Page, text: str) -> None:
    page.get_by_label("Your e-mail address").fill("asa@example.org")
    page.get_by_label("What is it about?").select_option(label="A security vulnerability")
    page.get_by_label("Your message").fill(text)


class TestContact:
    @pytest.mark.parametrize("size", SIZES)
    def test_a_visitor_writes_is_shown_what_is_missing_and_is_heard_once(
        self, browser: Browser, live_site: str, mailbox: Path, size: str
    ) -> None:
        scheme: Literal["light", "dark"] = "dark" if size == "desktop" else "light"
        has_javascript = size == "desktop"
        context = browser.new_context(
            base_url=live_site,
            locale="en-GB",
            viewport=SIZES[size],
            color_scheme=scheme,
            reduced_motion="reduce",
            java_script_enabled=has_javascript,
        )
        page = context.new_page()
        page.goto("/")
        page.get_by_role("contentinfo").get_by_role("link", name="Contact").click()
        if has_javascript:
            look_at(page, f"contact {size} {scheme}")
        expect(page.get_by_label("Leave this empty")).to_be_hidden()

        fill(page, "å" * 4_001)
        if has_javascript:
            expect(page.get_by_text("4,001 / 4,000")).to_be_visible()
        page.get_by_role("button", name="Send").click()
        expect(page.get_by_label("Your message")).to_have_accessible_description(
            "At most 4,000 characters. Please do not send passwords, API keys or the IBAN of a real "
            "person. Your text has 4,001 characters; the limit is 4,000. Nothing was cut off."
        )
        expect(page.get_by_label("Your message")).to_be_focused()
        expect(page.get_by_label("Your e-mail address")).to_have_value("asa@example.org")
        if has_javascript:
            look_at(page, f"contact with a problem {size} {scheme}")

        fill(page, f"Seen on a {size}")
        page.get_by_role("button", name="Send").dblclick()
        expect(page.get_by_role("status")).to_contain_text("We have received your message")
        reference = page.locator(".reference").inner_text()
        if has_javascript:
            look_at(page, f"sent {size} {scheme}")
        page.reload()

        letter = letter_to(mailbox, "desk@operator.example", naming=reference)
        assert f"Seen on a {size}" in letter
        context.close()
        folder = list(mailbox.iterdir())
        assert sum(file.read_text(encoding="utf-8").count(f"Seen on a {size}") for file in folder) == 1
