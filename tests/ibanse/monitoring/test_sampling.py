"""Metrics: what is measured and counted, hour by hour, and that it names nobody."""

import json
import socket
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch
from uuid import uuid4

from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import Error, OperationalError
from django.test import override_settings
from django.utils import timezone

from accounts import counters
from accounts.counters import hour_of
from accounts.models import Client, Metric
from accounts.team import invitations
from apikeys.models import ApiKey, KeyUsageDay
from ibanse import scheduler
from ibanse.monitoring import sampling
from ibanse.monitoring.collectors import MetricSample, apikeys, host
from ibanse.monitoring.series import HOUR, RETENTION
from privacy.models import ContactMessage, DeletionRequest
from tests.base import BaseTest
from tests.support.entrance import SignInTest
from validation.recording import spool

NOON = datetime(2026, 11, 26, 12, 3, tzinfo=UTC)


def values(name: str) -> dict[str, int]:
    """Return the values of a metric, by their part."""
    return dict(Metric.objects.filter(name=name).order_by("at").values_list("part", "value"))


class CollectionTests(BaseTest):
    def test_the_last_value_of_an_hour_stays_and_the_next_hour_has_its_own(self) -> None:
        sampling.collect(NOON)
        Client.objects.create()
        sampling.collect(NOON + timedelta(minutes=5))
        sampling.collect(NOON + HOUR)

        rows = Metric.objects.filter(name="clients", part="active").order_by("at")
        self.assertEqual(
            [(row.at, row.value, row.taken_at) for row in rows],
            [
                (hour_of(NOON), 1, NOON + timedelta(minutes=5)),
                (hour_of(NOON) + HOUR, 1, NOON + HOUR),
            ],
        )

    def test_every_collector_is_called_and_nothing_names_a_client(self) -> None:
        self.alice.client.state = Client.State.SUSPENDED
        self.alice.client.save()
        ContactMessage.objects.create(subject="other", sealed=b"sealed")
        request = {"client": self.alice.client, "scope": "log", "requested_by": self.alice.user}
        DeletionRequest.objects.create(**request, due_at=NOON - timedelta(hours=2))
        DeletionRequest.objects.create(**request, due_at=NOON + timedelta(days=2))

        self.assertEqual(sampling.collect(NOON), [])

        self.assertEqual(values("clients"), {"active": 0, "suspended": 1, "closing": 0, "gone": 0})
        self.assertEqual(values("mails"), {"": 1})
        self.assertEqual(values("deletions"), {"waiting": 1, "overdue": 1})
        self.assertEqual(values("jobs"), {"exports": 0})
        self.assertTrue(all(size > 0 for size in values("database").values()))
        self.assertEqual(set(values("free_share")), {"exports", "logs", "spool"})
        self.assertTrue(all(0 <= share <= 100 for share in values("free_share").values()))
        of_nodes = set(Metric.objects.exclude(node="").values_list("name", "node"))
        self.assertEqual(of_nodes, {(name, socket.gethostname()) for name in ("free", "free_share", "spool")})
        stored = json.dumps(list(Metric.objects.values_list("name", "part", "value")))
        self.assertNotIn(str(self.alice.client.pk), stored)

    def test_a_collector_that_fails_is_named_and_does_not_stop_the_others(self) -> None:
        failing = patch(
            "ibanse.monitoring.collectors.privacy.messages.unmailed", side_effect=OperationalError("secret text")
        )
        with failing, self.assertRaises(CommandError) as failure:
            call_command("collect_metrics")

        self.assertEqual(str(failure.exception), "Not measured: mails (OperationalError). Everything else was.")
        self.assertEqual(values("mails"), {})
        self.assertEqual(set(values("deletions")), {"waiting", "overdue"})

    def test_metrics_are_deleted_after_ninety_days(self) -> None:
        for age in (RETENTION + HOUR, RETENTION - HOUR):
            sampling.collect(NOON - age)

        self.assertGreater(dict(scheduler.prune(NOON))["metrics"], 0)

        self.assertEqual(set(Metric.objects.values_list("at", flat=True)), {hour_of(NOON - RETENTION + HOUR)})


class CallMetricsTests(BaseTest):
    def used(self, key: ApiKey, day: datetime, calls: int) -> None:
        KeyUsageDay.objects.update_or_create(key=key, day=day.date(), defaults={"calls": calls})
        ApiKey.objects.filter(pk=key.pk).update(last_used_on=day.date())

    def test_calls_are_a_daily_total_whose_last_minutes_are_added_after_midnight(self) -> None:
        self.alice.key()
        key = ApiKey.objects.get()
        late = NOON.replace(hour=23, minute=56)
        self.used(key, NOON, 40)
        sampling.collect(late)
        self.used(key, NOON, 50)

        sampling.collect(late + timedelta(minutes=5))

        rows = Metric.objects.filter(name="calls").order_by("at").values_list("at", "value")
        self.assertEqual(list(rows), [(hour_of(late), 50), (hour_of(late) + HOUR, 0)])

    def test_days_long_past_are_not_searched(self) -> None:
        self.alice.key()
        key = ApiKey.objects.get()
        self.used(key, NOON - timedelta(days=300), 7)
        self.used(key, NOON, 3)

        self.assertEqual([sample.value for sample in apikeys.calls(NOON)], [3])


class EventCounterTests(SignInTest):
    def test_refused_calls_are_counted_by_code_and_hour_and_answered_ones_are_not(self) -> None:
        key = self.alice.key()
        for token in (None, None, "nonsense", key):
            self.calls(token, "/api/v1/validate", {"iban": "SE4550000000058398257466"})
        sampling.collect(timezone.now())
        counters.flush()
        self.calls(None, "/api/v1/validate", {})
        counters.flush()

        self.assertEqual(values("refused"), {"": 0, "key_missing": 3, "key_malformed": 1})

    def test_what_could_not_be_written_is_written_the_next_time(self) -> None:
        counters.count("refused", "rate_limited")
        with patch("accounts.usage.upsert.add", side_effect=OperationalError), self.assertRaises(Error):
            counters.flush()
        counters.count("refused", "rate_limited")

        counters.flush()
        counters.flush()

        self.assertEqual(values("refused"), {"rate_limited": 2})

    def test_failed_sign_ins_are_counted_without_naming_anybody(self) -> None:
        self.member("olga@example.com")
        self.sign_in(self.visitor, "olga@example.com", "wrong password, once more")
        self.sign_in(self.visitor, "nobody@example.com")
        with override_settings(ACCOUNT_RATE_LIMITS={**settings.ACCOUNT_RATE_LIMITS, "login_failed": "1/h/key"}):
            for _ in range(2):
                self.sign_in(self.visitor, "olga@example.com", "wrong password, once more")
        self.sign_in(self.visitor, "olga@example.com")

        counters.flush()

        self.assertEqual(values("sign_ins"), {"password": 3, "limited": 1})


class UnsentMailTests(BaseTest):
    def test_a_mail_that_the_server_refuses_is_counted_without_naming_anybody(self) -> None:
        with (
            patch("django.core.mail.EmailMultiAlternatives.send", side_effect=OSError),
            self.assertLogs("accounts.mail"),
            self.captureOnCommitCallbacks(execute=True),
        ):
            invitations.invite(self.alice.client, "nina@example.com", by=self.alice.actor)

        # Nina's, and the one to the owner.
        self.assertEqual(values("unsent"), {"action": 1, "invitation": 1})


class SpoolBacklogTests(BaseTest):
    def test_records_that_are_not_in_the_database_count_also_those_of_dead_processes(self) -> None:
        with TemporaryDirectory() as folder, override_settings(SPOOL_DIR=Path(folder)):
            living = spool.create(Path(folder))
            living.append(b'["not written yet"]\n')
            (Path(folder) / f"{uuid4()}.spool").write_bytes(b"[]\n" + bytes(100))
            (Path(folder) / "notes.txt").write_bytes(b"not ours")

            sampling.collect(NOON)
            living.close()

        self.assertEqual(values("spool"), {"": len(b'["not written yet"]\n') + 3})


class HostTests(BaseTest):
    def backup(self, text: str | None) -> list[MetricSample]:
        with TemporaryDirectory() as folder, override_settings(BACKUP_STAMP=Path(folder) / "backups.json"):
            if text is not None:
                (Path(folder) / "backups.json").write_text(text, encoding="ascii")
            return list(host.last_backup(NOON))

    def test_a_backup_is_as_old_as_the_older_of_its_halves(self) -> None:
        stamps = {"main": "2026-11-26T11:03:00+00:00", "keyring": "2026-11-26T12:03:00+01:00"}

        self.assertEqual([sample.value for sample in self.backup(json.dumps(stamps))], [3600])

    def test_without_both_halves_there_is_no_value(self) -> None:
        self.assertEqual(self.backup(None), [])
        self.assertEqual(self.backup('{"main": "2026-11-26T11:03:00+00:00"}'), [])
        for text in ("", "[]x", '{"main": "yesterday", "keyring": "today"}', '{"main": 1, "keyring": 2}'):
            with self.subTest(text=text), self.assertRaises(OSError):
                self.backup(text)

    @override_settings(EMBEDDED=False, SITE_URL="https://ibanse.example")
    def test_a_certificate_is_measured_by_its_remaining_life(self) -> None:
        day = 24 * 3600
        begins = NOON.timestamp() - 60 * day
        with patch("ibanse.monitoring.certificate.validity", return_value=(begins, begins + 90 * day)):
            samples = {sample.name: sample.value for sample in host.site_certificate(NOON)}

        self.assertEqual(samples, {"certificate": 33, "certificate_days": 30})

    @override_settings(EMBEDDED=False, SITE_URL="https://ibanse.example")
    def test_a_certificate_that_cannot_be_seen_is_not_measured_and_an_untrusted_one_counts_as_expired(self) -> None:
        with patch("ibanse.monitoring.certificate.validity", side_effect=ssl.SSLCertVerificationError()):
            self.assertEqual([sample.value for sample in host.site_certificate(NOON)], [0, 0])
        with (
            patch("ibanse.monitoring.certificate.validity", side_effect=ConnectionRefusedError()),
            self.assertRaises(OSError),
        ):
            list(host.site_certificate(NOON))
