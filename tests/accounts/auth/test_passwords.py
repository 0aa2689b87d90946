"""Passwords: what is refused, how they are stored, changed and reset."""

import pytest
from django.conf import settings
from django.contrib.auth.password_validation import CommonPasswordValidator, validate_password
from django.core import mail
from django.core.exceptions import ValidationError
from django.test import override_settings

from accounts.actor import SYSTEM
from accounts.models import User
from accounts.profile import details
from ibanse import settings as ours
from tests.base import PASSWORD, Visitor
from tests.support.entrance import NEW_PASSWORD, SignInTest

pytestmark = pytest.mark.claim("passwords")

FORGOTTEN = "/sign-in/forgotten/"


class PasswordRuleTests(SignInTest):
    def test_argon2id_comes_first(self) -> None:
        with override_settings(PASSWORD_HASHERS=ours.PASSWORD_HASHERS):
            user = User.objects.create_user("olga@example.com", PASSWORD)

        self.assertTrue(user.password.startswith("argon2$argon2id$"), user.password[:20])

    def test_short_common_and_obvious_passwords_are_refused(self) -> None:
        user = self.member("olga.petersson@example.com")
        assert user.client is not None
        details.save_contact(user.client, details.Contact(company="Petersson Bygg AB"), by=SYSTEM)
        for password, code in (
            ("elevenchars", "password_too_short"),
            ("1234567891011", "password_too_common"),
            ("olga.petersson", "password_too_similar"),
            ("Petersson Bygg", "password_too_similar"),
        ):
            with self.subTest(password):
                with self.assertRaises(ValidationError) as caught:
                    validate_password(password, user)
                self.assertIn(code, [error.code for error in caught.exception.error_list])

        validate_password("four wild geese over Skåne", user)
        validate_password("🦆" * 12, user)

    def test_the_list_of_common_passwords_is_long_and_at_hand(self) -> None:
        self.assertGreater(len(CommonPasswordValidator().passwords), 19_000)
        self.assertNotIn("http", str(settings.AUTH_PASSWORD_VALIDATORS))


class PasswordChangeTests(SignInTest):
    def setUp(self) -> None:
        super().setUp()
        self.owner = self.member("olga@example.com")
        self.here = self.enter(self.owner)
        self.there = self.enter(self.owner)
        self.fields = {"oldpassword": PASSWORD, "password1": NEW_PASSWORD, "password2": NEW_PASSWORD}

    @pytest.mark.claim("sessions_end")
    def test_a_new_password_ends_the_other_sessions_is_recorded_and_mailed(self) -> None:
        self.send(self.here, "/account/password/", self.fields)

        self.assert_in(self.here)
        self.assert_out(self.there)
        self.assert_tags(self.owner, "users.password_changed")
        self.assertIn("The password was changed", mail.outbox[-1].subject)
        self.assertNotIn(NEW_PASSWORD, str(mail.outbox[-1].body))
        self.assertEqual(self.sign_in(Visitor(), self.owner.email).status_code, 200)
        self.assertEqual(self.sign_in(Visitor(), self.owner.email, NEW_PASSWORD).status_code, 302)

    def test_without_the_present_password_nothing_changes(self) -> None:
        response = self.send(self.here, "/account/password/", {**self.fields, "oldpassword": "something else"})

        self.assertContains(response, "This is not your current password.")
        self.assert_in(self.there)
        self.assertEqual(mail.outbox, [])

    def test_a_weak_one_is_refused_at_its_field(self) -> None:
        response = self.send(
            self.here, "/account/password/", {**self.fields, "password1": "short", "password2": "short"}
        )

        self.assertContains(response, 'id="id_password1_error"')
        self.assertContains(response, "at least 12 characters")

    def test_somebody_without_a_password_sets_a_first_one(self) -> None:
        self.owner.set_unusable_password()
        self.owner.save()
        self.here.browser.force_login(self.owner)

        self.assertRedirects(self.here.opens("/account/password/"), "/account/password/first/")
        self.send(self.here, "/account/password/first/", {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD})

        self.assertEqual(self.sign_in(Visitor(), self.owner.email, NEW_PASSWORD).status_code, 302)


class ForgottenPasswordTests(SignInTest):
    def setUp(self) -> None:
        super().setUp()
        self.owner = self.member("olga@example.com")
        self.elsewhere = self.enter(self.owner)

    def test_the_mailed_code_opens_the_way_to_a_new_password(self) -> None:
        self.assertRedirects(self.send(self.visitor, FORGOTTEN, {"email": "Olga@Example.com"}), f"{FORGOTTEN}code/")
        response = self.send(self.visitor, f"{FORGOTTEN}code/", {"code": self.code_for(self.owner.email)})
        self.assertRedirects(response, f"{FORGOTTEN}password/")
        fields = {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD}
        self.assertRedirects(self.send(self.visitor, f"{FORGOTTEN}password/", fields), f"{FORGOTTEN}done/")

        self.assert_out(self.elsewhere)
        self.assert_out(self.visitor)
        self.assert_tags(self.owner, "users.password_changed")
        self.assertEqual(self.sign_in(self.visitor, self.owner.email, NEW_PASSWORD).status_code, 302)

    def test_three_wrong_codes_end_it(self) -> None:
        self.send(self.visitor, FORGOTTEN, {"email": self.owner.email})
        for _ in range(3):
            self.send(self.visitor, f"{FORGOTTEN}code/", {"code": "BBBB-BBBB"})

        response = self.send(self.visitor, f"{FORGOTTEN}code/", {"code": self.code_for(self.owner.email)})
        self.assertRedirects(response, "/sign-in/")

    def test_nobody_skips_the_code(self) -> None:
        self.send(self.visitor, FORGOTTEN, {"email": self.owner.email})

        self.assertRedirects(self.visitor.opens(f"{FORGOTTEN}password/"), f"{FORGOTTEN}code/")
        self.assertRedirects(Visitor().opens(f"{FORGOTTEN}password/"), FORGOTTEN)

    def test_an_unknown_address_learns_it_by_mail_only(self) -> None:
        self.send(self.visitor, FORGOTTEN, {"email": "nobody@example.com"})

        [letter] = mail.outbox
        self.assertIn("There is no account with it.", str(letter.body))

    def test_one_mailbox_is_not_flooded(self) -> None:
        for host in range(8):
            self.send(Visitor(f"198.51.100.{host}"), FORGOTTEN, {"email": self.owner.email})

        self.assertEqual(len(mail.outbox), 5)
