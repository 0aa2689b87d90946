"""Users: the e-mail address is the name, case-insensitively."""

import uuid

from django.contrib.auth import get_user_model
from django.db import IntegrityError, transaction

from tests.base import BaseTest

User = get_user_model()


class UserTests(BaseTest):
    def test_the_key_says_nothing_about_the_user(self) -> None:
        user = User.objects.create_user("alice@example.com")

        self.assertEqual(uuid.UUID(str(user.pk)).version, 4)

    def test_emails_are_compared_ignoring_case(self) -> None:
        User.objects.create_user("Alice@Example.com")

        self.assertEqual(User.objects.get_by_natural_key("ALICE@example.COM").email, "alice@example.com")
        with self.assertRaises(IntegrityError), transaction.atomic():
            User.objects.create(email="ALICE@EXAMPLE.COM")

    def test_without_a_password_nobody_can_sign_in_with_one(self) -> None:
        self.assertFalse(User.objects.create_user("vera@example.com").has_usable_password())

    def test_a_user_needs_an_address(self) -> None:
        with self.assertRaises(ValueError):
            User.objects.create_user("  ")
