"""The check page in a real Chromium: with and without JavaScript, wide and narrow, light and dark, three languages."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.looks import assert_accessible

pytestmark = pytest.mark.browser

VALID = "DE89 3704 0044 0532 0130 00"
SLIP = "DE89 3704 0044 0532 0310 00"
SIZES = {"phone": {"width": 375, "height": 740}, "desktop": {"width": 1280, "height": 800}}
TITLES = {"sv": "IBAN-numret är giltigt", "en": "This IBAN is valid", "de": "Diese IBAN ist gültig"}


@pytest.fixture(params=["phone", "desktop"])
def size(request: pytest.FixtureRequest) -> dict[str, int]:
    """Let a test run on both sizes."""
    return SIZES[request.param]


@pytest.fixture
def quiet(page: Page) -> Iterator[None]:
    """Fail a test in which the console or the Content-Security-Policy complained."""
    console: list[str] = []
    page.on("console", lambda message: console.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: console.append(str(error)))
    yield
    assert console == []


def check(page: Page, text: str) -> None:
    """Type a number and press the button."""
    page.locator("#iban").fill(text)
    page.locator("#check-form button").click()


class TestCheckPage:
    @pytest.mark.claim("own_code_only")
    @pytest.mark.usefixtures("quiet")
    def test_a_number_is_judged_in_place(self, page: Page, size: dict[str, int]) -> None:
        page.set_viewport_size(size)  # type: ignore[arg-type]
        page.goto("/")
        page.evaluate("window.sameDocument = true")

        check(page, VALID)

        expect(page.locator("[data-verdict=valid]")).to_be_visible()
        expect(page.get_by_text("Commerzbank")).to_be_visible()
        assert page.evaluate("window.sameDocument") is True
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), "it scrolls sideways"
        expect(page.locator("#iban")).to_have_value(VALID)

    @pytest.mark.usefixtures("quiet")
    def test_the_response_is_announced(self, page: Page) -> None:
        page.goto("/")
        region = page.locator("#announcement")
        region.evaluate("element => { element.isTheSame = true }")

        check(page, VALID)

        expect(region).to_have_text("This IBAN is valid.")
        assert region.evaluate("element => element.isTheSame"), "a live region that is replaced is not read out"

    @pytest.mark.claim("visitors")
    @pytest.mark.usefixtures("quiet")
    def test_the_number_gets_into_no_address_history_or_storage(self, page: Page) -> None:
        addresses: list[str] = []
        page.on("request", lambda request: addresses.append(request.url))
        page.goto("/")

        check(page, VALID)
        expect(page.locator("[data-verdict]")).to_be_visible()

        stored = page.evaluate(
            "JSON.stringify([location.href, document.title, history.state, {...localStorage}, {...sessionStorage},"
            " document.cookie])"
        )
        for place in (*addresses, stored):
            assert not re.search(r"DE89|0532", place), place
        expect(page.locator("#iban")).to_have_attribute("autocomplete", "off")

    @pytest.mark.usefixtures("quiet")
    def test_a_hint_is_checked_with_one_click(self, page: Page) -> None:
        page.goto("/")
        check(page, SLIP)
        expect(page.locator("[data-verdict=invalid]")).to_be_visible()

        page.get_by_role("button", name="Check this one").first.click()

        expect(page.locator("[data-verdict=valid]")).to_be_visible()
        expect(page.locator("#iban")).to_have_value("DE89370400440532013000")

    @pytest.mark.usefixtures("quiet")
    def test_two_clicks_ask_once(self, page: Page) -> None:
        requests: list[str] = []
        page.on("request", lambda request: requests.append(request.method))
        page.goto("/")
        page.locator("#iban").fill(VALID)

        page.locator("#check-form button").dblclick()
        expect(page.locator("[data-verdict=valid]")).to_be_visible()

        assert requests.count("POST") == 1

    @pytest.mark.usefixtures("quiet")
    def test_the_bic_is_copied_and_the_button_says_so(self, page: Page) -> None:
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        page.goto("/")
        check(page, VALID)

        page.get_by_role("button", name="Copy the BIC").click()

        expect(page.get_by_role("button", name="Copied")).to_be_visible()
        assert page.evaluate("navigator.clipboard.readText()") == "COBADEFFXXX"
        expect(page.get_by_role("button", name="Copy the BIC")).to_be_visible()

    @pytest.mark.usefixtures("quiet")
    def test_the_keyboard_alone_is_enough(self, page: Page) -> None:
        page.goto("/")
        expect(page.locator("#iban")).to_be_focused()

        page.keyboard.type(SLIP)
        page.keyboard.press("Enter")
        expect(page.locator("[data-verdict=invalid]")).to_be_visible()
        expect(page.locator("#iban")).to_be_focused()
        for _ in range(2):
            page.keyboard.press("Tab")
        page.keyboard.press("Enter")

        expect(page.locator("[data-verdict=valid]")).to_be_visible()

    def test_the_skip_link_leads_to_the_content(self, page: Page) -> None:
        page.goto("/countries/")
        page.keyboard.press("Tab")
        expect(page.get_by_text("Skip to content")).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.locator("main")).to_be_focused()

    @pytest.mark.usefixtures("quiet")
    def test_the_language_changes_and_the_verdict_stays(self, page: Page) -> None:
        page.goto("/")
        check(page, VALID)
        expect(page.locator("[data-verdict]")).to_be_visible()
        for code in ("sv", "de", "en"):
            page.locator(f".languages button[value={code}]").click()
            expect(page.get_by_role("heading", name=TITLES[code])).to_be_visible()
            assert page.url.endswith("/")

    def test_an_unreachable_server_is_shown_and_the_text_stays(self, page: Page) -> None:
        page.goto("/")
        page.route("**/*", lambda route: route.abort())
        check(page, VALID)

        expect(page.locator("#iban-problem")).to_contain_text("The server could not be reached.")
        expect(page.locator("#iban")).to_have_value(VALID)

    def test_an_expired_form_is_shown_in_words(self, page: Page) -> None:
        page.goto("/")
        page.context.clear_cookies()
        check(page, VALID)

        expect(page.get_by_role("heading", name="The form has expired")).to_be_visible()

    def test_an_empty_field_is_shown_at_the_field(self, page: Page) -> None:
        page.goto("/")
        check(page, "   ")

        expect(page.locator("#iban-problem")).to_contain_text("Paste or type an IBAN first.")
        expect(page.locator("#iban")).to_have_attribute("aria-invalid", "true")
        expect(page.locator("#announcement")).to_have_text("Paste or type an IBAN first.")


class TestCheckPageWithoutJavaScript:
    def test_everything_works(self, browser: Browser, live_site: str, size: dict[str, int]) -> None:
        context = browser.new_context(java_script_enabled=False, locale="en-GB", viewport=size)  # type: ignore[arg-type]
        page = context.new_page()
        page.goto(live_site)

        check(page, SLIP)
        expect(page.locator("[data-verdict=invalid]")).to_be_visible()
        assert page.title() == "Invalid IBAN – ibanse"
        assert page.url == f"{live_site}/"
        expect(page.locator(".copy").first).to_be_hidden()
        page.get_by_role("button", name="Check this one").first.click()
        expect(page.locator("[data-verdict=valid]")).to_be_visible()
        page.locator(".languages button[value=sv]").click()
        expect(page.get_by_role("heading", name=TITLES["sv"])).to_be_visible()
        assert page.url == f"{live_site}/"
        context.close()


class TestCheckPageAccessibility:
    @pytest.mark.parametrize("scheme", ["light", "dark"])
    @pytest.mark.parametrize("locale", ["sv-SE", "en-GB", "de-DE"])
    def test_axe_finds_nothing(
        self, browser: Browser, live_site: str, size: dict[str, int], scheme: str, locale: str
    ) -> None:
        context = browser.new_context(locale=locale, viewport=size, color_scheme=scheme)  # type: ignore[arg-type]
        page = context.new_page()
        for path in ("/", "/countries/", "/countries/pl/", "/countries/gw/", "/no-such-page/"):
            page.goto(live_site + path)
            assert_accessible(page, path)
        page.goto(live_site)
        for text in (VALID, SLIP, "GP1120041010050500013M02606", "DE89ı", " "):
            check(page, text)
            page.wait_for_load_state("networkidle")
            assert_accessible(page, text)
        context.close()


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args: dict[str, object]) -> dict[str, object]:
    """Read the pages in English unless a test says otherwise."""
    return {**browser_context_args, "locale": "en-GB"}
