"""Signing up and in with a real browser: code by mail, passkey, app; every page on both sizes, light and dark."""

import email
import email.policy
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any, Final, Literal

import pytest
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from playwright.sync_api import Browser, BrowserContext, CDPSession, Page, StorageState, ViewportSize, expect

from tests.support.looks import look_at

pytestmark = pytest.mark.browser

PASSWORD = "four wild geese over Skane"
CODE = re.compile(r"\b[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}\b")
SIZES: Final[dict[str, ViewportSize]] = {
    "phone": {"width": 375, "height": 740},
    "desktop": {"width": 1280, "height": 800},
}
MAIL_WITHIN_SECONDS = 5

STRANGERS_PAGES = (
    "/sign-in/",
    "/sign-up/",
    "/sign-in/forgotten/",
    "/sign-in/inactive/",
    "/sign-in/forgotten/done/",
    "/terms/",
    "/privacy/",
)
MEMBERS_PAGES = (
    "/account/password/", "/account/email/", "/account/second-factor/", "/account/second-factor/app/",
    "/account/second-factor/passkeys/add/", "/account/sessions/", "/sign-out/", "/account/again/", "/",
)  # fmt: skip


BETWEEN_MAILS = b"-" * 79 + b"\n"


def letter_to(mailbox: Path, address: str, *, naming: str = "") -> str:
    """Return the text of the last mail to an address, or the last `naming` something; wait for it a little."""
    deadline = time.monotonic() + MAIL_WITHIN_SECONDS
    while time.monotonic() < deadline:
        for file in sorted(mailbox.iterdir(), key=lambda path: path.stat().st_mtime_ns, reverse=True):
            # Django may put several mails of one second into one file, with a line of dashes behind each.
            for written in reversed(file.read_bytes().split(BETWEEN_MAILS)):
                letter = email.message_from_bytes(written, policy=email.policy.default)
                if letter["To"] != address:
                    continue
                body = letter.get_body(("plain",))
                assert body is not None
                if naming in (content := str(body.get_content())):
                    return content
        time.sleep(0.05)
    pytest.fail(f"No mail came to {address}{naming and f' naming {naming}'}.")


def code_for(mailbox: Path, address: str) -> str:
    """Return the code of the last mail to an address."""
    found = CODE.search(letter_to(mailbox, address))
    assert found
    return found.group()


def sign_up(page: Page, mailbox: Path, address: str) -> None:
    """Make an account; the browser is signed in afterwards."""
    page.goto("/sign-up/")
    page.get_by_label("E-mail address").fill(address)
    page.get_by_label("Company").fill("Newcomer AB")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("Repeat password").fill(PASSWORD)
    page.get_by_role("checkbox").check()
    page.get_by_role("button", name="Sign up").click()
    expect(page.get_by_role("heading", name="Check your inbox")).to_be_visible()
    page.get_by_label("Code").fill(code_for(mailbox, address))
    page.get_by_role("button", name="Confirm e-mail address").click()
    expect(page.locator(".message.success")).to_contain_text("Welcome. Your account is ready.")


def sign_out(page: Page) -> None:
    """Sign out by the menu."""
    page.locator(".menu summary").click()
    page.locator(".menu").get_by_role("button", name="Sign out").click()
    expect(page.locator(".sign-in-links")).to_be_visible()


def sign_in(page: Page, address: str) -> None:
    """Sign in by password."""
    page.goto("/sign-in/")
    page.get_by_label("E-mail address").fill(address)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()


def add_authenticator(page: Page) -> tuple[CDPSession, str]:
    """Plug in an authenticator that says yes to everything, and return how to reach it."""
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    response: dict[str, Any] = devtools.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    return devtools, str(response["authenticatorId"])


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args: dict[str, object]) -> dict[str, object]:
    """Read the pages in English unless a test says otherwise."""
    return {**browser_context_args, "locale": "en-GB"}


@pytest.fixture
def quiet(page: Page) -> Iterator[None]:
    """Fail a test in which the console or the Content-Security-Policy complained."""
    console: list[str] = []
    page.on("console", lambda message: console.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: console.append(str(error)))
    yield
    assert console == []


@pytest.mark.claim("second_factor")
@pytest.mark.usefixtures("quiet")
class TestPasskey:
    def test_sign_up_add_a_passkey_sign_out_and_in_with_it(self, page: Page, mailbox: Path) -> None:
        add_authenticator(page)
        sign_up(page, mailbox, "passkey@newcomer.example")

        page.goto("/account/second-factor/")
        page.get_by_role("link", name="Add a passkey").click()
        page.get_by_label("Name").fill("Blue key")
        page.get_by_role("button", name="Add passkey").click()
        expect(page.locator(".recovery-codes li")).to_have_count(10)
        page.goto("/account/second-factor/")
        expect(page.locator(".rows strong")).to_have_text("Blue key")
        sign_out(page)

        page.goto("/sign-in/?next=/account/sessions/")
        page.get_by_role("button", name="Sign in with a passkey").click()
        expect(page.get_by_role("heading", name="Sessions")).to_be_visible()
        assert page.url.endswith("/account/sessions/")

    def test_the_passkey_is_the_second_factor_after_a_password(self, page: Page, mailbox: Path) -> None:
        add_authenticator(page)
        sign_up(page, mailbox, "second@newcomer.example")
        page.goto("/account/second-factor/passkeys/add/")
        page.get_by_role("button", name="Add passkey").click()
        expect(page.locator(".recovery-codes li")).to_have_count(10)
        sign_out(page)

        sign_in(page, "second@newcomer.example")
        expect(page.get_by_role("heading", name="Two-factor authentication")).to_be_visible()
        page.get_by_role("button", name="Use a passkey").click()
        expect(page.locator(".menu")).to_be_visible()

        page.goto("/account/again/passkey/?next=/account/sessions/")
        page.get_by_role("button", name="Use a passkey").click()
        expect(page.get_by_role("heading", name="Sessions")).to_be_visible()

        page.goto("/account/second-factor/")
        page.get_by_role("link", name="Rename").click()
        page.get_by_label("Name").fill("Old key")
        page.get_by_role("button", name="Save name").click()
        page.get_by_role("link", name="Remove Old key").click()
        page.get_by_role("button", name="Remove passkey").click()
        expect(page.locator(".rows strong")).to_have_count(0)

    def test_a_passkey_that_says_no_is_shown_and_the_password_still_works(self, page: Page, mailbox: Path) -> None:
        devtools, authenticator = add_authenticator(page)
        sign_up(page, mailbox, "refused@newcomer.example")
        sign_out(page)
        devtools.send("WebAuthn.setUserVerified", {"authenticatorId": authenticator, "isUserVerified": False})

        page.goto("/sign-in/")
        page.get_by_role("button", name="Sign in with a passkey").click()
        expect(page.get_by_text("The passkey was not used.")).to_be_visible(timeout=20_000)
        sign_in(page, "refused@newcomer.example")
        expect(page.locator(".menu")).to_be_visible()


@pytest.mark.usefixtures("quiet")
class TestApp:
    def test_an_app_is_added_by_its_key_and_asked_at_sign_in(self, page: Page, mailbox: Path) -> None:
        sign_up(page, mailbox, "app@newcomer.example")
        page.goto("/account/second-factor/app/")
        expect(page.locator(".qr svg")).to_be_visible()
        page.get_by_text("Cannot scan it?").click()
        secret = page.locator(".steps .code").first.inner_text()
        page.get_by_label("Code", exact=True).fill(shown(secret))
        page.get_by_role("button", name="Add app").click()
        expect(page.locator(".recovery-codes li")).to_have_count(10)
        sign_out(page)

        sign_in(page, "app@newcomer.example")
        page.get_by_label("Code").fill("000000")
        page.get_by_role("button", name="Sign in", exact=True).click()
        expect(page.locator("#id_code_error")).to_contain_text("Wrong code.")
        page.get_by_label("Code").fill(shown(secret))
        page.get_by_role("button", name="Sign in", exact=True).click()
        expect(page.locator(".menu")).to_be_visible()


@pytest.mark.usefixtures("quiet")
class TestMenu:
    def test_it_opens_with_the_keyboard_and_closes_with_escape(self, page: Page, mailbox: Path) -> None:
        sign_up(page, mailbox, "menu@newcomer.example")
        summary = page.locator(".menu summary")
        summary.focus()
        page.keyboard.press("Enter")
        expect(page.locator(".menu").get_by_role("link", name="Sessions")).to_be_visible()

        page.keyboard.press("Escape")

        expect(page.locator(".menu-panel")).to_be_hidden()
        expect(summary).to_be_focused()

    def test_without_javascript_one_signs_in_and_out(self, browser: Browser, live_site: str, mailbox: Path) -> None:
        context = browser.new_context(java_script_enabled=False, locale="en-GB", base_url=live_site)
        page = context.new_page()
        sign_up(page, mailbox, "plain@newcomer.example")
        sign_out(page)
        expect(page.get_by_role("button", name="Sign in with a passkey")).to_have_count(0)
        sign_in(page, "plain@newcomer.example")
        expect(page.locator(".menu")).to_be_visible()
        context.close()


@pytest.fixture(scope="module")
def member(browser: Browser, live_site: str, mailbox: Path) -> StorageState:
    """Return the cookies of somebody who has signed up."""
    context = browser.new_context(locale="en-GB", base_url=live_site)
    page = context.new_page()
    sign_up(page, mailbox, "axe@newcomer.example")
    state = context.storage_state()
    context.close()
    return state


@dataclass(frozen=True)
class Look:
    """How somebody looks at the pages."""

    size: str
    scheme: Literal["light", "dark"]
    language: str

    def opened(self, browser: Browser, live_site: str, state: StorageState | None = None) -> BrowserContext:
        """Open a browser that looks at them like this."""
        return browser.new_context(
            base_url=live_site,
            viewport=SIZES[self.size],
            color_scheme=self.scheme,
            locale={"en": "en-GB", "sv": "sv-SE"}[self.language],
            storage_state=state,
        )


SCHEMES: Final[tuple[Literal["light", "dark"], ...]] = ("light", "dark")
LOOKS = [Look(size, scheme, language) for size, scheme, language in product(SIZES, SCHEMES, ("en", "sv"))]


@pytest.mark.parametrize("look", LOOKS, ids=lambda look: f"{look.size}-{look.scheme}-{look.language}")
class TestSignInAccessibility:
    def test_axe_finds_nothing_for_strangers(self, browser: Browser, live_site: str, look: Look) -> None:
        context = look.opened(browser, live_site)
        page = context.new_page()
        for path in STRANGERS_PAGES:
            page.goto(path)
            look_at(page, path)
        page.goto("/sign-up/")
        page.locator("main form").evaluate("form => { form.noValidate = true; form.requestSubmit() }")
        expect(page.locator("#id_email_error")).to_be_visible()
        look_at(page, "sign-up with mistakes")
        page.goto("/sign-in/forgotten/")
        page.locator("#id_email").fill(f"{look.size}.{look.scheme}.{look.language}@example.com")
        page.locator("main button").click()
        page.wait_for_url("**/code/")
        look_at(page, "code for a new password")
        context.close()

    def test_axe_finds_nothing_for_members(
        self, browser: Browser, live_site: str, member: StorageState, look: Look
    ) -> None:
        context = look.opened(browser, live_site, member)
        page = context.new_page()
        page.goto("/account/sessions/")
        page.locator(f".languages button[value={look.language}]").click()
        for path in MEMBERS_PAGES:
            page.goto(path)
            look_at(page, path)
        page.locator(".menu summary").click()
        look_at(page, "the open menu")
        context.close()


def shown(secret: str) -> str:
    """Return what an app shows now."""
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30))
