"""What is stored about checks, decided in a real Chromium: more at once, less after a question about older records."""

from pathlib import Path
from typing import Literal
from uuid import uuid4

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.test_check_page import VALID
from tests.browser.test_identity import SIZES, sign_up
from tests.support.looks import look_at

pytestmark = pytest.mark.browser

PATH = "/account/settings/security-and-privacy/"


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args: dict[str, object]) -> dict[str, object]:
    """Read the pages in English unless a test says otherwise."""
    return {**browser_context_args, "locale": "en-GB"}


def choose(page: Page, mode: str, days: str = "") -> None:
    """Choose what is stored of checks and save it."""
    page.goto(PATH)
    page.get_by_label(mode, exact=True).check()
    if days:
        page.get_by_label("For how many days?").fill(days)
    page.get_by_role("button", name="Save").click()


def check(page: Page) -> None:
    """Check an IBAN on the check page."""
    page.goto("/")
    page.get_by_label("IBAN").fill(VALID)
    page.get_by_role("button", name="Check the IBAN").click()
    expect(page.locator("[data-verdict=valid]")).to_be_visible()


def walk(page: Page) -> None:
    """Keep everything, check, keep older records once, and erase them then."""
    choose(page, "Full", "90")
    expect(page.locator(".message.success")).to_have_text("Saved. This applies to every check from now on.")
    check(page)
    check(page)
    page.goto(PATH)
    expect(page.get_by_text("There are 2 check records:")).to_be_visible()

    choose(page, "Result only")
    expect(page.get_by_role("heading", name="What should happen to the existing records?")).to_be_visible()
    expect(page.get_by_text("2 records contain more than that")).to_be_visible()
    page.get_by_role("link", name="Leave everything as it is").click()
    expect(page.get_by_label("Full", exact=True)).to_be_checked()

    choose(page, "Result only")
    page.get_by_label("Keep until they expire").check()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("2 with the IBAN (full)")).to_be_visible()
    page.get_by_role("button", name="Delete or reduce them").click()
    page.get_by_label("Reduce now").check()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("2 older records were deleted or reduced.")).to_be_visible()
    expect(page.get_by_text("0 with the IBAN (full)")).to_be_visible()

    choose(page, "Off")
    page.get_by_label("Delete now").check()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("There are no check records.")).to_be_visible()
    check(page)
    page.goto(PATH)
    expect(page.get_by_text("There are no check records.")).to_be_visible()
    expect(page.get_by_label("Off", exact=True)).to_be_checked()


class TestDeciding:
    def test_more_is_saved_at_once_and_less_after_a_question(self, page: Page, mailbox: Path) -> None:
        sign_up(page, mailbox, f"{uuid4()}@privacy.example")

        walk(page)

    def test_it_works_without_javascript(self, browser: Browser, live_site: str, mailbox: Path) -> None:
        context = browser.new_context(base_url=live_site, locale="en-GB", java_script_enabled=False)
        page = context.new_page()
        sign_up(page, mailbox, f"{uuid4()}@privacy.example")

        walk(page)
        context.close()

    def test_a_wrong_number_of_days_is_shown_at_its_field(self, page: Page, mailbox: Path) -> None:
        sign_up(page, mailbox, f"{uuid4()}@privacy.example")

        choose(page, "Full", "400")

        expect(page.get_by_role("alert")).to_contain_text("Nothing was changed")
        expect(page.get_by_label("For how many days?")).to_be_focused()
        expect(page.get_by_label("For how many days?")).to_have_value("400")
        expect(page.get_by_label("Full", exact=True)).to_be_checked()


class TestSettingsLook:
    @pytest.mark.parametrize("size", SIZES)
    @pytest.mark.parametrize("scheme", ["light", "dark"])
    def test_the_pages_are_accessible_and_no_wider_than_the_window(
        self, browser: Browser, live_site: str, mailbox: Path, size: str, scheme: Literal["light", "dark"]
    ) -> None:
        context = browser.new_context(base_url=live_site, locale="en-GB", viewport=SIZES[size], color_scheme=scheme)
        page = context.new_page()
        sign_up(page, mailbox, f"{uuid4()}@privacy.example")
        choose(page, "Full")
        check(page)

        page.goto(PATH)
        look_at(page, "settings")
        choose(page, "Off")
        look_at(page, "question")
        page.get_by_role("button", name="Save").click()
        look_at(page, "question without an answer")
        choose(page, "Full", "0")
        look_at(page, "settings with a wrong field")
        context.close()
