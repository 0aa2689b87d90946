"""The documentation of the API in a real Chromium: samples change their language, and a call is tried on the page."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, StorageState, expect

from apikeys import tokens
from tests.browser.test_identity import SIZES, sign_up
from tests.support.looks import assert_accessible

pytestmark = pytest.mark.browser

PAGE = "/api/docs/"
SLIP = "SE45 5000 0000 0583 9825 7465"
LOOKS = (
    ("phone", "light", "sv-SE"),
    ("phone", "dark", "en-GB"),
    ("desktop", "light", "de-DE"),
    ("desktop", "dark", "en-GB"),
)


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args: dict[str, object]) -> dict[str, object]:
    """Read the pages in English unless a test says otherwise."""
    return {**browser_context_args, "locale": "en-GB"}


@pytest.fixture
def quiet(page: Page) -> Iterator[None]:
    """Fail a test in which a script broke, or the Content-Security-Policy complained."""
    console: list[str] = []
    page.on("console", lambda message: console.append(message.text) if "Content Security" in message.text else None)
    page.on("pageerror", lambda error: console.append(str(error)))
    yield
    assert console == []


@pytest.fixture(scope="module")
def owner(browser: Browser, live_site: str, mailbox: Path) -> tuple[StorageState, str]:
    """Return the cookies of an owner and a test key of theirs."""
    context = browser.new_context(base_url=live_site, locale="en-GB")
    page = context.new_page()
    sign_up(page, mailbox, "reads@documentation.example")
    page.goto("/keys/new/")
    page.get_by_label("Name").fill("To try it")
    page.locator("[name=kind][value=test]").check()
    page.get_by_role("button", name="Create key").click()
    key = page.locator("#key-text").inner_text()
    state = context.storage_state()
    context.close()
    return state, key


@pytest.fixture
def reader(browser: Browser, live_site: str, owner: tuple[StorageState, str]) -> Iterator[Page]:
    """Open a browser in which the owner is signed in."""
    context = browser.new_context(base_url=live_site, locale="en-GB", storage_state=owner[0])
    yield context.new_page()
    context.close()


def send(page: Page, key: str, iban: str) -> None:
    """Fill in the box and press the button."""
    page.get_by_label("Test key").fill(key)
    page.locator("#try-iban").fill(iban)
    page.get_by_role("button", name="Send the call").click()


class TestTryIt:
    def test_a_call_is_answered_on_the_page_and_typed_text_stays_there(
        self, reader: Page, owner: tuple[StorageState, str]
    ) -> None:
        requests: list[str] = []
        broken: list[str] = []
        reader.on("request", lambda request: requests.append(request.url))
        reader.on("pageerror", lambda error: broken.append(str(error)))
        reader.goto(PAGE)

        send(reader, owner[1], SLIP)

        response = reader.locator("#try-answer")
        expect(response).to_contain_text("200 OK")
        expect(response).to_contain_text('"valid": false')
        expect(response).to_contain_text("SE4550000000058398257466")
        stored = reader.evaluate(
            "JSON.stringify([location.href, document.title, history.state, {...localStorage}, {...sessionStorage},"
            " document.cookie])"
        )
        for place in (*requests, stored):
            assert owner[1] not in place
            assert not re.search("SE45|7465", place), place
        assert broken == []
        assert_accessible(reader, "with an answer")

    def test_a_refusal_is_shown_with_its_message(self, reader: Page) -> None:
        reader.goto(PAGE)

        send(reader, "ibanse_test_…", SLIP)

        expect(reader.locator("#try-answer")).to_contain_text("401 Unauthorized")
        expect(reader.locator("#try-answer")).to_contain_text("key_malformed")

    def test_the_key_is_hidden_until_asked_for(self, reader: Page) -> None:
        reader.goto(PAGE)
        key = reader.get_by_label("Test key")
        expect(key).to_have_attribute("type", "password")

        reader.get_by_role("button", name="Show the key").click()

        expect(key).to_have_attribute("type", "text")
        expect(reader.get_by_role("button", name="Show the key")).to_have_attribute("aria-pressed", "true")

    def test_without_javascript_the_page_says_so_and_shows_every_sample(
        self, browser: Browser, live_site: str, owner: tuple[StorageState, str]
    ) -> None:
        context = browser.new_context(
            base_url=live_site, locale="en-GB", storage_state=owner[0], java_script_enabled=False
        )
        page = context.new_page()
        page.goto(PAGE)

        expect(page.locator("noscript p")).to_be_visible()
        expect(page.locator("#try-form")).to_be_hidden()
        sample = page.locator(".samples").first
        sample.get_by_label("Python").check()
        expect(sample.locator(".python")).to_be_visible()
        expect(sample.locator(".curl")).to_be_hidden()
        context.close()

    def test_a_visitor_signs_in_to_try(self, page: Page) -> None:
        page.goto(PAGE)

        page.get_by_role("link", name="Sign in to try it").click()

        expect(page).to_have_url(re.compile(r"/sign-in/\?next=/api/docs/%23try$"))


@pytest.mark.usefixtures("quiet")
class TestReading:
    def test_one_choice_changes_the_language_of_every_sample(self, page: Page) -> None:
        page.goto(PAGE)

        page.locator(".samples").first.get_by_label("JavaScript").check()

        for sample in page.locator(".samples").all():
            expect(sample.locator(".sample:visible")).to_have_class("sample javascript")

    def test_a_sample_is_copied_whole(self, page: Page) -> None:
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        page.goto(PAGE)

        page.get_by_role("button", name="Copy the expression").click()

        expect(page.get_by_role("button", name="Copied")).to_be_visible()
        assert page.evaluate("navigator.clipboard.readText()") == tokens.PATTERN

    def test_the_address_in_a_problem_leads_to_its_place(self, page: Page) -> None:
        page.goto(f"{PAGE}#quota_exhausted")

        expect(page.locator("#quota_exhausted")).to_be_in_viewport()

    def test_the_contents_are_beside_the_text_or_folded_above_it(self, page: Page) -> None:
        page.set_viewport_size(SIZES["desktop"])
        page.goto(f"{PAGE}#limits")
        expect(page.locator(".side").get_by_role("link", name="Rate and quota")).to_be_in_viewport()

        page.set_viewport_size(SIZES["phone"])
        page.goto(PAGE)
        expect(page.locator(".side")).to_be_hidden()
        page.locator(".contents summary").click()
        page.locator(".contents").get_by_role("link", name="Rate and quota").click()
        expect(page.locator("#limits")).to_be_in_viewport()

    @pytest.mark.parametrize("look", LOOKS, ids=" ".join)
    def test_axe_finds_nothing_and_nothing_scrolls_sideways(
        self, browser: Browser, live_site: str, owner: tuple[StorageState, str], look: tuple[str, str, str]
    ) -> None:
        size, colours, locale = look
        for state in (None, owner[0]):
            context = browser.new_context(
                base_url=live_site,
                viewport=SIZES[size],
                color_scheme="dark" if colours == "dark" else "light",
                locale=locale,
                storage_state=state,
            )
            page = context.new_page()
            page.goto(PAGE)
            page.evaluate("for (const folded of document.querySelectorAll('article details')) folded.open = true")

            assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), "it scrolls sideways"
            assert_accessible(page, PAGE)
            context.close()
