"""Deleting a part of an account: only that, with late records, and again after a restore."""

import io
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from unittest.mock import patch
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.db import transaction
from django.utils import timezone

from accounts import audit
from accounts.actor import Actor
from accounts.audit import client_log
from accounts.audit.events import AuditEvent
from accounts.models import Client, ContactDetails, User
from accounts.profile import details
from privacy import vault
from privacy.check_logging.mode import Choice
from privacy.deletion import erasing, execution, ledger, replay, requesting
from privacy.deletion.erasing import Scope
from privacy.inventory import registry
from privacy.models import DataExport, DeletionRequest, LogCutoff, Mode
from tests.base import BaseTest
from tests.support.grown_client import IBAN, everything_of, grow, traces
from validation.engine import check
from validation.models import ValidationRecord
from validation.recording import writer
from validation.recording.record import CallRecord, RecordCaller, build_record
from validation.records import store
from validation.records.search import RecordFilter

pytestmark = pytest.mark.claim("not_brought_back")

PAGE = "/account/settings/security-and-privacy/deletion/"
OTHER = "DE89370400440532013000"


class PartTest(BaseTest):
    def setUp(self) -> None:
        super().setUp()
        grow(self.alice, self.vera)

    def left(self) -> dict[str, int]:
        return registry.count(Client.objects.get(pk=self.alice.client.pk))


class DeletionPageTests(PartTest):
    def test_each_part_is_deleted_alone_with_a_receipt(self) -> None:
        for scope, table in (("log", "checks"), ("contact", "contact"), ("billing", "billing")):
            with self.subTest(scope=scope):
                before = self.left()
                self.assertContains(self.alice.opens(f"{PAGE}{scope}/"), "This cannot be undone.")
                self.assertEqual(self.left(), before)

                response = self.alice.posts(f"{PAGE}{scope}/")

                self.assertRegex(response["Location"], r"\A/receipts/[\w-]{43}/\Z")
                self.assertContains(self.visitor.opens(response["Location"]), "Deletion receipt")
                changed = {name for name, rows in self.left().items() if rows != before[name]}
                self.assertEqual(changed, {table, "history"})
                self.assertEqual(self.left()[table], 0)
                self.assertContains(self.alice.posts(f"{PAGE}{scope}/"), "Nothing to delete")
                self.assert_recorded("deletion.executed", self.alice.client)
        self.assertEqual(DeletionRequest.objects.count(), 0)
        self.assertEqual(DataExport.objects.get(client=self.alice.client).state, "over")
        self.assertEqual(self.alice.opens(f"{PAGE}history/").status_code, 404)

    def test_a_user_is_deleted_with_all_traces_and_the_chain_stays_valid(self) -> None:
        vera = self.vera.user
        audit.record(
            AuditEvent.MEMBER_INVITED, client=self.alice.client, by=self.alice.actor, detail={"email": vera.email}
        )
        audit.record(AuditEvent.SIGNED_IN, client=self.alice.client, by=Actor(vera, ip_address="192.0.2.9"))

        response = self.alice.posts(f"{PAGE}user/{vera.pk}/")

        self.assertTrue(response["Location"].startswith("/receipts/"))
        self.assertEqual(set(traces(uuid_client(), [vera])), {"accounts.HistoryEntry"})
        self.assertNotIn(vera.email, str(everything_of(self.alice.client)))
        self.assertTrue(client_log.verify(self.alice.client).ok)
        self.assertEqual(self.alice.opens(f"{PAGE}user/{vera.pk}/").status_code, 404)

    def test_nobody_deletes_themselves_or_somebody_elses_user(self) -> None:
        self.assertRedirects(self.alice.posts(f"{PAGE}user/{self.alice.user.pk}/"), PAGE)
        for pk in (self.mallory.user.pk, uuid4()):
            self.assertEqual(self.alice.posts(f"{PAGE}user/{pk}/").status_code, 404)
        self.assertEqual(User.objects.filter(pk__in=(self.alice.user.pk, self.mallory.user.pk)).count(), 2)

    def test_no_part_is_deleted_while_the_account_is_closing(self) -> None:
        requesting.confirm(requesting.request_deletion(self.alice.client, grace_days=7, by=self.alice.actor))
        before = self.left()

        self.assertContains(self.alice.posts(f"{PAGE}log/"), "Not now")

        self.assertEqual(self.left(), before)

    def test_a_long_deletion_continues_in_the_background(self) -> None:
        with patch("privacy.deletion.views.DELETES_FOR", timedelta(seconds=-1)):
            self.assertRedirects(self.alice.posts(f"{PAGE}log/"), PAGE)
        self.assertContains(self.alice.opens(PAGE), "Being deleted")

        [done] = execution.every_due(timezone.now())

        assert isinstance(done, execution.Done)
        self.assertEqual(done.receipt["erased"]["checks"], 1)


def uuid_client() -> Client:
    """Return a client that was never signed in."""
    return Client(pk=uuid4())


class OnItsWayTests(PartTest):
    """A check that is still in a worker or a spool when its record is deleted."""

    def record(self, text: str = IBAN, at: timedelta = timedelta()) -> CallRecord:
        caller = RecordCaller(self.alice.client.pk, "api", None, "192.0.2.7")
        return build_record(caller, [check(text)], Choice(Mode.FULL, 90), now=timezone.now() + at)

    def stored(self) -> int:
        return ValidationRecord.objects.filter(client=self.alice.client).count()

    def test_it_does_not_reappear_after_all_records_were_deleted(self) -> None:
        waiting, later = self.record(), self.record(at=timedelta(seconds=2))
        counted = usage_of(self.alice.client)
        execution.resume(requesting.start_erasure(self.alice.client, Scope.LOG, by=self.alice.actor).pk)

        writer.put(waiting)
        self.assertEqual(self.stored(), 0)
        writer.put(later)

        self.assertEqual(self.stored(), 1)
        self.assertEqual(usage_of(self.alice.client), counted + 2, "what was checked is counted all the same")

    def test_it_does_not_reappear_after_its_iban_was_deleted(self) -> None:
        waiting, other = self.record(), self.record(OTHER)
        number = store.blind_index(self.alice.client.pk, IBAN)
        execution.resume(
            requesting.start_erasure(self.alice.client, Scope.NUMBER, by=self.alice.actor, iban_index=number).pk
        )
        self.assertEqual(self.stored(), 0)

        writer.put(waiting)
        writer.put(other)

        self.assertEqual(self.stored(), 1)

    def test_nothing_is_stored_for_a_client_being_deleted(self) -> None:
        waiting = self.record()
        request = requesting.confirm(requesting.request_deletion(self.alice.client, grace_days=0, by=self.alice.actor))
        with patch.object(ledger, "append", side_effect=OSError), self.assertRaises(OSError):
            execution.resume(request.pk)
        before = self.left()

        writer.put(waiting)

        self.assertEqual(self.left(), before)


def usage_of(client: Client) -> int:
    return sum(day.valid for day in client.usage.all())


class ReplayTests(PartTest):
    """A restore, simulated by a savepoint: deleted rows exist again."""

    def replayed(self) -> str:
        out = io.StringIO()
        call_command("replay_erasures", stdout=out)
        return out.getvalue()

    def restored(self, actions: Callable[[], Any]) -> None:
        """Run the actions, then restore the main database to its state before."""
        with transaction.atomic():
            actions()
            transaction.set_rollback(True)

    def test_every_part_is_deleted_again_and_newer_rows_remain(self) -> None:
        client, by = self.alice.client, self.alice.user
        number = store.blind_index(client.pk, IBAN)
        others = everything_of(self.mallory.client)
        vera = self.vera.user
        ContactDetails.objects.update(changed_at=timezone.now() - timedelta(minutes=1))

        def actions() -> None:
            for scope in (Scope.CONTACT, Scope.BILLING):
                execution.resume(requesting.start_erasure(client, scope, by=Actor(by)).pk)
            execution.resume(requesting.start_erasure(client, Scope.NUMBER, by=Actor(by), iban_index=number).pk)
            execution.resume(requesting.start_erasure(client, Scope.USER, by=Actor(by), user=vera.pk).pk)

        self.restored(actions)
        self.assertEqual(self.left()["contact"], 1)

        self.assertIn("4 entries", self.replayed())

        left = self.left()
        self.assertEqual([left[name] for name in ("contact", "billing", "checks", "users")], [0, 0, 0, 1])
        self.assertEqual(LogCutoff.objects.filter(client=client, iban_index=number).count(), 1)
        self.assertEqual(everything_of(self.mallory.client), others)
        details.save_contact(client, details.Contact(company="New AB"), by=Actor(by))
        ContactDetails.objects.update(changed_at=timezone.now() + timedelta(seconds=2))
        self.assertIn("4 entries", self.replayed())
        self.assertEqual(self.left()["contact"], 1, "entered after the deletion")

    def test_selected_checks_are_deleted_again_and_no_others(self) -> None:
        client = self.alice.client
        ValidationRecord.objects.all().delete()
        at = timezone.now().replace(microsecond=0) - timedelta(minutes=2)
        common = {"client": client, "at": at, "expires_on": (at + timedelta(days=9)).date(), "is_valid": True}
        for country, source in (("SE", "api"), ("SE", "page"), ("DE", "api"), ("", "api"), ("NO", "api")):
            ValidationRecord.objects.create(**{**common, "country": country, "source": source})
        ValidationRecord.objects.create(**{**common, "client": self.mallory.client, "country": "SE", "source": "api"})
        row = ValidationRecord.objects.get(country="DE").pk
        chosen = (
            RecordFilter(country="SE", source="api", since=at - timedelta(minutes=1)),
            RecordFilter(country=""),
            RecordFilter(record=row),
            RecordFilter(country="NO", until=at),
        )
        self.restored(lambda: [store.erase_records(client, request, by=self.alice.actor) for request in chosen])
        newer = {**common, "at": timezone.now() + timedelta(seconds=2), "country": "SE", "source": "api"}
        ValidationRecord.objects.create(**newer)

        self.assertIn("3 entries", self.replayed(), "the fourth chose none")

        left = ValidationRecord.objects.filter(client=client).order_by("at", "country")
        self.assertEqual(
            [(stored.country, stored.source) for stored in left], [("NO", "api"), ("SE", "page"), ("SE", "api")]
        )
        self.assertEqual(ValidationRecord.objects.filter(client=self.mallory.client).count(), 1)
        self.assertNotIn(str(client.pk), ledger.path().read_text(encoding="ascii"))
        self.assertIn("0 rows", self.replayed())

    def test_an_empty_selection_deletes_nothing(self) -> None:
        for written in ({}, {"sorce": "api"}, {"valid": "1", "countries": "SE"}, {"row": "x"}, {"since": "yesterday"}):
            with self.assertRaises(ValueError):
                RecordFilter.from_ledger(written, None)

    def test_an_account_is_deleted_again_with_its_restored_key(self) -> None:
        client, users = self.alice.client, [self.alice.user, self.vera.user]
        others = everything_of(self.mallory.client)
        request = requesting.confirm(requesting.request_deletion(client, grace_days=0, by=self.alice.actor))
        # Both databases were restored: only the ledger knows of the deletion.
        ledger.append(ledger.LedgerEntry(request.pk, Scope.ACCOUNT, client.pk, timezone.now()))
        self.assertTrue(vault.fingerprint(client.pk))

        self.assertIn("1 keys", self.replayed())

        self.assertEqual(traces(client, users), [])
        self.assertIsNotNone(vault.tombstone(client.pk))
        self.assertEqual(everything_of(self.mallory.client), others)
        self.assertIn("0 rows", self.replayed())

    def test_a_restored_key_without_its_client_is_destroyed(self) -> None:
        owner = uuid4()
        vault.seal(owner, "text", purpose="test", record="1")
        ledger.append(ledger.LedgerEntry(uuid4(), Scope.ACCOUNT, owner, timezone.now()))

        self.assertIn("1 keys", self.replayed())

        with self.assertRaises(vault.Destroyed):
            vault.seal(owner, "text", purpose="test", record="1")

    def test_a_missing_or_damaged_ledger_is_an_error(self) -> None:
        self.assertIn("nothing to delete again", self.replayed())
        vault.destroy(uuid4())
        with self.assertRaises(SystemExit) as ended:
            self.replayed()
        self.assertEqual(ended.exception.code, 1)
        ledger.append(ledger.LedgerEntry(uuid4(), Scope.ACCOUNT, self.alice.client.pk, timezone.now()))
        ledger.path().write_bytes(b"{}\n" + ledger.path().read_bytes())

        with self.assertRaises(SystemExit):
            self.replayed()

        self.assertEqual(traces(self.alice.client, []), [], "what can be read is deleted all the same")

    def test_an_interrupted_deletion_is_resumed(self) -> None:
        for client in (self.alice.client, self.mallory.client):
            ledger.append(ledger.LedgerEntry(uuid4(), Scope.ACCOUNT, client.pk, timezone.now()))
        steps = replay._steps

        def first_step(erasure: erasing.ErasureRequest) -> Iterator[dict[str, int]]:
            yield next(steps(erasure))
            raise InterruptedError

        with patch.object(replay, "_steps", first_step), self.assertRaises(InterruptedError):
            list(replay.replay(ledger.read().entries))

        self.replayed()

        self.assertEqual(Client.objects.count(), 0)
