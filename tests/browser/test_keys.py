"""API keys in a real Chromium: one is made, copied, used by a program, bound to addresses, replaced and revoked."""

import json
import re
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest
from playwright.sync_api import Browser, Page, StorageState, expect

from apikeys import tokens
from tests.browser.test_check_page import VALID
from tests.browser.test_identity import SIZES, sign_up
from tests.support.looks import look_at

pytestmark = pytest.mark.browser

EFFECTIVE_WITHIN_SECONDS = 2.5
"""Two seconds, and a moment for the calls themselves."""


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args: dict[str, object]) -> dict[str, object]:
    """Read the pages in English unless a test says otherwise."""
    return {**browser_context_args, "locale": "en-GB"}


@pytest.fixture
def owner(page: Page, mailbox: Path) -> Page:
    """Return the page of an owner who has just signed up."""
    sign_up(page, mailbox, f"{uuid4()}@keys.example")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    return page


@pytest.fixture(scope="module")
def seen(browser: Browser, live_site: str, mailbox: Path) -> tuple[StorageState, str]:
    """Return the cookies of an owner, and the path of a key with addresses, one of them wide."""
    context = browser.new_context(base_url=live_site, locale="en-GB")
    page = context.new_page()
    sign_up(page, mailbox, "looks@keys.example")
    make_key(page, "To be ended")
    page.get_by_role("link", name="I have saved it").click()
    page.get_by_role("link", name="Revoke").click()
    page.get_by_role("button", name="Revoke permanently").click()
    make_key(page, "Accounting system with a name that is rather long, as names of systems sometimes are")
    page.get_by_role("link", name="I have saved it").click()
    for network in ("10.0.0.0/8", "2001:db8:1234:5678:9abc:def0:1234:5678"):
        page.get_by_label("IP address or network").fill(network)
        page.get_by_role("button", name="Add", exact=True).click()
        expect(page.locator(".message.success")).to_contain_text("has been added.")
    path = page.url.removeprefix(live_site).partition("#")[0]
    state = context.storage_state()
    context.close()
    return state, path


def make_key(page: Page, name: str) -> str:
    """Make a key and return the text that is shown."""
    page.goto("/keys/new/")
    page.get_by_label("Name").fill(name)
    page.get_by_role("button", name="Create key").click()
    expect(page.get_by_role("heading", name="Your new key")).to_be_visible()
    return page.locator("#key-text").inner_text()


def call(site: str, key: str) -> tuple[int, str]:
    """Check an IBAN as a program would; return the status and the code of the problem or the verdict."""
    request = urllib.request.Request(
        f"{site}/api/v1/validate",
        data=json.dumps({"iban": VALID}).encode(),
        headers={"Authorization": f"Bearer {key}", "Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=5) as response:
            return response.status, str(json.load(response)["valid"])
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)["code"]


def soon(response: Callable[[], tuple[int, str]], wanted: tuple[int, str]) -> None:
    """Ask until the wanted answer comes; fail when a change takes longer than promised."""
    deadline = time.monotonic() + EFFECTIVE_WITHIN_SECONDS
    while (got := response()) != wanted and time.monotonic() < deadline:
        time.sleep(0.1)
    assert got == wanted


class TestAKeysLife:
    def test_a_program_uses_a_key_until_it_is_bound_elsewhere_replaced_and_revoked(
        self, owner: Page, live_site: str
    ) -> None:
        page = owner
        page.goto("/overview/")
        page.locator("nav[aria-label='Main menu']").get_by_role("link", name="API keys").click()
        expect(page.get_by_text("No keys yet")).to_be_visible()
        page.get_by_role("link", name="Create the first key").click()
        key = make_key(page, "Accounting")

        page.get_by_role("button", name="Copy key").click()
        expect(page.get_by_role("button", name="Copied")).to_be_visible()
        assert page.evaluate("navigator.clipboard.readText()") == key
        assert re.fullmatch(tokens.PATTERN, key)
        page.get_by_role("button", name="Copy line").click()
        assert page.evaluate("navigator.clipboard.readText()").startswith(f"curl {live_site}/api/v1/validate -H ")
        assert call(live_site, key) == (200, "True")

        page.get_by_role("link", name="I have saved it").click()
        expect(page.locator("main")).not_to_contain_text(key[23:])
        page.get_by_label("IP address or network").fill("203.0.113.9/24")
        page.get_by_label("Note").fill("Head office")
        page.get_by_role("button", name="Add", exact=True).click()
        expect(page.locator(".message.success")).to_contain_text("203.0.113.0/24 has been added.")
        page.get_by_role("button", name="Allow only these IP addresses").click()
        expect(page.get_by_text("Only these: calls from elsewhere are refused")).to_be_visible()
        soon(lambda: call(live_site, key), (403, "address_not_allowed"))
        page.get_by_role("button", name="Add my current IP address").click()
        expect(page.locator(".message.success")).to_contain_text("has been added.")
        soon(lambda: call(live_site, key), (200, "True"))

        page.get_by_role("link", name="Replace with a new key").click()
        page.get_by_label("After 7 days").check()
        page.get_by_role("button", name="Create new key").click()
        successor = page.locator("#key-text").inner_text()
        assert call(live_site, key) == call(live_site, successor) == (200, "True")
        page.get_by_role("link", name="I have saved it").click()
        page.get_by_role("link", name="Revoke").click()
        expect(page.get_by_text("This cannot be undone.")).to_be_visible()
        page.get_by_role("button", name="Revoke permanently").click()
        expect(page.locator(".message.success")).to_contain_text("has been revoked.")
        soon(lambda: call(live_site, successor), (401, "key_unknown"))
        assert call(live_site, key) == (200, "True")

        page.goto("/account/history/")
        for action in ("An API key was created", "An API key was revoked", "A call with an API key was refused"):
            expect(page.get_by_role("rowheader", name=action).first).to_be_visible()

    def test_a_double_click_makes_one_key_and_shows_it(self, owner: Page) -> None:
        owner.goto("/keys/new/")
        owner.get_by_label("Name").fill("Twice")

        owner.get_by_role("button", name="Create key").dblclick()

        expect(owner.locator("#key-text")).to_be_visible()
        owner.goto("/keys/")
        expect(owner.get_by_role("link", name="Twice")).to_have_count(1)

    def test_loading_the_page_of_a_new_key_again_shows_nothing_and_makes_nothing(self, owner: Page) -> None:
        key = make_key(owner, "Once")

        owner.reload()

        expect(owner.locator(".message.warning").first).to_contain_text("which was shown once")
        assert key not in owner.content()
        owner.goto("/keys/")
        expect(owner.get_by_role("link", name="Once")).to_have_count(1)

    def test_the_keyboard_alone_is_enough(self, owner: Page) -> None:
        owner.goto("/keys/new/")
        owner.get_by_label("Name").focus()
        owner.keyboard.type("By keyboard")
        for press in ("Tab", "ArrowDown", "Tab", "Tab", "Space", "Tab", "Tab", "Tab", "ArrowDown", "Tab"):
            owner.keyboard.press(press)
        expect(owner.get_by_role("textbox", name="IP addresses")).to_be_focused()
        owner.keyboard.type("192.0.2.0/24")
        owner.get_by_label("Calls per minute").focus()
        owner.keyboard.press("Enter")

        expect(owner.locator("#key-text")).to_contain_text("ibanse_test_")
        owner.goto("/keys/")
        row = owner.locator("tr", has_text="By keyboard")
        expect(row).to_contain_text("Check IBANs, Calculate and search")
        expect(row).to_contain_text("1 IP address or network")

    def test_what_is_wrong_is_shown_and_has_the_focus(self, owner: Page) -> None:
        owner.goto("/keys/new/")
        owner.get_by_label("Name").fill("Wrong")
        owner.get_by_label("Check IBANs").uncheck()

        owner.get_by_role("button", name="Create key").click()

        expect(owner.locator("#id_scopes_error")).to_contain_text("Choose at least one.")
        expect(owner.get_by_label("Check IBANs")).to_be_focused()
        expect(owner.get_by_label("Name")).to_have_value("Wrong")


class TestKeysWithoutJavaScript:
    def test_a_key_is_made_bound_and_revoked(self, browser: Browser, live_site: str, owner: Page) -> None:
        context = browser.new_context(
            base_url=live_site, locale="en-GB", storage_state=owner.context.storage_state(), java_script_enabled=False
        )
        page = context.new_page()

        make_key(page, "Plain")
        expect(page.get_by_role("button", name="Copy key")).to_be_hidden()
        page.get_by_role("link", name="I have saved it").click()
        page.get_by_role("button", name="Add my current IP address").click()
        page.get_by_role("button", name="Remove").click()
        expect(page.locator(".message.success")).to_contain_text("has been removed.")
        page.get_by_role("link", name="Revoke").click()
        page.get_by_role("button", name="Revoke permanently").click()
        expect(page.get_by_text("No active keys")).to_be_visible()
        context.close()


class TestKeysLook:
    # Every two of size, colours and language meet once.
    @pytest.mark.parametrize("look", ["phone light sv", "phone dark en", "desktop light en", "desktop dark sv"])
    def test_axe_finds_nothing_and_nothing_scrolls_sideways(
        self, browser: Browser, live_site: str, seen: tuple[StorageState, str], look: str
    ) -> None:
        size, scheme, language = look.split()
        state, key = seen
        context = browser.new_context(
            base_url=live_site,
            storage_state=state,
            viewport=SIZES[size],
            color_scheme=scheme,  # type: ignore[arg-type]
        )
        page = context.new_page()
        console: list[str] = []
        page.on(
            "console", lambda message: console.append(message.text) if message.type in ("error", "warning") else None
        )
        page.goto("/keys/")
        page.locator(f".languages button[value={language}]").click()
        expect(page.locator(f"html[lang={language}]")).to_have_count(1)

        for path in ("/keys/", key, f"{key}edit/", f"{key}rotate/", f"{key}revoke/", "/keys/new/"):
            page.goto(path)
            for folded in page.locator("main details").all():
                folded.locator("summary").click()
            look_at(page, f"{path} {look}")
        page.locator("input[name=addresses][value=only]").check()
        page.locator("#id_networks").fill("192.0.2.7\noffice")
        page.locator("main form button[type=submit]").click()
        expect(page.locator("#id_networks_error")).to_be_visible()
        look_at(page, f"a form with wrong fields {look}")
        page.locator("#id_name").fill(look)
        page.locator("#id_networks").fill("")
        page.locator("main form button[type=submit]").click()
        expect(page.locator("#key-text")).to_be_visible()
        look_at(page, f"a key that is shown once {look}")
        page.goto(key)
        page.locator("#id_network").fill("0.0.0.0/0")
        page.locator("main form button.primary").click()
        expect(page.locator("#id_network_error")).to_be_visible()
        look_at(page, f"a wrong address {look}")
        assert [text for text in console if "422" not in text] == []
        context.close()
