"""What the operator does with keys by command: warnings before they end, quotas, the demo's keys."""

from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

from django.core import mail
from django.core.mail import EmailMultiAlternatives
from django.core.management import CommandError
from django.test import override_settings
from django.utils import timezone

from accounts.actor import SYSTEM
from accounts.audit import client_log
from accounts.models import Client, User
from apikeys import keys, tokens
from apikeys.models import ApiKey
from tests.base import BaseTest
from tests.support.commands import run_command


class WarningTests(BaseTest):
    def ending(self, left: timedelta, **changed: object) -> ApiKey:
        """Return a key of Alice's that ends so soon."""
        key = ApiKey.objects.get(identifier=tokens.split(self.alice.key()).identifier)
        ApiKey.objects.filter(pk=key.pk).update(expires_at=timezone.now() + left, **changed)
        key.refresh_from_db()
        return key

    def warned(self, later: timedelta = timedelta(0)) -> int:
        """Run the timer, at a later time, and return how many mails it sent."""
        mail.outbox.clear()
        with self.captureOnCommitCallbacks(execute=True):
            keys.warn_expiring(timezone.now() + later)
        return len(mail.outbox)

    def test_owners_are_warned_at_30_7_and_1_days_each_once(self) -> None:
        self.ending(timedelta(days=40))
        days = [self.warned(timedelta(days=day)) for day in range(42) for _twice in range(2)]

        self.assertEqual([day // 2 for day, mails in enumerate(days) if mails], [10, 33, 39])
        self.assertEqual(sum(days), 3)

    def test_after_a_pause_only_the_most_urgent_warning_is_sent(self) -> None:
        self.ending(timedelta(hours=20))

        self.assertEqual(self.warned(), 1)
        self.assertEqual(self.warned(), 0)

    def test_the_mail_names_the_key_its_end_and_its_page_but_no_secret(self) -> None:
        key = self.ending(timedelta(days=6))
        self.warned()

        (sent,) = mail.outbox
        assert isinstance(sent, EmailMultiAlternatives)
        self.assertEqual(sent.to, ["alice@example.com"])
        self.assertIn(key.prefix, str(sent.subject))
        for part in (str(sent.body), str(sent.alternatives[0][0])):
            self.assertIn(f"/keys/{key.pk}/", part)
            self.assertIn("(UTC)", part)
            self.assertNotIn("Accounting", part)
            self.assertNotRegex(part, tokens.PATTERN)

    def test_every_active_owner_is_notified_and_nobody_else(self) -> None:
        self.ending(timedelta(days=6))
        self.vera  # noqa: B018 - she is there
        self.person("olga@example.com", client=self.alice.client, role=User.Role.OWNER, language="sv")
        self.person("olof@example.com", client=self.alice.client, role=User.Role.OWNER, is_active=False)

        self.warned()

        self.assertEqual(sorted(sent.to[0] for sent in mail.outbox), ["alice@example.com", "olga@example.com"])

    def test_a_key_that_needs_nothing_is_left_alone(self) -> None:
        self.ending(timedelta(days=31))
        self.ending(timedelta(days=-1))
        self.ending(timedelta(days=3), revoked_at=timezone.now())
        keys.rotate(self.ending(timedelta(days=3)), timedelta(days=7), by=self.alice.actor)
        ApiKey.objects.filter(replaces__isnull=False).update(expires_at=timezone.now() + timedelta(days=90))

        self.assertEqual(self.warned(), 0)

    def test_the_demo_and_inactive_clients_are_not_mailed(self) -> None:
        self.ending(timedelta(days=3))
        for changed in ({"is_demo": True}, {"is_demo": False, "state": Client.State.SUSPENDED}):
            Client.objects.update(**changed)
            self.assertEqual(self.warned(), 0)

    def test_a_later_end_is_warned_of_again(self) -> None:
        key = self.ending(timedelta(days=3))
        self.warned()
        draft = keys.Draft("Accounting", ("validate",), timezone.now() + timedelta(days=40))
        keys.edit(key, draft, by=self.alice.actor)

        self.assertEqual(self.warned(), 0)
        self.assertEqual(self.warned(timedelta(days=11)), 1)

    def test_the_command_says_how_many(self) -> None:
        self.ending(timedelta(days=3))
        self.ending(timedelta(days=20))

        self.assertEqual(run_command("warn_expiring_keys"), "Owners were mailed about 2 keys.\n")
        self.assertEqual(run_command("warn_expiring_keys"), "Owners were mailed about 0 keys.\n")


class QuotaTests(BaseTest):
    def test_a_quota_is_set_by_id_or_by_an_owners_e_mail_address(self) -> None:
        client = self.alice.client
        with self.captureOnCommitCallbacks(execute=True):
            output = run_command("set_quota", str(client.pk), "25000")
        self.assertEqual(output, f"The quota of {client.pk} is 25000 checks per month; it was 10000.\n")
        run_command("set_quota", "Alice@Example.com", "50000")

        client.refresh_from_db()
        self.assertEqual(client.monthly_quota, 50_000)
        entry = client_log.open_entries(client, client_log.entries(client, tag="quota.changed"))[0]
        self.assertEqual((entry.details["old"], entry.details["new"]), ("25000", "50000"))
        self.assertEqual([sent.to for sent in mail.outbox], [["alice@example.com"]])

    def test_the_same_again_records_nothing(self) -> None:
        run_command("set_quota", str(self.alice.client.pk), "10000")

        self.assertFalse(client_log.entries(self.alice.client).exists())

    def test_nobody_and_nonsense_are_refused(self) -> None:
        for who, units in (
            (str(uuid4()), "1"),
            ("nobody@example.com", "1"),
            (self.vera.user.email, "1"),
            (self.sten.user.email, "1"),
            (str(self.alice.client.pk), "-1"),
            (str(self.alice.client.pk), "2000000001"),
        ):
            with self.subTest(who=who, units=units), self.assertRaises(CommandError):
                run_command("set_quota", who, units)


class DemoKeyTests(BaseTest):
    def setUp(self) -> None:
        super().setUp()
        folder = TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        patched = override_settings(DATA_DIR=self.folder)
        patched.enable()
        self.addCleanup(patched.disable)

    def test_the_demo_has_a_live_and_a_test_key_and_a_first_call(self) -> None:
        first = run_command("create_demo")

        self.assertEqual(run_command("create_demo"), first)
        live, test = ApiKey.objects.filter(client__is_demo=True).order_by("is_test")
        self.assertRegex(first, rf"\n  live key  {live.prefix}_\w{{49}}\n  test key  {test.prefix}_\w{{49}}\n")
        self.assertIn("  curl http://localhost:8000/api/v1/validate -H 'Authorization: Bearer ibanse_live_", first)
        self.assertEqual((self.folder / "demo_keys").stat().st_mode & 0o777, 0o600)

    def test_a_key_that_was_revoked_is_created_again(self) -> None:
        first = run_command("create_demo")
        live = ApiKey.objects.get(is_test=False)
        keys.revoke(live, by=SYSTEM)

        second = run_command("create_demo")

        self.assertNotIn(live.prefix, second)
        self.assertEqual(first.splitlines()[3], second.splitlines()[3])

    def test_a_new_demo_client_gets_keys_of_its_own(self) -> None:
        run_command("create_demo")
        Client.objects.all().delete()

        run_command("create_demo")

        self.assertEqual(ApiKey.objects.filter(client__is_demo=True).count(), 2)

    def test_production_has_no_demo(self) -> None:
        with override_settings(EMBEDDED=False), self.assertRaises(CommandError):
            run_command("create_demo")
