"""The page of security in a real Chromium: found from the footer, read by its contents, on paper with every check."""

from typing import Literal, get_args

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.test_identity import SIZES
from tests.support.looks import look_at

pytestmark = pytest.mark.browser

Scheme = Literal["light", "dark"]


def test_a_reviewer_finds_opens_and_prints_what_is_claimed(browser: Browser, live_site: str) -> None:
    context = browser.new_context(base_url=live_site, locale="en-GB", reduced_motion="reduce")
    page = context.new_page()
    page.goto("/")
    page.get_by_role("contentinfo").get_by_role("link", name="Security").click()
    expect(page.get_by_role("heading", level=1, name="Security")).to_be_visible()

    claim = page.locator("#own_key")
    checked = claim.get_by_text("Values are moved between customers")
    expect(checked).to_be_hidden()
    claim.locator("summary").focus()
    page.keyboard.press("Enter")
    expect(checked).to_be_visible()
    for name, size in SIZES.items():
        page.set_viewport_size(size)
        for scheme in get_args(Scheme):
            page.emulate_media(color_scheme=scheme)
            look_at(page, f"security {name} {scheme}")

    page.set_viewport_size(SIZES["phone"])
    page.locator(".contents > summary").click()
    page.locator(".contents").get_by_role("link", name="API security").click()
    expect(page.get_by_role("heading", level=2, name="API security")).to_be_in_viewport()
    page.emulate_media(media="print")
    expect(page.locator("#hashed_keys").get_by_text("Rows, e-mails and logs are searched for the key")).to_be_visible()
    expect(page.get_by_role("contentinfo")).to_be_hidden()

    page.emulate_media(media="screen")
    page.goto("/privacy/")
    look_at(page, "privacy notice")
    page.get_by_role("link", name="security", exact=True).click()
    expect(page.get_by_role("heading", level=1, name="Security")).to_be_visible()
    context.close()
