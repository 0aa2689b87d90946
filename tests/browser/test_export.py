"""A copy of everything in a real Chromium: requested, seen on its way, downloaded and opened."""

import json
import re
from pathlib import Path
from typing import Literal
from uuid import uuid4
from zipfile import ZipFile

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.test_check_page import VALID
from tests.browser.test_identity import SIZES, sign_up
from tests.support.looks import look_at

pytestmark = pytest.mark.browser

PATH = "/account/settings/security-and-privacy/export/"


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args: dict[str, object]) -> dict[str, object]:
    """Read the pages in English unless a test says otherwise."""
    return {**browser_context_args, "locale": "en-GB"}


def save(page: Page, folder: Path) -> ZipFile:
    """Download the copy and open it."""
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Download zip file").click()
    assert re.fullmatch(r"ibanse-\d{4}-\d\d-\d\d\.zip", waiting.value.suggested_filename)
    waiting.value.save_as(folder / "copy.zip")
    return ZipFile(folder / "copy.zip")


class TestACopy:
    def test_an_owner_asks_for_a_copy_sees_it_made_and_opens_it(
        self, page: Page, mailbox: Path, tmp_path: Path
    ) -> None:
        email = f"{uuid4()}@export.example"
        sign_up(page, mailbox, email)
        page.goto("/")
        page.get_by_label("IBAN").fill(VALID)
        page.get_by_role("button", name="Check the IBAN").click()
        expect(page.locator("[data-verdict=valid]")).to_be_visible()

        page.goto("/account/settings/")
        page.get_by_role("main").get_by_role("link", name="Security and privacy").click()
        page.get_by_role("link", name="Go to data export").click()
        expect(page).to_have_url(re.compile(PATH))
        expect(page.get_by_role("row", name="People who can sign in")).to_be_visible()
        page.get_by_role("button", name="Create copy").click()

        expect(page.get_by_role("heading", name="Your copy is being created")).to_be_visible()
        expect(page.get_by_role("progressbar")).to_be_visible()
        # The page looks by itself.
        expect(page.get_by_role("heading", name="Your copy is ready")).to_be_visible(timeout=15_000)
        expect(page.get_by_role("status")).to_have_text("Your copy is ready.")

        with save(page, tmp_path) as zipped:
            assert zipped.testzip() is None
            tables = json.loads(zipped.read("data.json"))["tables"]
            assert [user["email"] for user in tables["users"]] == [email]
            assert [(check["source"], check["is_valid"]) for check in tables["checks"]] == [("page", True)]
            assert f'"{email}"' in zipped.read("csv/users.csv").decode("utf-8-sig")
            assert "csv/users.csv" in zipped.read("README.txt").decode()

        page.goto("/account/history/")
        expect(page.get_by_role("row", name="A copy of all data was requested")).to_be_visible()
        expect(page.get_by_role("row", name="A copy of all data was downloaded")).to_be_visible()
        mails = [sent.read_text(encoding="utf-8") for sent in mailbox.iterdir()]
        assert any(f"To: {email}" in sent and "The copy of your data is ready" in sent for sent in mails)

    def test_it_works_without_javascript(self, browser: Browser, live_site: str, mailbox: Path, tmp_path: Path) -> None:
        context = browser.new_context(base_url=live_site, locale="en-GB")
        sign_up(context.new_page(), mailbox, f"{uuid4()}@export.example")
        plain = browser.new_context(
            base_url=live_site, locale="en-GB", java_script_enabled=False, storage_state=context.storage_state()
        )
        page = plain.new_page()
        page.goto(PATH)
        page.get_by_role("button", name="Create copy").click()

        for _ in range(100):
            look = page.get_by_role("link", name="Refresh")
            if not look.is_visible():
                break
            look.click()
            page.wait_for_timeout(200)

        with save(page, tmp_path) as zipped:
            assert "data.json" in zipped.namelist()
        plain.close()
        context.close()


class TestExportLook:
    @pytest.mark.parametrize("scheme", ["light", "dark"])
    @pytest.mark.parametrize("size", SIZES)
    def test_axe_finds_nothing_in_any_state_and_nothing_scrolls_sideways(
        self, browser: Browser, live_site: str, mailbox: Path, size: str, scheme: Literal["light", "dark"]
    ) -> None:
        context = browser.new_context(
            base_url=live_site, locale="en-GB", viewport=SIZES[size], color_scheme=scheme, reduced_motion="reduce"
        )
        page = context.new_page()
        console: list[str] = []
        page.on(
            "console", lambda message: console.append(message.text) if message.type in ("error", "warning") else None
        )
        sign_up(page, mailbox, f"{uuid4()}@export.example")
        page.goto(PATH)
        look_at(page, f"none {size} {scheme}")
        page.get_by_role("button", name="Create copy").click()
        expect(page.get_by_role("progressbar")).to_be_visible()
        look_at(page, f"under way {size} {scheme}")
        expect(page.get_by_role("heading", name="Your copy is ready")).to_be_visible(timeout=15_000)
        look_at(page, f"ready {size} {scheme}")
        context.close()
        assert console == []
