"""The account in a real Chromium: an owner walks all pages, a colleague joins and sees nothing of the account."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, StorageState, expect

from tests.browser.test_check_page import VALID, check
from tests.browser.test_identity import PASSWORD, SIZES, letter_to, sign_up
from tests.support.looks import assert_accessible

pytestmark = pytest.mark.browser

PAGES = (
    "/overview/",
    "/account/",
    "/account/profile/",
    "/account/contact/",
    "/account/billing/",
    "/account/users/",
    "/account/history/",
    "/account/settings/",
    "/account/settings/security-and-privacy/",
)


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args: dict[str, object]) -> dict[str, object]:
    """Read the pages in English unless a test says otherwise."""
    return {**browser_context_args, "locale": "en-GB"}


@pytest.fixture(scope="module")
def owner(browser: Browser, live_site: str, mailbox: Path) -> StorageState:
    """Return the cookies of an owner who has signed up and invited a colleague."""
    context = browser.new_context(base_url=live_site, locale="en-GB")
    page = context.new_page()
    sign_up(page, mailbox, "olivia@owners.example")
    invite(page, "una@colleagues.example")
    state = context.storage_state()
    context.close()
    return state


@pytest.fixture
def colleague(browser: Browser, live_site: str) -> Iterator[Page]:
    """Open a second browser, in which nobody is signed in."""
    context = browser.new_context(base_url=live_site, locale="en-GB")
    yield context.new_page()
    context.close()


def invite(page: Page, address: str) -> None:
    """Invite a colleague from the page of users."""
    page.goto("/account/users/")
    page.get_by_label("E-mail address").fill(address)
    page.get_by_role("button", name="Send invitation").click()
    expect(page.locator(".message.success")).to_contain_text(f"We have sent an invitation to {address}.")


def save(page: Page, path: str, fields: dict[str, str]) -> None:
    """Fill a form and save it."""
    page.goto(path)
    for label, text in fields.items():
        page.get_by_label(label).fill(text)
    page.get_by_role("button", name="Save").click()


class TestAnOwnersWalk:
    def test_a_colleague_is_invited_works_and_sees_nothing_of_the_account(
        self, page: Page, colleague: Page, mailbox: Path
    ) -> None:
        sign_up(page, mailbox, "walker@owners.example")
        expect(page.get_by_text("Nothing has been checked yet.")).to_be_visible()
        save(page, "/account/contact/", {"Company": "Wanderer & Söhne GmbH", "City": "Köln"})
        expect(page.locator(".message.success")).to_contain_text("The contact details have been saved.")

        invite(page, "ture@colleagues.example")
        link = re.search(r"/invitations/\S+", letter_to(mailbox, "ture@colleagues.example"))
        assert link
        colleague.goto(link.group())
        expect(colleague.get_by_text("walker@owners.example has invited you")).to_be_visible()
        colleague.get_by_label("Your name").fill("Ture Sventon")
        colleague.get_by_label("Choose a password").fill(PASSWORD)
        colleague.get_by_role("button", name="Join").click()
        expect(colleague.locator(".message.success")).to_contain_text("Welcome!")
        check(colleague, VALID)
        expect(colleague.locator("[data-verdict=valid]")).to_be_visible()
        for path in PAGES:
            colleague.goto(path)
            is_own = path in ("/account/", "/account/profile/")
            expect(colleague.get_by_role("heading", name="Access denied")).to_have_count(0 if is_own else 1)
        colleague.locator(".menu summary").click()
        expect(colleague.locator(".menu").get_by_role("link", name="Users")).to_have_count(0)

        page.goto("/overview/")
        expect(page.locator(".shares div", has_text="Check page")).to_contain_text("1")
        page.goto("/account/history/")
        expect(page.get_by_role("rowheader", name="A colleague joined")).to_be_visible()
        expect(page.get_by_role("rowheader", name="Access to a page was refused").first).to_be_visible()
        page.get_by_role("button", name="Verify integrity").click()
        expect(page.get_by_text("The chain is intact")).to_be_visible()
        with page.expect_download() as download:
            page.get_by_role("button", name="Export as CSV").click()
        assert "checkpoint" in Path(download.value.path()).read_text(encoding="utf-8").splitlines()[-1]

        page.goto("/account/users/")
        row = page.locator("tr", has_text="Ture Sventon")
        row.locator("summary").click()
        row.get_by_role("link", name="Deactivate").click()
        expect(page.get_by_text("They are signed out everywhere")).to_be_visible()
        page.get_by_role("button", name="Deactivate").click()
        expect(page.locator("tr", has_text="Ture Sventon")).to_contain_text("deactivated")
        colleague.goto("/account/profile/")
        expect(colleague.get_by_role("heading", name="Sign in")).to_be_visible()

    def test_a_wrong_field_is_shown_and_has_the_focus(
        self, browser: Browser, live_site: str, owner: StorageState
    ) -> None:
        context = browser.new_context(base_url=live_site, locale="en-GB", storage_state=owner)
        page = context.new_page()

        save(page, "/account/billing/", {"Company on the invoice": "Wanderer", "VAT number": "SE123"})

        field = page.get_by_label("VAT number")
        expect(field).to_be_focused()
        expect(field).to_have_value("SE123")
        expect(field).to_have_attribute("aria-invalid", "true")
        expect(page.locator("#id_vat_number_error")).to_contain_text("This is not a valid VAT number.")
        context.close()

    def test_everything_works_without_javascript(self, browser: Browser, live_site: str, owner: StorageState) -> None:
        context = browser.new_context(
            base_url=live_site, locale="en-GB", storage_state=owner, java_script_enabled=False
        )
        page = context.new_page()

        invite(page, "no-script@colleagues.example")
        page.locator("li", has_text="no-script@colleagues.example").get_by_role("button", name="Withdraw").click()
        expect(page.locator(".message.success")).to_contain_text("has been withdrawn.")
        save(page, "/account/profile/", {"Name": "Olivia Owner"})
        expect(page.locator(".message.success")).to_contain_text("Your profile has been saved.")
        context.close()


class TestAccountAccessibility:
    # Every two of size, colours and language meet once.
    @pytest.mark.parametrize("look", ["phone light sv", "phone dark en", "desktop light en", "desktop dark sv"])
    def test_axe_finds_nothing_and_nothing_scrolls_sideways(
        self, browser: Browser, live_site: str, owner: StorageState, look: str
    ) -> None:
        size, scheme, language = look.split()
        context = browser.new_context(
            base_url=live_site,
            storage_state=owner,
            viewport=SIZES[size],
            color_scheme=scheme,  # type: ignore[arg-type]
        )
        page = context.new_page()
        console: list[str] = []
        page.on(
            "console", lambda message: console.append(message.text) if message.type in ("error", "warning") else None
        )
        page.goto("/account/")
        page.locator(f".languages button[value={language}]").click()
        expect(page.locator(f"html[lang={language}]")).to_have_count(1)
        for path in PAGES:
            page.goto(path)
            assert_accessible(page, f"{path} {look}")
            assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), (
                f"{path} scrolls sideways"
            )
        page.goto("/account/billing/")
        page.locator("#id_vat_number").fill("SE123")
        page.locator("main form button[type=submit]").click()
        assert_accessible(page, "a form with a wrong field")
        assert [text for text in console if "422" not in text] == []
        context.close()
