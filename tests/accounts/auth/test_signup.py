"""Sign-up: nothing is stored before the e-mail address is verified."""

from datetime import timedelta
from unittest import mock

from allauth.account.models import EmailAddress
from django.core import mail
from django.core.mail import EmailMultiAlternatives
from django.test import override_settings

from accounts.audit import client_log
from accounts.auth import codes
from accounts.models import Client, User
from accounts.profile import details
from tests.support.entrance import NEW_PASSWORD, SIGN_UP, SignInTest

EMAIL = SIGN_UP["email"]


class SignUpTests(SignInTest):
    def test_a_company_signs_up_and_its_owner_is_in(self) -> None:
        response = self.send(self.visitor, "/sign-up/", SIGN_UP)
        self.assertRedirects(response, "/sign-up/code/")

        response = self.send(self.visitor, "/sign-up/code/", {"code": self.code_for(EMAIL)})

        self.assertRedirects(response, "/overview/")
        owner = User.objects.get(email=EMAIL)
        self.assertEqual((owner.role, owner.language, owner.check_password(NEW_PASSWORD)), ("owner", "en", True))
        self.assert_in(self.visitor)
        self.assertEqual(details.contact(self.client_of(owner)).company, "Newcomer AB")
        self.assert_tags(owner, "client.created", "terms.accepted", "contact.changed", "users.signed_in")
        [accepted] = client_log.open_entries(
            self.client_of(owner), client_log.entries(self.client_of(owner), tag="terms.accepted")
        )
        self.assertIn("version", accepted.details)

    def test_nothing_is_stored_before_the_address_is_verified(self) -> None:
        self.send(self.visitor, "/sign-up/", SIGN_UP)

        self.assertFalse(User.objects.exists())
        self.assertFalse(Client.objects.exists())
        self.assertFalse(EmailAddress.objects.exists())
        self.assert_out(self.visitor)

    def test_a_code_typed_without_dash_and_in_small_letters_is_right(self) -> None:
        self.send(self.visitor, "/sign-up/", SIGN_UP)

        self.send(self.visitor, "/sign-up/code/", {"code": f" {self.code_for(EMAIL).replace('-', ' ').lower()} "})

        self.assert_in(self.visitor)

    def test_five_wrong_codes_end_it(self) -> None:
        self.send(self.visitor, "/sign-up/", SIGN_UP)
        for _ in range(codes.MAX_TRIES - 1):
            response = self.send(self.visitor, "/sign-up/code/", {"code": "BBBB-BBBB"})
            self.assertContains(response, "Wrong code.", status_code=422)
        self.assertRedirects(self.send(self.visitor, "/sign-up/code/", {"code": "BBBB-BBBB"}), "/sign-up/")

        self.assertRedirects(self.send(self.visitor, "/sign-up/code/", {"code": self.code_for(EMAIL)}), "/sign-up/")
        self.assertFalse(User.objects.exists())

    def test_a_code_is_void_after_fifteen_minutes(self) -> None:
        self.send(self.visitor, "/sign-up/", SIGN_UP)
        code = self.code_for(EMAIL)
        with mock.patch.object(codes, "VALID_FOR", timedelta(seconds=-1)):
            self.assertRedirects(self.send(self.visitor, "/sign-up/code/", {"code": code}), "/sign-up/")

        self.assertFalse(User.objects.exists())

    def test_a_code_works_in_no_other_browser(self) -> None:
        self.send(self.visitor, "/sign-up/", SIGN_UP)
        other_browser = type(self.visitor)()

        self.assertRedirects(self.send(other_browser, "/sign-up/code/", {"code": self.code_for(EMAIL)}), "/sign-up/")

    def test_another_code_can_be_sent_three_times_and_voids_the_one_before(self) -> None:
        self.send(self.visitor, "/sign-up/", SIGN_UP)
        first = self.code_for(EMAIL)
        for _ in range(codes.MAX_RESENDS + 1):
            self.send(self.visitor, "/sign-up/code/", {"resend": "1"})
        self.assertEqual(len(mail.outbox), 1 + codes.MAX_RESENDS)

        self.assertEqual(self.send(self.visitor, "/sign-up/code/", {"code": first}).status_code, 422)
        self.send(self.visitor, "/sign-up/code/", {"code": self.code_for(EMAIL)})
        self.assert_in(self.visitor)

    def test_two_browsers_with_one_address_make_one_account(self) -> None:
        other = type(self.visitor)()
        found = []
        for who in (self.visitor, other):
            self.send(who, "/sign-up/", SIGN_UP)
            found.append(self.code_for(EMAIL))
        self.send(self.visitor, "/sign-up/code/", {"code": found[0]})

        self.assertRedirects(self.send(other, "/sign-up/code/", {"code": found[1]}), "/sign-up/")
        self.assertEqual(User.objects.count(), 1)
        self.assertEqual(Client.objects.count(), 1)

    def test_a_field_too_many_gives_nobody_a_right(self) -> None:
        extra = {"role": "owner", "is_staff": "1", "is_superuser": "1", "client": "1", "user_limit": "999"}
        self.send(self.visitor, "/sign-up/", {**SIGN_UP, **extra})
        self.send(self.visitor, "/sign-up/code/", {"code": self.code_for(EMAIL), **extra})

        owner = User.objects.get(email=EMAIL)
        self.assertFalse(owner.is_staff or owner.is_superuser)
        self.assertEqual(self.client_of(owner).user_limit, 25)

    def test_a_form_with_a_mistake_says_so_at_the_field_and_mails_nobody(self) -> None:
        cases = {
            "email": ("not an address", "Enter a valid email address."),
            "company": ("A" * 10_000, "at most 100 characters"),
            "password1": ("short", "at least 12 characters"),
            "password2": ("another password than above", "do not match"),
            "terms": ("", "An account cannot be created without it"),
        }
        for field, (value, message) in cases.items():
            with self.subTest(field):
                response = self.send(self.visitor, "/sign-up/", {**SIGN_UP, field: value})
                self.assertContains(response, message, status_code=422)
                self.assertContains(response, f'id="id_{field}_error"', status_code=422)
                self.assertContains(response, f"id_{field}_error", count=2, status_code=422)

        self.assertEqual(mail.outbox, [])

    def test_a_hostile_company_name_is_refused_or_shown_as_text(self) -> None:
        for name in ("Turn \u202e around", "Line\nbreak", "\x00"):
            self.assertEqual(self.send(self.visitor, "/sign-up/", {**SIGN_UP, "company": name}).status_code, 422, name)

        html = {**SIGN_UP, "company": "<script>alert(1)</script>", "password2": "another"}
        self.assertNotContains(self.send(self.visitor, "/sign-up/", html), "<script>alert", status_code=422)

    def test_the_mail_has_text_and_html_a_code_and_no_picture(self) -> None:
        self.send(self.visitor, "/sign-up/", SIGN_UP)

        [letter] = mail.outbox
        self.assertEqual(letter.subject, "Your code to sign up")
        assert isinstance(letter, EmailMultiAlternatives)
        [(html, kind)] = letter.alternatives
        self.assertEqual(kind, "text/html")
        self.assertIn(self.code_for(EMAIL), str(html))
        self.assertNotIn("<img", str(html))
        self.assertNotIn(NEW_PASSWORD, str(letter.body) + str(html))

    def client_of(self, user: User) -> Client:
        assert user.client is not None
        return user.client


class ClosedSignUpTests(SignInTest):
    def test_sign_up_can_be_closed(self) -> None:
        for value, text in (("closed", "Sign-up is closed"), ("invite", "Sign-up is by invitation only")):
            with self.subTest(value), override_settings(SIGNUP=value):
                self.assertContains(self.visitor.opens("/sign-up/"), text)
                self.send(self.visitor, "/sign-up/", SIGN_UP)
                self.assertNotContains(self.visitor.opens("/"), "/sign-up/")

        self.assertEqual(mail.outbox, [])


class LegalPageTests(SignInTest):
    def test_without_an_operator_the_gaps_are_marked(self) -> None:
        for path in ("/terms/", "/privacy/"):
            self.assertContains(self.visitor.opens(path), "set IBANSE_OPERATOR_NAME")

    @override_settings(OPERATOR_NAME="Check & Co AB", OPERATOR_ADDRESS="Storgatan 1, Lund")
    def test_the_operator_stands_in_both(self) -> None:
        for path in ("/terms/", "/privacy/"):
            page = self.visitor.opens(path)
            self.assertContains(page, "Check &amp; Co AB, Storgatan 1, Lund")
            self.assertNotContains(page, "placeholder")
