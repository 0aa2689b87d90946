"""Commands of the operator: staff, owner recovery, the demo client."""

import io
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

from django.core import mail
from django.core.management import CommandError
from django.test import override_settings
from django.utils import timezone

from accounts.audit import client_log
from accounts.models import Client, HistoryEntry, OwnerRecovery, UsageDay, User
from accounts.staff import groups
from accounts.team import owner_recovery
from tests.base import PASSWORD, BaseTest
from tests.support.commands import run_command


class CreateStaffTests(BaseTest):
    def create(self, email: str, password: str, *options: str) -> str:
        with patch("sys.stdin", io.StringIO(password + "\n")):
            return run_command("create_staff", email, "--password-stdin", *options)

    def test_groups_are_created_and_assigned_by_commands(self) -> None:
        with self.assertRaisesMessage(CommandError, "sync_staff_groups"):
            self.create("lena@operator.example", PASSWORD, "--group", "lead")
        with self.assertRaisesMessage(CommandError, "Made the group lead."):
            run_command("sync_staff_groups", "--check")
        self.assertIn("lead may now auth.change_group.", run_command("sync_staff_groups"))
        self.assertIn("match the table", run_command("sync_staff_groups", "--check"))

        output = self.create("lena@operator.example", PASSWORD, "--group", "lead", "--group", "support")

        self.assertIn("in lead, support", output)
        self.assertEqual(groups.of(User.objects.get()), ["support", "lead"])
        self.assertIn("in no group yet", self.create("sten@operator.example", PASSWORD))

    def test_staff_belong_to_no_client_and_are_no_superusers(self) -> None:
        self.create("Sten@Operator.example", PASSWORD)

        user = User.objects.get(email="sten@operator.example")
        self.assertTrue(user.is_staff)
        self.assertFalse(user.is_superuser)
        self.assertIsNone(user.client)
        self.assertTrue(user.check_password(PASSWORD))

    def test_weak_password_or_bad_email_creates_nobody(self) -> None:
        self.create("sten@operator.example", PASSWORD)
        for email, password in (
            ("nina@operator.example", "password"),
            ("sten@operator.example", PASSWORD),
            ("not an address", PASSWORD),
        ):
            with self.subTest(email=email), self.assertRaises(CommandError):
                self.create(email, password)
        self.assertEqual(User.objects.count(), 1)


class RecoverOwnerTests(BaseTest):
    def setUp(self) -> None:
        super().setUp()
        self.client_of_vera = self.vera.client

    def request(self) -> OwnerRecovery:
        with self.captureOnCommitCallbacks(execute=True):
            run_command("recover_owner", "vera@example.com", reason="ticket 4711")
        return OwnerRecovery.objects.get()

    def test_everybody_at_the_client_is_mailed_and_can_cancel(self) -> None:
        self.request()

        recipients = {email for message in mail.outbox if "/recovery/" in message.body for email in message.to}
        self.assertEqual(recipients, {"alice@example.com", "vera@example.com"})

    def test_nothing_happens_before_72_hours(self) -> None:
        self.request()

        with self.assertRaisesMessage(CommandError, "Too early"):
            run_command("recover_owner", "vera@example.com")
        self.assertEqual(User.objects.get(email="vera@example.com").role, User.Role.MEMBER)

    def test_after_72_hours_the_user_is_an_owner_once(self) -> None:
        found = self.request()
        OwnerRecovery.objects.update(requested_at=timezone.now() - timedelta(hours=73))

        self.assertIn("is an owner now", run_command("recover_owner", "vera@example.com"))

        self.assertEqual(User.objects.get(email="vera@example.com").role, User.Role.OWNER)
        found.requested_at = timezone.now() - timedelta(hours=73)
        owner_recovery.execute(found)
        self.assertEqual(HistoryEntry.objects.filter(tag="owners.recovered").count(), 1)
        self.assertTrue(client_log.verify(self.client_of_vera).ok)

    def test_a_cancelled_request_is_over(self) -> None:
        found = self.request()
        owner_recovery.cancel(found)
        owner_recovery.cancel(found)

        self.assertEqual(HistoryEntry.objects.filter(tag="owners.recovery_cancelled").count(), 1)
        self.assertFalse(OwnerRecovery.objects.exists())

    def test_a_request_without_a_reason_or_for_nobody_is_refused(self) -> None:
        for email in ("vera@example.com", "nobody@example.com", "alice@example.com"):
            with self.subTest(email=email), self.assertRaises(CommandError):
                run_command("recover_owner", email, reason="" if email.startswith("vera") else "ticket")
        self.assertFalse(OwnerRecovery.objects.exists())


class DemoTests(BaseTest):
    def test_the_demo_is_made_once_with_two_users_and_a_month_of_usage(self) -> None:
        with TemporaryDirectory() as folder, override_settings(DATA_DIR=Path(folder)):
            first = run_command("create_demo")
            second = run_command("create_demo")
            self.assertEqual((Path(folder) / "demo_logins").stat().st_mode & 0o777, 0o600)

        self.assertEqual(first, second)
        client = Client.objects.get(is_demo=True)
        self.assertEqual(sorted(client.users.values_list("role", flat=True)), ["owner", "sub_user"])
        self.assertEqual(UsageDay.objects.filter(client=client).count(), 30)
        owner = client.users.get(role="owner")
        self.assertTrue(owner.check_password(first.splitlines()[0].split()[-1]))

    def test_production_refuses_it(self) -> None:
        with override_settings(EMBEDDED=False), self.assertRaises(CommandError):
            run_command("create_demo")
        self.assertFalse(Client.objects.exists())
