"""Expired data is deleted everywhere, in chunks, also after a kill half-way."""

import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from io import StringIO
from typing import Final

import pytest
from allauth.account.models import EmailAddress, EmailConfirmation
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.utils import timezone

from accounts import audit, batch
from accounts.actor import Actor
from accounts.audit import client_log
from accounts.audit.events import AuditEvent
from accounts.guard.models import Block
from accounts.models import HistoryDetail, Invitation, UsageDay
from accounts.usage import counts as usage_counts
from apikeys.models import ApiKey, KeyUsageDay, QuotaMonth
from privacy.check_logging import mode
from privacy.check_logging.mode import Choice
from privacy.inventory import registry
from privacy.models import Mode
from privacy.retention import pruning
from tests.base import BaseTest
from tests.support import services
from tests.support.production import Production
from tests.support.programs import expiry
from validation.models import ValidationRecord

pytestmark = pytest.mark.claim("retention")

NOW: Final = datetime(2026, 7, 24, 12, tzinfo=UTC)
"""Then the oldest retained counts are of 1 July 2024."""


class RetentionTests(BaseTest):
    def prunes(self, now: datetime = NOW) -> dict[str, int]:
        return dict(pruning.prune(now))

    def test_a_check_is_deleted_after_its_last_day(self) -> None:
        for ends in (date(2026, 7, 23), date(2026, 7, 24), date(2026, 7, 25)):
            self.record(ends)

        self.assertEqual(self.prunes()["checks"], 1)

        left = ValidationRecord.objects.values_list("expires_on", flat=True)
        self.assertEqual(sorted(left), [date(2026, 7, 24), date(2026, 7, 25)])

    def test_full_ip_addresses_are_deleted_after_seven_days(self) -> None:
        client = self.alice.client
        entry = audit.record(AuditEvent.CONTACT_CHANGED, client=client, by=Actor(ip_address="192.0.2.7"))

        self.assertEqual(self.prunes(entry.at + timedelta(days=7))["history addresses"], 0)
        self.assertEqual(self.prunes(entry.at + timedelta(days=7, seconds=1))["history addresses"], 1)

        detail = HistoryDetail.objects.get()
        self.assertEqual((bytes(detail.sealed_address), bool(detail.sealed)), (b"", True))
        self.assertTrue(client_log.verify(client).ok)

    def test_ended_sessions_are_deleted_and_active_ones_remain(self) -> None:
        self.alice.opens("/overview/")
        Session.objects.create(session_key="over", session_data="", expire_date=timezone.now() - timedelta(hours=1))
        UserSession.objects.create(user=self.vera.user, session_key="x", ip="192.0.2.7", user_agent="", data={})
        UserSession.objects.filter(session_key="x").update(last_seen_at=timezone.now() - timedelta(hours=13))

        self.assertEqual(self.prunes(timezone.now())["sessions"], 1)

        self.assertFalse(UserSession.objects.filter(session_key="x").exists())
        self.assertEqual(self.alice.opens("/overview/").status_code, 200)

    def test_an_invitation_is_deleted_thirty_days_after_its_end(self) -> None:
        for days in (29, 31):
            Invitation.objects.create(
                client=self.alice.client, email=f"{days}@example.com", expires_at=NOW - timedelta(days=days)
            )

        self.assertEqual(self.prunes()["invitations"], 1)
        self.assertEqual(Invitation.objects.get().email, "29@example.com")

    def test_a_confirmation_is_deleted_with_its_link(self) -> None:
        address = EmailAddress.objects.create(user=self.alice.user, email="alice@example.com")
        for days in (2, 4):
            EmailConfirmation.objects.create(email_address=address, sent=NOW - timedelta(days=days), key=str(days))

        self.assertEqual(self.prunes()["confirmations"], 1)

    def test_counts_are_retained_for_25_months(self) -> None:
        client = self.alice.client
        self.alice.key()
        key = ApiKey.objects.get()
        for day in (date(2024, 6, 30), date(2024, 7, 1)):
            UsageDay.objects.create(client=client, day=day, source="page")
            KeyUsageDay.objects.create(key=key, day=day)
            QuotaMonth.objects.create(client=client, month=day.replace(day=1))

        pruned = self.prunes()

        self.assertEqual([pruned[name] for name in ("usage", "usage of keys", "quotas")], [1, 1, 1])
        for counts in (UsageDay.objects, KeyUsageDay.objects):
            self.assertEqual(counts.values_list("day", flat=True).get(), date(2024, 7, 1))

    def test_the_oldest_retained_day_is_the_first_of_a_month(self) -> None:
        for now, since in (
            (datetime(2026, 1, 31, 23, tzinfo=UTC), date(2024, 1, 1)),
            (datetime(2026, 12, 1, tzinfo=UTC), date(2024, 12, 1)),
        ):
            self.assertEqual(usage_counts.retained_since(now), since)

    def test_an_ended_key_is_deleted_after_its_last_count(self) -> None:
        start = datetime(2024, 7, 1, tzinfo=UTC)
        for name, end in (("old", start - timedelta(seconds=1)), ("young", start), ("in use", NOW)):
            self.alice.key(name=name)
            ApiKey.objects.filter(expires_at__gt=timezone.now()).update(expires_at=end)

        self.assertEqual(self.prunes()["ended keys"], 1)
        self.assertEqual(ApiKey.objects.count(), 2)

    def test_a_block_is_deleted_thirty_days_after_its_end(self) -> None:
        for number, end in enumerate((NOW - timedelta(days=31), NOW - timedelta(days=29), None)):
            Block.objects.create(network=f"192.0.2.{number}/32", expires_at=end)

        self.assertEqual(self.prunes()["blocks"], 1)
        self.assertEqual(Block.objects.count(), 2)

    def test_pending_reductions_are_continued(self) -> None:
        self.record(date(2999, 1, 1))
        choice = Choice(Mode.OFF)
        mode.choose(self.alice.client, choice, by=self.alice.actor, covers_older=True)

        self.assertEqual(self.prunes(timezone.now())["reduced checks"], 1)
        self.assertEqual(registry.logged(self.alice.client)[Mode.VERDICT], 0)

    def test_each_chunk_is_a_transaction(self) -> None:
        ValidationRecord.objects.bulk_create(self.unsaved(date(2026, 7, 1)) for _ in range(2_500))

        with self.assertNumQueries(3 * 4):  # The transaction's beginning, rows found, rows deleted, its end.
            done = batch.delete(ValidationRecord.objects.filter(expires_on__lt=NOW.date()))

        self.assertEqual(done, 2_500)

    def test_a_second_run_does_nothing(self) -> None:
        self.record(date(2026, 7, 1))
        self.prunes()

        self.assertEqual(set(self.prunes().values()), {0})

    def test_the_command_prints_how_much_was_deleted(self) -> None:
        self.record(date(2026, 7, 1))
        output = StringIO()

        call_command("prune_expired", stdout=output)

        self.assertIn("        1 checks\n", output.getvalue())

    def unsaved(self, ends: date) -> ValidationRecord:
        return ValidationRecord(
            client=self.alice.client, at=NOW - timedelta(days=60), expires_on=ends, source="api", is_valid=True
        )

    def record(self, ends: date) -> None:
        self.unsaved(ends).save()


class TestKilled:
    def test_after_a_kill_the_next_run_continues(self, production: Production) -> None:
        client_id = production.run(expiry.create_records, 9_500, 1_500)

        with pytest.raises(subprocess.CalledProcessError) as killed:
            production.run(expiry.prune_killed_in_fourth_chunk)
        assert killed.value.returncode == -9
        assert production.run(expiry.count_records, client_id) == 11_000 - 3 * batch.ROWS

        output = subprocess.run(
            [sys.executable, "manage.py", "prune_expired"],
            cwd=services.ROOT, env=production.environment, capture_output=True, text=True, check=True,
        ).stdout  # fmt: skip
        assert "6,500 checks" in output
        assert production.run(expiry.count_records, client_id) == 1_500
