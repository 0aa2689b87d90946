"""Deleting an account in a real Chromium: requested, confirmed by mail, cancelled, requested again, done, proven."""

import re
import time
from pathlib import Path
from uuid import uuid4

import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_identity import PASSWORD, sign_up
from tests.support.looks import look_at

pytestmark = pytest.mark.browser

PATH = "/account/settings/security-and-privacy/deletion/"
WITHIN_SECONDS = 40


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args: dict[str, object]) -> dict[str, object]:
    """Read the pages in English unless a test says otherwise."""
    return {**browser_context_args, "locale": "en-GB"}


def mailed(mailbox: Path, email: str, subject: str, link: str) -> str:
    """Return the path of a link in the newest mail of this subject, as soon as it is there."""
    until = time.monotonic() + WITHIN_SECONDS
    while time.monotonic() < until:
        for sent in sorted(mailbox.iterdir(), key=lambda file: file.stat().st_mtime, reverse=True):
            text = sent.read_text(encoding="utf-8").replace("=\n", "")
            found = re.search(rf"https?://[^/\s]+(/\S*{link}\S*)", text)
            if f"To: {email}" in text and subject in text and found:
                return found[1]
        time.sleep(0.3)
    pytest.fail(f"No mail with {link}")


def ask(page: Page, days: int) -> None:
    """Request deletion of the account."""
    page.goto(PATH)
    page.get_by_label("Grace period (days)").fill(str(days))
    page.get_by_role("button", name="Request deletion").click()
    expect(page.get_by_role("heading", name="Confirm by e-mail")).to_be_visible()


def confirm(page: Page, mailbox: Path, email: str) -> None:
    """Follow the mailed link and confirm."""
    page.goto(mailed(mailbox, email, "Confirm the deletion", "confirm"))
    page.get_by_role("button", name="Confirm deletion").click()
    expect(page.get_by_role("heading", name="The deletion is confirmed")).to_be_visible()


def test_an_account_is_deleted_and_the_receipt_proves_it(page: Page, mailbox: Path, tmp_path: Path) -> None:
    email = f"{uuid4()}@deletion.example"
    sign_up(page, mailbox, email)
    page.goto("/account/settings/security-and-privacy/")
    page.get_by_role("link", name="Delete account").click()
    expect(page.get_by_role("row", name="People who can sign in")).to_be_visible()
    expect(page.get_by_role("link", name="Download a copy of everything first")).to_be_visible()
    look_at(page, "nothing is requested")

    ask(page, 7)
    look_at(page, "requested")
    confirm(page, mailbox, email)
    look_at(page, "confirmed")
    for path in ("/", "/overview/", "/log/", "/countries/"):
        page.goto(path)
        expect(page.get_by_role("region", name="Your account will be deleted")).to_be_visible()
    look_at(page, "the banner")
    page.goto("/account/contact/")
    expect(page.get_by_role("heading", name="This account is being closed")).to_be_visible()
    page.get_by_role("button", name="Cancel deletion").click()
    expect(page.locator(".message.success")).to_contain_text("Everything works as before")
    page.goto("/account/contact/")
    expect(page.get_by_role("heading", name="Contact details")).to_be_visible()

    # The first mails of this kind are of the cancelled one.
    for sent in mailbox.iterdir():
        if f"To: {email}" in sent.read_text(encoding="utf-8"):
            sent.unlink()
    ask(page, 0)
    confirm(page, mailbox, email)
    page.goto(mailed(mailbox, email, "Your account has been deleted", "receipts"))
    expect(page.get_by_role("heading", name="Deletion receipt")).to_be_visible()
    expect(page.get_by_text("Key destroyed")).to_be_visible()
    assert email not in page.content()
    look_at(page, "the receipt")
    with page.expect_download() as waiting:
        page.get_by_role("link", name="Download the receipt").click()
    waiting.value.save_as(tmp_path / "receipt.json")

    page.get_by_role("link", name="Verify a receipt").first.click()
    page.get_by_label("Receipt file").set_input_files(tmp_path / "receipt.json")
    page.get_by_role("button", name="Verify").click()
    expect(page.locator("[data-verdict=genuine]")).to_contain_text("This deletion receipt is genuine")
    look_at(page, "genuine")
    forged = (tmp_path / "receipt.json").read_text(encoding="utf-8").replace('"account": 1', '"account": 2')
    page.get_by_label("Or paste its text").fill(forged)
    page.get_by_role("button", name="Verify").click()
    expect(page.locator("[data-verdict=not_ours]")).to_contain_text("This deletion receipt is not genuine")
    look_at(page, "forged")

    page.goto("/overview/")
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_text("Wrong e-mail address or password.").first).to_be_visible()
