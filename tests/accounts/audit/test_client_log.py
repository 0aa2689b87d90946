"""A client's audit log: chained, personal only where it is sealed, verified by anybody."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core import mail
from django.core.management import CommandError, call_command
from django.test import RequestFactory
from django.utils import timezone

from accounts import audit
from accounts.actor import Actor
from accounts.audit import client_log, signatures
from accounts.audit.events import AuditEvent
from accounts.models import HistoryDetail, HistoryEntry
from tests.base import BaseTest


@pytest.mark.claim("history")
class HistoryTests(BaseTest):
    def setUp(self) -> None:
        super().setUp()
        self.client_of_alice = self.alice.client
        self.request = RequestFactory().get("/", REMOTE_ADDR="192.0.2.77")

    def write(self, number: int = 3) -> None:
        for place in range(number):
            audit.record(
                AuditEvent.SIGNED_IN,
                client=self.client_of_alice,
                by=Actor.of(self.request, user=self.alice.user),
                detail={"device": f"Computer {place}"},
            )

    def test_a_action_is_reported_with_who_when_and_from_where(self) -> None:
        self.write(1)

        [row] = client_log.open_entries(self.client_of_alice, client_log.entries(self.client_of_alice))

        self.assertEqual(row.who, "alice@example.com")
        self.assertEqual(row.network, "192.0.2.0/24")
        self.assertEqual(row.address, "192.0.2.77")
        self.assertEqual(row.details, {"device": "Computer 0"})
        self.assertEqual(row.when.microsecond, 0)

    def test_an_ip_address_without_a_request_is_recorded(self) -> None:
        audit.record(AuditEvent.KEY_REFUSED, client=self.client_of_alice, by=Actor(ip_address="2001:db8::7"))

        [row] = client_log.open_entries(self.client_of_alice, client_log.entries(self.client_of_alice))

        self.assertEqual((row.network, row.address), ("2001:db8::/48", "2001:db8::7"))

    def test_nothing_personal_lies_in_the_clear(self) -> None:
        self.write(1)

        row = str(HistoryEntry.objects.values().get()) + str(HistoryDetail.objects.values().get())

        for personal in ("Computer", "192.0.2.77", "alice@"):
            self.assertNotIn(personal, row)

    def test_the_trails_of_two_clients_are_two_chains(self) -> None:
        self.write(2)
        entry = audit.record(AuditEvent.SIGNED_IN, client=self.mallory.client, by=self.mallory.actor)

        self.assertEqual(entry.number, 1)
        self.assertTrue(client_log.verify(self.mallory.client).ok)
        self.assertEqual(client_log.verify(self.client_of_alice).entries, 2)

    def test_an_edited_entry_is_found(self) -> None:
        for change in ({"tag": "users.invited"}, {"actor": None}, {"network": ""}, {"at": timezone.now()}):
            with self.subTest(change=change):
                HistoryEntry.objects.all().delete()
                self.write(4)
                HistoryEntry.objects.filter(number=2).update(**change)

                result = client_log.verify(self.client_of_alice)

                self.assertEqual((result.ok, result.first_bad, result.problem), (False, 2, "edited"))

    def test_an_edited_entry_with_a_new_hash_is_found_by_the_next(self) -> None:
        self.write(4)
        entry = HistoryEntry.objects.get(number=2)
        entry.tag = "users.invited"
        entry.hash = client_log.chain(self.client_of_alice).hash(entry)  # A forger would know how.
        entry.save()

        self.assertEqual(client_log.verify(self.client_of_alice).first_bad, 3)

    def test_a_removed_entry_is_found(self) -> None:
        self.write(4)
        HistoryEntry.objects.filter(number=2).delete()

        result = client_log.verify(self.client_of_alice)

        self.assertEqual((result.ok, result.problem), (False, "missing"))

    def test_a_cut_tail_is_found_by_a_signed_checkpoint_and_only_by_it(self) -> None:
        self.write(4)
        checkpoint = client_log.checkpoint(self.client_of_alice)
        HistoryEntry.objects.filter(number__gt=2).delete()

        self.assertTrue(client_log.verify(self.client_of_alice).ok)
        result = client_log.verify_checkpoint(self.client_of_alice, checkpoint)
        self.assertEqual((result.ok, result.first_bad, result.problem), (False, 3, "cut"))

    def test_a_tail_that_was_cut_and_grown_again_is_found_by_the_checkpoint(self) -> None:
        self.write(4)
        checkpoint = client_log.checkpoint(self.client_of_alice)
        HistoryEntry.objects.filter(number__gt=2).delete()
        self.write(4)

        result = client_log.verify_checkpoint(self.client_of_alice, checkpoint)

        self.assertEqual((result.ok, result.first_bad, result.problem), (False, 4, "changed"))

    def test_a_forged_or_foreign_checkpoint_is_refused(self) -> None:
        self.write(2)
        checkpoint = client_log.checkpoint(self.client_of_alice)

        for forged in (
            {**checkpoint, "number": "1"},
            {**checkpoint, "hash": "00" * 32},
            {**checkpoint, "signature": ""},
            {**checkpoint, "signature": "1:AAAA"},
            {**checkpoint, "signature": "9:" + checkpoint["signature"][2:]},
            client_log.checkpoint(self.mallory.client),
        ):
            with self.subTest(forged=forged):
                result = client_log.verify_checkpoint(self.client_of_alice, forged)
                self.assertEqual((result.ok, result.problem), (False, "signature"))
        self.assertTrue(client_log.verify_checkpoint(self.client_of_alice, checkpoint).ok)

    def test_a_signature_for_one_thing_proves_nothing_about_another(self) -> None:
        signature = signatures.sign("text", purpose="one")

        self.assertTrue(signatures.is_ours("text", signature, purpose="one"))
        self.assertFalse(signatures.is_ours("text", signature, purpose="another"))
        self.assertFalse(signatures.is_ours("Text", signature, purpose="one"))

    def test_a_detail_moved_to_another_entry_is_found(self) -> None:
        self.write(3)
        first, second = HistoryDetail.objects.order_by("entry__number")[:2]
        HistoryDetail.objects.filter(pk=second.pk).update(sealed=bytes(first.sealed))

        result = client_log.verify(self.client_of_alice)

        self.assertEqual((result.first_bad, result.problem), (2, "detail"))

    def test_an_erased_detail_leaves_the_chain_whole(self) -> None:
        self.write(3)
        HistoryDetail.objects.filter(entry__number=2).delete()

        self.assertTrue(client_log.verify(self.client_of_alice).ok)
        rows = client_log.open_entries(self.client_of_alice, client_log.entries(self.client_of_alice))
        self.assertEqual(rows[1].details, {})

    def test_a_full_address_is_forgotten_after_seven_days(self) -> None:
        self.write(1)

        self.assertEqual(client_log.forget_addresses(timezone.now() + timedelta(days=6)), 0)
        self.assertEqual(client_log.forget_addresses(timezone.now() + timedelta(days=8)), 1)

        [row] = client_log.open_entries(self.client_of_alice, client_log.entries(self.client_of_alice))
        self.assertEqual((row.address, row.network), ("", "192.0.2.0/24"))
        self.assertTrue(client_log.verify(self.client_of_alice).ok)

    def test_the_owners_are_mailed_of_what_matters_and_of_nothing_else(self) -> None:
        with self.captureOnCommitCallbacks(execute=True):
            audit.record(AuditEvent.SIGNED_IN, client=self.client_of_alice, by=self.vera.actor)
        self.assertEqual(mail.outbox, [])

        with self.captureOnCommitCallbacks(execute=True):
            audit.record(AuditEvent.MEMBER_REMOVED, client=self.client_of_alice, by=self.alice.actor)

        [message] = mail.outbox
        self.assertEqual(message.to, ["alice@example.com"])
        self.assertNotIn("alice", message.body)

    def test_filters_narrow_the_trail(self) -> None:
        self.write(2)
        audit.record(AuditEvent.CONTACT_CHANGED, client=self.client_of_alice, by=self.vera.actor)

        def numbers(**filters: object) -> list[int]:
            found = client_log.entries(self.client_of_alice, **filters)  # type: ignore[arg-type]
            return [entry.number for entry in found]

        self.assertEqual(numbers(), [3, 2, 1])
        self.assertEqual(numbers(tag="contact.changed"), [3])
        self.assertEqual(numbers(actor=self.alice.user.pk), [2, 1])
        self.assertEqual(numbers(since=timezone.now() + timedelta(hours=1)), [])
        self.assertEqual(numbers(until=timezone.now() + timedelta(hours=1)), [3, 2, 1])

    def test_the_command_names_a_broken_chain_and_fails(self) -> None:
        self.write(2)
        said = StringIO()
        call_command("verify_history", stdout=said)
        self.assertIn("audit logs are intact", said.getvalue())

        HistoryEntry.objects.filter(number=1).update(tag="users.invited")
        with self.assertRaises(CommandError):
            call_command("verify_history", stdout=said, stderr=said)
        self.assertIn(f"{self.client_of_alice.pk}: entry 1 is edited", said.getvalue())
