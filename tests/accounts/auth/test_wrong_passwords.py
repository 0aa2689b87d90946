"""Patient guessing from many networks: unknown browsers need a mailed code, and nobody is locked out."""

import time
from unittest import mock

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import Group
from django.core import mail
from django.core.cache import cache
from django.test import RequestFactory

from accounts.auth import wrong_passwords
from accounts.models import Client, User
from tests.base import PASSWORD, Visitor
from tests.support.entrance import NEW_PASSWORD, SIGN_UP, SignInTest, plain

KNOWN, UNKNOWN = "known@example.com", "other@example.com"
CODE_PAGE = "/sign-in/code/"


class GuessedAtTest(SignInTest):
    def setUp(self) -> None:
        super().setUp()
        wrong_passwords._waiting.clear()
        self.owner = self.member(KNOWN, client=Client.objects.create(), role=User.Role.OWNER, language="en")
        self.known = self.enter(self.owner)
        self.known.posts("/sign-out/")

    def guess(self, times: int, *, email: str = KNOWN, networks: int = 50) -> None:
        """Let unknown browsers type wrong passwords, as the adapter counts them."""
        for index in range(times):
            request = RequestFactory(REMOTE_ADDR=f"198.51.100.{index % networks}").post("/sign-in/")
            wrong_passwords.record_failure(request, email)

    def mails(self) -> list[str]:
        """Return the texts of the mails to the owner that the background sends."""
        mail.outbox.clear()
        with self.captureOnCommitCallbacks(execute=True):
            wrong_passwords.mail_owners()
        return [str(letter.body) for letter in mail.outbox if letter.to == [KNOWN]]


@pytest.mark.claim("passwords")
class CodeTests(GuessedAtTest):
    def test_after_a_hundred_wrong_passwords_an_unknown_browser_needs_a_mailed_code(self) -> None:
        self.guess(100)

        response = self.sign_in(self.visitor, KNOWN)

        self.assertRedirects(response, CODE_PAGE)
        self.assert_out(self.visitor)
        self.assertRedirects(self.send(self.visitor, CODE_PAGE, {"code": self.code_for(KNOWN)}), "/overview/")
        self.assert_in(self.visitor)

    def test_after_one_less_it_does_not(self) -> None:
        self.guess(99)

        self.sign_in(self.visitor, KNOWN)

        self.assert_in(self.visitor)

    def test_wrong_passwords_at_the_form_count(self) -> None:
        self.guess(99)
        self.sign_in(Visitor("203.0.113.1"), KNOWN, "wrong password, wrong account")

        self.assertRedirects(self.sign_in(self.visitor, KNOWN), CODE_PAGE)

    def test_a_known_browser_comes_in_as_before(self) -> None:
        self.guess(200)

        self.sign_in(self.known, KNOWN)

        self.assert_in(self.known)

    def test_wrong_passwords_of_a_known_browser_do_not_count(self) -> None:
        self.guess(99)
        self.sign_in(self.known, KNOWN, "slip of the finger")

        self.sign_in(self.visitor, KNOWN)

        self.assert_in(self.visitor)

    def test_a_passkey_comes_in_as_before(self) -> None:
        self.guess(200)
        passkey = Authenticator.objects.create(
            user=self.owner, type="webauthn", data={"name": "Phone", "credential": {}, "passwordless": True}
        )
        with mock.patch("allauth.mfa.webauthn.forms.LoginWebAuthnForm.clean_credential", return_value=passkey):
            self.send(self.visitor, "/sign-in/passkey/", {"credential": '{"id": "any"}'})

        self.assert_in(self.visitor)

    def test_staff_need_the_code_as_well_and_then_their_second_factor(self) -> None:
        sten = self.member("sten@ibanse.example", is_staff=True)
        sten.groups.add(Group.objects.get_or_create(name="security")[0])
        Authenticator.objects.create(user=sten, type="totp", data={"secret": "sealed"})
        self.guess(100, email=sten.email)

        self.assertRedirects(self.sign_in(self.visitor, sten.email), CODE_PAGE)
        response = self.send(self.visitor, CODE_PAGE, {"code": self.code_for(sten.email)})

        self.assertEqual(response.headers["Location"], "/sign-in/second-factor/")
        self.assert_out(self.visitor)

    def test_three_wrong_codes_end_it_also_when_they_come_at_the_same_moment(self) -> None:
        self.guess(100)
        self.sign_in(self.visitor, KNOWN)
        session = self.visitor.browser.cookies["session"].value
        twins = [Visitor() for _ in range(3)]
        before = self.visitor.browser.session["account_login"]
        for twin in twins:
            twin.browser.cookies["session"] = session
            self.send(twin, CODE_PAGE, {"code": "BBBB-BBBB"})
            # As if each had read the session before any other wrote it.
            session_data = twin.browser.session
            session_data["account_login"] = before
            session_data.save()

        response = self.send(self.visitor, CODE_PAGE, {"code": self.code_for(KNOWN)})

        self.assertContains(response, "Too many attempts.")
        self.assert_out(self.visitor)

    def test_a_right_guess_still_needs_a_code_days_later(self) -> None:
        self.guess(100)
        self.sign_in(self.visitor, KNOWN)
        later = time.time() + wrong_passwords.WITHIN.total_seconds() + 1
        with mock.patch("time.time", return_value=later):
            self.assertRedirects(self.sign_in(Visitor("203.0.113.9"), KNOWN), CODE_PAGE)

    def test_a_day_after_the_last_wrong_password_none_is_needed_any_more(self) -> None:
        self.guess(100)
        later = time.time() + wrong_passwords.WITHIN.total_seconds() + 1
        with mock.patch("time.time", return_value=later):
            self.sign_in(self.visitor, KNOWN)

            self.assert_in(self.visitor)

    def test_who_typed_the_code_or_chose_another_password_needs_none_any_more(self) -> None:
        for end in (self.type_code, self.choose_password):
            with self.subTest(end.__name__):
                self.guess(100)
                password = end()

                who = Visitor("203.0.113.9")
                self.sign_in(who, KNOWN, password)

                self.assert_in(who)

    def type_code(self) -> str:
        self.sign_in(self.visitor, KNOWN)
        self.send(self.visitor, CODE_PAGE, {"code": self.code_for(KNOWN)})
        return PASSWORD

    def choose_password(self) -> str:
        self.sign_in(self.known, KNOWN)
        fields = {"oldpassword": PASSWORD, "password1": NEW_PASSWORD, "password2": NEW_PASSWORD}
        self.send(self.known, "/account/password/", fields)
        return NEW_PASSWORD

    def test_codes_are_mailed_five_times_in_ten_minutes_at_most(self) -> None:
        self.guess(100)
        responses = [self.sign_in(Visitor(f"203.0.113.{index}"), KNOWN).status_code for index in range(6)]

        self.assertEqual(responses, [302] * 5 + [429])

    def test_who_signs_up_at_an_address_that_was_guessed_at_needs_no_second_code(self) -> None:
        self.guess(100, email=SIGN_UP["email"])
        self.send(self.visitor, "/sign-up/", SIGN_UP)
        self.send(self.visitor, "/sign-up/code/", {"code": self.code_for(SIGN_UP["email"])})

        self.assert_in(self.visitor)

    def test_the_history_says_how_they_came_in(self) -> None:
        self.guess(100)
        self.type_code()

        page = self.visitor.opens("/account/history/")

        self.assertContains(page, "password, code by mail")


@pytest.mark.claim("passwords")
class GuessingNoticeTests(GuessedAtTest):
    def test_the_owner_is_mailed_once_a_day_how_many_and_from_how_many_networks(self) -> None:
        self.guess(99)
        self.assertEqual(self.mails(), [])
        self.guess(101)

        [letter] = self.mails()

        self.assertIn("100 wrong passwords for your account came from 50 networks", letter)
        self.assertEqual(self.mails(), [])

    def test_a_day_later_they_are_mailed_again(self) -> None:
        self.guess(100)
        self.mails()
        with mock.patch("time.time", return_value=time.time() + wrong_passwords.WITHIN.total_seconds() + 1):
            self.guess(100, networks=1)

            [letter] = self.mails()

        self.assertIn("100 wrong passwords for your account came from 1 network,", letter)

    def test_it_is_written_in_their_language(self) -> None:
        for language, subject in (
            ("sv", "Någon försöker gissa ditt lösenord"),
            ("de", "Jemand versucht, Ihr Passwort zu erraten"),
        ):
            cache.clear()
            User.objects.filter(pk=self.owner.pk).update(language=language)
            self.guess(100)
            self.mails()
            self.assertEqual([letter.subject for letter in mail.outbox], [subject])

    def test_nobody_is_mailed_who_is_not_there(self) -> None:
        self.guess(100, email=UNKNOWN)
        self.guess(100)
        Client.objects.filter(users=self.owner).update(state=Client.State.GONE)

        self.assertEqual(self.mails(), [])
        self.assertEqual(mail.outbox, [])

    def test_a_mailbox_without_an_account_looks_and_costs_the_same(self) -> None:
        seen = []
        for email in (KNOWN, UNKNOWN):
            cache.clear()
            mail.outbox.clear()
            self.guess(99, email=email)
            who = Visitor("203.0.113.9")
            with mock.patch.object(wrong_passwords, "cache", wraps=cache) as calls:
                responses = [self.sign_in(who, email, "a wrong password") for _ in range(3)]
            pages = [(response.status_code, plain(response.content, email)) for response in responses]
            seen.append((pages, [call[0] for call in calls.mock_calls], list(mail.outbox)))

        self.assertEqual(seen[0], seen[1])
