"""The day of each group of the staff, in a real Chromium: what they do, and what a customer has of it at once."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from django.conf import settings
from playwright.sync_api import Browser, Page, expect

from tests.browser.test_identity import PASSWORD, SIZES, add_authenticator, letter_to, sign_in, sign_up
from tests.browser.test_keys import call, make_key, soon
from tests.support.looks import look_at
from tests.support.production import wait_until

pytestmark = pytest.mark.browser


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args: dict[str, object]) -> dict[str, object]:
    """Read the pages in English unless a test says otherwise."""
    return {**browser_context_args, "locale": "en-GB"}


@pytest.fixture
def page(browser: Browser, live_site: str) -> Iterator[Page]:
    """Return a page of a member of staff, and fail when the console or the Content-Security-Policy complained."""
    context = browser.new_context(base_url=live_site, locale="en-GB")
    page = context.new_page()
    console: list[str] = []
    page.on("console", lambda message: console.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: console.append(str(error)))
    yield page
    context.close()
    # A form with a mistake is answered 422, which Chromium mentions.
    assert [text for text in console if "status of 422" not in text] == []


class Customer:
    """The owner of a client, at a browser of their own."""

    def __init__(self, browser: Browser, site: str, mailbox: Path) -> None:
        self.site = site
        self.mailbox = mailbox
        self.email = f"{uuid4().hex[:8]}@customer.example"
        self.page = browser.new_context(base_url=site, locale="en-GB").new_page()
        sign_up(self.page, mailbox, self.email)

    def letter(self, naming: str) -> str:
        """Return the mail that came to the owner with these words in it."""
        return letter_to(self.mailbox, self.email, naming=naming)


@pytest.fixture
def customer(browser: Browser, live_site: str, mailbox: Path) -> Iterator[Customer]:
    """Return somebody who has just signed up."""
    customer = Customer(browser, live_site, mailbox)
    yield customer
    customer.page.context.close()


def look(page: Page, what: str, size: str, scheme: str = "light") -> None:
    """Look at the page as it is, in this size and these colours."""
    page.set_viewport_size(SIZES[size])
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]  # one of two words
    look_at(page, f"{what}, {size} {scheme}")


def begin_work(page: Page, environment: dict[str, str], group: str) -> str:
    """Sign in as a new member of staff, who adds a passkey first, and enter the back-office; return the address."""
    email = f"{uuid4().hex[:8]}@operator.example"
    command = (sys.executable, "manage.py", "create_staff", email, "--group", group, "--password-stdin")
    subprocess.run(command, cwd=settings.BASE_DIR, env=environment, input=PASSWORD.encode(), check=True)
    add_authenticator(page)
    sign_in(page, email)
    page.goto("/account/second-factor/passkeys/add/")
    page.get_by_role("button", name="Add passkey").click()
    expect(page.locator(".recovery-codes li")).to_have_count(10)
    page.goto("/admin/")
    if "/account/again/" in page.url:
        page.get_by_role("link", name="passkey").or_(page.get_by_role("button", name="passkey")).first.click()
        if page.get_by_role("button", name="Use a passkey").count():
            page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_role("heading", name="Back-office")).to_be_visible()
    return email


def find(page: Page, listed: str, term: str) -> None:
    """Find the one row of a list that is exactly this, and open it."""
    page.goto(f"/admin/{listed}/")
    page.get_by_role("searchbox", name="Search").fill(term)
    page.get_by_role("button", name="Search").click()
    page.wait_for_url("**?*q=*")
    page.locator(".back-office-list tbody a").first.click()


def do(page: Page, link: str, button: str, **fields: str) -> None:
    """Follow the link of an action, give the reason and carry it out."""
    page.get_by_role("link", name=link, exact=True).click()
    fill(page, **fields)
    page.get_by_role("button", name=button, exact=True).click()


def fill(page: Page, **fields: str) -> None:
    """Give the reason, and what else the action needs."""
    values = {"Case number": "T-1204", "Reason": "The owner asked for it by telephone", **fields}
    for label, text in values.items():
        page.get_by_label(label, exact=True).fill(text)


def done(page: Page, message: str) -> None:
    """Expect the message."""
    expect(page.locator(".message").first).to_contain_text(message)


def see_for_a_reason(page: Page, customer: Customer) -> None:
    """Open a client's details with a reason, and mask them again."""
    page.get_by_role("link", name="Personal details").click()
    look(page, "details masked", "desktop")
    fill(page)
    page.get_by_role("button", name="Show unmasked").click()
    expect(page.locator("main")).to_contain_text(customer.email)
    customer.letter("T-1204")
    look(page, "details in clear", "phone", "dark")
    page.get_by_role("button", name="Mask now").click()
    done(page, "The details are masked again.")
    expect(page.locator("main")).not_to_contain_text(customer.email)


def see_with_leave(page: Page, customer: Customer) -> None:
    """See them as the customer allows, until the customer ends it."""
    customer.page.goto("/account/support-access/")
    expect(customer.page.get_by_role("row", name="T-1204")).to_contain_text("Support")
    look(customer.page, "who has looked", "phone", "dark")
    customer.page.get_by_label("One hour").check()
    customer.page.get_by_role("button", name="Give support access").click()
    done(customer.page, "Support now has access.")
    look(customer.page, "support has access", "desktop")
    page.reload()
    look(page, "leave of the client", "phone")
    page.get_by_role("button", name="Show unmasked").click()
    expect(page.locator("main")).to_contain_text(customer.email)
    customer.page.get_by_role("button", name="End access now").click()
    done(customer.page, "Support sees your details masked again.")
    page.reload()
    expect(page.locator("main")).not_to_contain_text(customer.email)


class TestDays:
    def test_support_helps_a_customer_without_seeing_more_than_that_takes(
        self, page: Page, customer: Customer, live_environment: dict[str, str], mailbox: Path
    ) -> None:
        customer.page.goto("/account/users/")
        customer.page.get_by_label("E-mail address").fill(f"nina.{customer.email}")
        customer.page.get_by_role("button", name="Send").click()
        begin_work(page, live_environment, "support")
        look(page, "the first page", "phone", "dark")
        find(page, "accounts/invitation", f"nina.{customer.email}")
        do(page, "Resend", "Resend")
        done(page, "It was sent less than a minute ago.")
        expect(page.locator("main")).not_to_contain_text(customer.email)
        look(page, "a client", "phone")

        see_for_a_reason(page, customer)
        see_with_leave(page, customer)

        find(page, "accounts/client", customer.email)
        page.get_by_role("link", name="Add a note").click()
        page.get_by_label("Case number").fill("T-1204")
        page.get_by_label("Note").fill("too short")
        page.get_by_role("button", name="Save note").click()
        expect(page.locator("#id_words_error")).to_be_visible()
        look(page, "an action with a mistake", "phone", "dark")
        page.get_by_label("Note").fill("Calls back on Monday about the invitation")
        page.get_by_role("button", name="Save note").dblclick()
        done(page, "The note has been saved.")
        expect(page.get_by_text("Calls back on Monday")).to_have_count(1)
        look(page, "notes", "desktop")

        find(page, "accounts/user", customer.email)
        do(page, "Sign out everywhere", "Sign out everywhere")
        done(page, "The user has been signed out everywhere.")
        customer.page.goto("/overview/")
        expect(customer.page.get_by_role("button", name="Sign in", exact=True)).to_be_visible()
        assert page.request.get("/admin/accounts/billingdetails/").status == 403

    def test_billing_shuts_a_customer_out_and_lets_them_in_again(
        self, page: Page, customer: Customer, live_environment: dict[str, str]
    ) -> None:
        key = make_key(customer.page, "Accounting")
        begin_work(page, live_environment, "billing")
        find(page, "accounts/client", customer.email)
        page.get_by_role("link", name="Suspend").click()
        look(page, "a grave action", "desktop", "dark")
        fill(page)
        page.get_by_role("button", name="Suspend").click()
        done(page, "The client is suspended.")
        soon(lambda: call(customer.site, key), (401, "key_unknown"))
        customer.page.goto("/overview/")
        expect(customer.page.get_by_role("heading", name="This account is suspended")).to_be_visible()
        look(customer.page, "a suspended account", "phone", "dark")
        customer.letter("Nothing is deleted.")
        customer.page.get_by_role("link", name="audit log", exact=True).click()
        expect(customer.page.locator("main")).to_contain_text("The owner asked for it by telephone")

        page.go_back()
        done(page, "The client is already suspended. No changes were made.")
        page.get_by_role("link", name="Back", exact=True).click()
        do(page, "Reopen", "Reopen")
        done(page, "The client has been reopened.")
        soon(lambda: call(customer.site, key), (200, "True"))
        do(page, "Set quota", "Set quota", **{"Checks per month": "2500"})
        done(page, "The quota has been set.")
        look(page, "a client", "desktop")
        assert "T-1204" in customer.letter("monthly quota")
        assert page.request.get("/admin/accounts/user/").status == 403

    def test_security_ends_a_leaked_key_and_blocks_who_has_it(
        self, page: Page, customer: Customer, live_environment: dict[str, str]
    ) -> None:
        key = make_key(customer.page, "Accounting")
        begin_work(page, live_environment, "security")
        page.locator("nav.side").get_by_role("link", name="Revoke a leaked key").click()
        page.get_by_label("Beginning of the key").fill("nothing of ours")
        page.get_by_role("button", name="Find key").click()
        expect(page.locator("#id_text_error")).to_be_visible()
        look(page, "a key that is none", "phone")
        page.get_by_label("Beginning of the key").fill(key)
        page.get_by_role("button", name="Find key").click()
        expect(page.locator("main")).to_contain_text(key[:22])
        assert key[23:] not in page.content()
        fill(page)
        page.get_by_role("button", name="Revoke permanently").click()
        done(page, "The key has been revoked.")
        soon(lambda: call(customer.site, key), (401, "key_unknown"))
        assert "create a new key" in customer.letter("because it may be in the wrong hands")

        page.goto("/admin/")
        page.locator("#refused").get_by_role("link", name="Show by reason").click()
        wait_until(lambda: page.reload() is not None and "key_unknown" in page.content())
        look(page, "the refused calls", "phone")
        page.goto("/admin/?days=1")
        page.set_viewport_size(SIZES["desktop"])
        for table in page.locator(".metric summary").all():
            table.click()
        look(page, "the overview with its tables", "desktop", "dark")

        page.locator("nav.side").get_by_role("link", name="Block an IP address").click()
        fill(page, **{"IP address or network": "203.0.113.0/24"})
        look(page, "a block", "phone", "dark")
        page.get_by_role("button", name="Block an IP address").click()
        done(page, "The IP address has been blocked.")
        find(page, "guard/block", "203.0.113.0/24")
        do(page, "Unblock", "Unblock")
        done(page, "The IP address has been unblocked.")
        page.goto("/admin/accounts/staffentry/")
        for action in ("A leaked API key was revoked", "An IP address was blocked", "An IP address was unblocked"):
            expect(page.get_by_text(action).first).to_be_visible()
        look(page, "the staff's history", "phone")
        assert page.request.get("/admin/staff/").status == 403

    def test_lead_signs_a_colleague_out_and_sees_no_client(
        self, page: Page, browser: Browser, live_site: str, live_environment: dict[str, str]
    ) -> None:
        colleague = browser.new_context(base_url=live_site, locale="en-GB").new_page()
        email = begin_work(colleague, live_environment, "support")
        begin_work(page, live_environment, "lead")
        page.goto("/admin/staff/")
        look(page, "the staff", "phone", "dark")
        page.get_by_role("row", name=email).get_by_role("link").first.click()
        look(page, "groups", "desktop")
        do(page, "Sign out everywhere", "Sign out everywhere")
        done(page, "The user has been signed out everywhere.")
        colleague.goto("/admin/")
        expect(colleague.get_by_role("button", name="Sign in", exact=True)).to_be_visible()
        colleague.context.close()
        for listed in ("client", "user", "invitation", "historyentry"):
            assert page.request.get(f"/admin/accounts/{listed}/").status == 403
