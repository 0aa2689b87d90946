"""Two-factor authentication: an app, passkeys (walked in a real browser elsewhere), recovery codes; encrypted."""

import base64
import re
import time
from unittest import mock
from uuid import UUID

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.core import mail

from accounts.models import User
from tests.base import PASSWORD, Visitor
from tests.support.entrance import SignInTest

APP = "/account/second-factor/app/"
CODES = "/account/second-factor/codes/"


def code_now(secret: str, *, steps: int = 0) -> str:
    """Return what an app would show, some steps of 30 seconds from now."""
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30 + steps))


def owner_of(sealed: str) -> UUID:
    """Return whose key a named envelope says it was sealed with."""
    return UUID(bytes=base64.urlsafe_b64decode(sealed.removeprefix("v1.") + "==")[:16])


@pytest.mark.claim("second_factor")
class AppTests(SignInTest):
    def setUp(self) -> None:
        super().setUp()
        self.owner = self.member("olga@example.com")
        self.here = self.enter(self.owner)

    def add_app(self) -> str:
        """Add an app and return its secret."""
        page = self.here.opens(APP).content.decode()
        found = re.search(r'<p class="code">([A-Z2-7]{32})</p>', page)
        assert found
        self.assertRedirects(self.send(self.here, APP, {"code": code_now(found.group(1))}), CODES)
        return found.group(1)

    def test_the_app_is_added_recorded_mailed_and_ends_other_sessions(self) -> None:
        there = self.enter(self.owner)
        self.add_app()

        self.assert_in(self.here)
        self.assert_out(there)
        self.assert_tags(self.owner, "factors.totp_added", "factors.recovery_codes_made")
        self.assertIn("An authenticator app was added", mail.outbox[-1].subject)

    def test_the_picture_is_markup_that_the_policy_allows(self) -> None:
        page = self.here.opens(APP).content.decode()

        self.assertIn("<svg", page)
        self.assertNotIn("data:", page)
        self.assertNotRegex(page, r"<style|\sstyle=|<script(?![^>]*\ssrc=)")

    @pytest.mark.claim("factors_and_sessions")
    def test_secret_and_seed_lie_sealed_in_database_and_session(self) -> None:
        secret = self.add_app()

        for authenticator in Authenticator.objects.filter(user=self.owner):
            self.assertNotIn(secret, str(authenticator.data))
            sealed = authenticator.data.get("secret") or authenticator.data["seed"]
            self.assertEqual(owner_of(sealed), self.owner.key_owner)

    def test_sign_in_requires_a_code_that_works_once(self) -> None:
        secret = self.add_app()
        who = Visitor()
        self.assertRedirects(self.sign_in(who, self.owner.email), "/sign-in/second-factor/")
        self.assert_out(who)
        self.assertContains(self.send(who, "/sign-in/second-factor/", {"code": "000000"}), "Wrong code.")

        # The present one was used up when the app was added? Not by allauth, which marks codes at sign-in only.
        code = code_now(secret)
        self.assertRedirects(
            self.send(who, "/sign-in/second-factor/", {"code": code}), "/overview/", fetch_redirect_response=False
        )
        self.assert_in(who)

        thief = Visitor()
        self.sign_in(thief, self.owner.email)
        self.send(thief, "/sign-in/second-factor/", {"code": code})
        self.assert_out(thief)

    def test_guessing_codes_is_slowed_down(self) -> None:
        secret = self.add_app()
        who = Visitor()
        self.sign_in(who, self.owner.email)
        for _ in range(6):
            response = self.send(who, "/sign-in/second-factor/", {"code": "000000"})

        self.assertContains(response, "Too many attempts.")
        self.send(who, "/sign-in/second-factor/", {"code": code_now(secret)})
        self.assert_out(who)

    def test_a_recovery_code_lets_in_once(self) -> None:
        self.add_app()
        page = self.here.opens(CODES).content.decode()
        found = re.findall(r'<li class="code">(\d{8})</li>', page)
        self.assertEqual(len(found), 10)
        for expected in (self.assert_in, self.assert_out):
            who = Visitor()
            self.sign_in(who, self.owner.email)
            self.send(who, "/sign-in/second-factor/", {"code": found[0]})
            expected(who)

        self.assertContains(self.here.opens("/account/second-factor/"), "9 codes are left.")
        download = self.here.opens(f"{CODES}download/")
        self.assertIn("attachment", download.headers["Content-Disposition"])
        self.assertContains(download, found[1])

    def test_new_recovery_codes_void_the_old_ones_and_are_recorded_once(self) -> None:
        self.add_app()
        old = self.here.opens(CODES).content
        self.send(self.here, f"{CODES}new/")

        self.assertNotEqual(self.here.opens(CODES).content, old)
        made = "factors.recovery_codes_made"
        self.assert_tags(self.owner, "factors.totp_added", made, made)

    def test_removing_the_app_is_recorded_and_takes_the_codes_along(self) -> None:
        self.add_app()
        self.send(self.here, f"{APP}remove/")

        self.assertFalse(Authenticator.objects.exists())
        self.assert_tags(self.owner, "factors.totp_removed")
        self.assertEqual(self.sign_in(Visitor(), self.owner.email).headers["Location"], "/overview/")

    @pytest.mark.claim("factors_and_sessions")
    def test_the_factor_of_staff_is_sealed_under_their_own_key(self) -> None:
        staff = self.member("sten@operator.example", is_staff=True)
        self.here = self.enter_staff(staff)
        self.add_app()

        [totp] = Authenticator.objects.filter(user=staff, type="totp")
        self.assertEqual(owner_of(totp.data["secret"]), staff.pk)

    def enter_staff(self, staff: User) -> Visitor:
        who = Visitor()
        self.sign_in(who, staff.email)
        return who


@pytest.mark.claim("proof_again")
class RecentProofTests(SignInTest):
    def setUp(self) -> None:
        super().setUp()
        self.owner = self.member("olga@example.com")
        self.here = self.enter(self.owner)

    def test_a_recent_sign_in_needs_no_reauthentication(self) -> None:
        self.assertEqual(self.here.opens(APP).status_code, 200)

    def test_after_five_minutes_the_password_is_required(self) -> None:
        later = time.time() + 301
        with mock.patch("time.time", return_value=later):
            self.assertRedirects(self.here.opens(APP), f"/account/again/?next={APP}")
            wrong = self.send(self.here, "/account/again/", {"password": "wrong", "next": APP})
            self.assertContains(wrong, "Wrong password.")
            response = self.send(self.here, "/account/again/", {"password": PASSWORD, "next": APP})
            self.assertRedirects(response, APP)

    def test_a_second_factor_is_required_instead_of_the_password(self) -> None:
        page = self.here.opens(APP).content.decode()
        secret = re.findall(r'<p class="code">([A-Z2-7]{32})</p>', page)[0]
        self.send(self.here, APP, {"code": code_now(secret)})
        later = time.time() + 600
        with mock.patch("time.time", return_value=later):
            self.assertRedirects(self.here.opens(CODES), f"/account/again/code/?next={CODES}")
            self.assertRedirects(
                self.send(self.here, "/account/again/", {"password": PASSWORD, "next": CODES}),
                f"/account/again/code/?next={CODES}",
            )
            response = self.send(self.here, "/account/again/code/", {"code": code_now(secret), "next": CODES})
            self.assertRedirects(response, CODES)

    def test_the_proof_of_the_robbed_is_none_of_the_thiefs(self) -> None:
        officer = self.staff("security", address="192.0.2.41")
        self.assertEqual(officer.opens("/admin/").status_code, 200)
        thief = Visitor("203.0.113.66")
        thief.browser.cookies["session"] = officer.browser.cookies["session"].value
        later = time.time() + 301
        with mock.patch("time.time", return_value=later):
            self.assertEqual(thief.posts("/account/email/", {"email": "mallory@example.net"}).status_code, 302)
            self.assertNotIn("account_reauthentication_state", officer.browser.session)

            with mock.patch("allauth.mfa.totp.internal.auth.TOTP.validate_code", return_value=True):
                proof = officer.posts("/account/again/code/", {"code": "123456", "next": "/admin/"})

            self.assertRedirects(proof, "/admin/")
            self.assertNotEqual(thief.opens("/admin/").status_code, 200)

    def test_a_passkey_of_somebody_else_cannot_be_renamed_or_removed(self) -> None:
        other = self.member("mallory@example.net")
        key = Authenticator.objects.create(user=other, type="webauthn", data={"name": "Hers", "credential": {}})

        for action in ("rename", "remove"):
            path = f"/account/second-factor/passkeys/{key.pk}/{action}/"
            self.assertEqual(self.here.opens(path).status_code, 404)
            self.assertEqual(self.send(self.here, path, {"name": "Mine"}).status_code, 404)
