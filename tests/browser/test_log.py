"""The check log in a real Chromium: a check is seen, opened, found by its IBAN, deleted, and no longer stored."""

import csv
import json
import re
import time
from pathlib import Path
from uuid import uuid4

import pytest
from playwright.sync_api import Browser, Page, StorageState, expect

from tests.browser.test_check_page import check
from tests.browser.test_identity import SIZES, sign_up
from tests.support.looks import look_at

pytestmark = pytest.mark.browser

SWEDISH = "SE4550000000058398257466"
GERMAN = "DE89370400440532013000"
WRONG = "DE89370400440532013001"
EFFECTIVE_WITHIN_SECONDS = 2


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args: dict[str, object]) -> dict[str, object]:
    """Read the pages in English unless a test says otherwise."""
    return {**browser_context_args, "locale": "en-GB"}


@pytest.fixture
def owner(page: Page, mailbox: Path) -> Page:
    """Return the page of an owner who has just signed up and keeps everything."""
    sign_up(page, mailbox, f"{uuid4()}@log.example")
    keep(page, "full")
    return page


@pytest.fixture(scope="module")
def seen(browser: Browser, live_site: str, mailbox: Path) -> tuple[StorageState, str]:
    """Return the cookies of an owner with checks of every kind in the log, and the path of one of them."""
    context = browser.new_context(base_url=live_site, locale="en-GB")
    page = context.new_page()
    sign_up(page, mailbox, "looks@log.example")
    look_up(page, GERMAN)
    keep(page, "full")
    # The longest IBAN there is, and the longest text that is none.
    for text in (SWEDISH, WRONG, "LC55HEMM000100010012001200023015", "x" * 128):
        look_up(page, text)
    page.goto("/log/")
    row = page.locator("table.check-records a").first.get_attribute("href")
    state = context.storage_state()
    context.close()
    assert row
    return state, row


def keep(page: Page, mode: str) -> None:
    """Decide what is stored, and wait until every worker knows."""
    page.goto("/account/settings/security-and-privacy/")
    page.locator(f"input[name=mode][value={mode}]").check()
    page.get_by_role("button", name="Save").click()
    if mode == "off":  # What is there already stays.
        page.locator("input[name=older][value=keep]").check()
        page.get_by_role("button", name="Save").click()
    expect(page.locator(".message.success")).to_be_visible()
    time.sleep(EFFECTIVE_WITHIN_SECONDS)


def look_up(page: Page, text: str) -> None:
    """Check a number on the page."""
    page.goto("/")
    check(page, text)
    expect(page.locator("[data-verdict]")).to_be_visible()


def open_log(page: Page, rows: int) -> None:
    """Open the log; what was just checked appears in a moment."""
    deadline = time.monotonic() + 5
    while True:
        page.goto("/log/")
        if page.locator("table.check-records tbody tr").count() >= rows or time.monotonic() > deadline:
            break
        time.sleep(0.2)
    expect(page.locator("table.check-records tbody tr")).to_have_count(rows)


def find(page: Page, text: str) -> None:
    """Search for a number."""
    page.get_by_label("IBAN", exact=True).fill(text)
    page.get_by_role("button", name="Search").click()
    page.wait_for_url(re.compile("number="))


class TestALogsLife:
    def test_a_check_is_seen_opened_found_and_deleted_and_then_nothing_is_stored(self, owner: Page) -> None:
        page = owner
        visited: list[str] = []
        page.on("framenavigated", lambda frame: visited.append(frame.url))
        for number in (SWEDISH, GERMAN, SWEDISH, WRONG):
            look_up(page, number)
        page.get_by_role("link", name="Check log").first.click()
        open_log(page, 4)
        # Not which of them stands first: the log knows whole seconds, and within one the order is by chance.
        expect(page.locator("table.check-records tbody")).to_contain_text("Germany")

        page.locator("tr", has_text="SE45").first.get_by_role("rowheader").get_by_role("link").click()
        expect(page.get_by_role("heading", name="Check details")).to_be_visible()
        for value in ("SE45 5000 0000 0583 9825 7466", "ESSESESS", "check page", "127.0.0.1", "Sweden"):
            expect(page.locator("dl.facts")).to_contain_text(value)

        page.get_by_role("link", name="Check log").first.click()
        find(page, " iban: se45-5000 0000.0583 9825 7466 ")
        expect(page.locator("table.check-records tbody tr")).to_have_count(2)
        expect(page.locator("#found .message")).to_contain_text("Only checks of SE45 5000 0000 0583 9825 7466")
        page.get_by_role("link", name="Delete everything about this IBAN").first.click()
        expect(page.get_by_role("heading", name="Delete 2 checks?")).to_be_visible()
        expect(page.locator("form.card")).to_contain_text("SE45 5000 0000 0583 9825 7466")
        page.get_by_role("button", name="Delete permanently").click()
        expect(page.locator(".message.success")).to_contain_text("2 checks have been deleted from the log.")
        expect(page.locator("table.check-records tbody tr")).to_have_count(2)
        expect(page.get_by_text("SE45")).to_have_count(0)

        page.goto("/account/history/")
        expect(page.get_by_role("rowheader", name="Part of the account was deleted")).to_contain_text("one IBAN")

        keep(page, "off")
        look_up(page, SWEDISH)
        time.sleep(EFFECTIVE_WITHIN_SECONDS)
        page.goto("/log/")
        expect(page.get_by_text("Nothing new is added.")).to_be_visible()
        expect(page.locator("table.check-records tbody tr")).to_have_count(2)
        assert not [url for url in visited if "58398257466" in url or "0583" in url]

    def test_filters_files_and_single_checks(self, owner: Page, tmp_path: Path) -> None:
        page = owner
        for number in (SWEDISH, GERMAN, WRONG):
            look_up(page, number)
        open_log(page, 3)
        page.get_by_label("Result").select_option("not valid")
        page.get_by_role("button", name="Show").click()
        expect(page.locator("table.check-records tbody tr")).to_have_count(1)
        expect(page.locator("table.check-records")).to_contain_text(
            "The check digits do not match the rest of the number."
        )

        for ending, button in (("csv", "Export as CSV"), ("json", "Export as JSON")):
            with page.expect_download() as waiting:
                page.get_by_role("button", name=button).click()
            waiting.value.save_as(tmp_path / ending)
        with (tmp_path / "csv").open(encoding="utf-8-sig", newline="") as file:
            [row] = csv.DictReader(file)
        assert row["IBAN"] == WRONG
        [row] = json.loads((tmp_path / "json").read_text(encoding="utf-8"))["rows"]
        assert (row["iban"], row["reasons"]) == (WRONG, ["checksum"])

        page.get_by_label("Country").select_option("Sweden")
        page.get_by_role("button", name="Show").click()
        expect(page.get_by_text("No matching checks.")).to_be_visible()
        page.get_by_role("link", name="Show all").click()

        page.locator("tr", has_text="SE45").get_by_role("link").click()
        page.get_by_role("link", name="Delete this check").click()
        page.get_by_role("button", name="Delete permanently").click()
        expect(page.locator(".message.success")).to_contain_text("The check has been deleted from the log.")
        expect(page.locator("table.check-records tbody tr")).to_have_count(2)

        page.get_by_role("link", name="Delete the whole log").click()
        expect(page.get_by_text("the whole log will be deleted")).to_be_visible()
        page.get_by_role("link", name="Cancel").click()
        expect(page.locator("table.check-records tbody tr")).to_have_count(2)
        page.get_by_role("link", name="Delete the whole log").click()
        page.get_by_role("button", name="Delete permanently").click()
        expect(page.get_by_role("heading", name="The log is empty")).to_be_visible()

    def test_the_keyboard_alone_is_enough(self, owner: Page) -> None:
        page = owner
        look_up(page, SWEDISH)
        look_up(page, GERMAN)
        open_log(page, 2)

        page.get_by_label("IBAN", exact=True).focus()
        page.keyboard.type("SE45 5000 0000 0583 9825 7466")
        page.keyboard.press("Enter")
        expect(page.locator("table.check-records tbody tr")).to_have_count(1)
        # The address leads to what was found: the next stop is in it.
        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name="Delete everything about this IBAN").first).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="Delete 1 check?")).to_be_visible()
        page.get_by_role("button", name="Delete permanently").focus()
        page.keyboard.press("Enter")
        expect(page.locator(".message.success")).to_contain_text("1 check has been deleted from the log.")


class TestCheckLogWithoutJavaScript:
    def test_a_number_is_found_and_deleted(self, browser: Browser, live_site: str, owner: Page) -> None:
        look_up(owner, SWEDISH)
        open_log(owner, 1)
        context = browser.new_context(
            base_url=live_site, locale="en-GB", storage_state=owner.context.storage_state(), java_script_enabled=False
        )
        page = context.new_page()

        page.goto("/log/")
        find(page, SWEDISH)
        page.get_by_role("link", name="Delete everything about this IBAN").first.click()
        page.get_by_role("button", name="Delete permanently").click()

        expect(page.get_by_role("heading", name="The log is empty")).to_be_visible()
        context.close()


class TestCheckLogLook:
    # Every two of size, colours and language meet once.
    @pytest.mark.parametrize("look", ["phone light sv", "phone dark en", "desktop light en", "desktop dark de"])
    def test_axe_finds_nothing_and_nothing_scrolls_sideways(
        self, browser: Browser, live_site: str, seen: tuple[StorageState, str], look: str
    ) -> None:
        size, scheme, language = look.split()
        state, row = seen
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
        page.goto("/log/")
        page.locator(f".languages button[value={language}]").click()
        expect(page.locator(f"html[lang={language}]")).to_have_count(1)

        for path in (
            "/log/",
            "/log/?verdict=invalid",
            "/log/?country=LI",
            "/log/?since=2030-01-01T00:00&until=2029-01-01T00:00",
            row,
            f"{row}delete/",
            "/log/delete/?verdict=valid",
        ):
            page.goto(path)
            look_at(page, f"{path} {look}")
        page.goto("/log/")
        page.locator("#id_iban").fill(SWEDISH)
        page.locator("form.find button").click()
        expect(page.locator("#found .message")).to_be_visible()
        look_at(page, f"what was found {look}")
        if size == "phone":
            # Each list of the menu fits in one line: the client's own pages, and the public ones.
            for entries in page.locator(".site-header .bar > nav > ul").all():
                heights = {round(link.bounding_box()["y"]) for link in entries.locator("a").all()}  # type: ignore[index]  # all are shown
                assert len(heights) == 1, heights
        assert [text for text in console if "422" not in text] == []
        context.close()
