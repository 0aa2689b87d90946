"""The table of check records: rows that are sealed, opened for their own client alone, and erased for good."""

from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch
from uuid import uuid4

import pytest
from django.db import connection
from django.test import RequestFactory

from accounts.actor import Actor
from accounts.audit import client_log
from privacy import vault
from privacy.check_logging import mode as check_logging_mode
from privacy.models import Mode
from tests.base import Person
from tests.support.check_records import OTHER, SPELLINGS, VALID, WRONG, CheckRecordsTest
from validation import engine
from validation.models import ValidationRecord
from validation.recording.record import RecordCaller, build_record
from validation.records import store
from validation.records.search import RecordFilter


class RecordInsertingTests(CheckRecordsTest):
    def test_rows_are_inserted_as_django_would(self) -> None:
        self.choose_logging(Mode.FULL)
        self.alice.key()
        key = self.alice.client.keys.get().pk
        self.fill(VALID, key=key)

        copied = ValidationRecord.objects.get()
        copied.pk = uuid4()
        copied.save(force_insert=True)

        table = ValidationRecord._meta.db_table
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT * FROM {table}")
            columns = [column[0] for column in cursor.description]
            first, second = (dict(zip(columns, line, strict=True)) for line in cursor.fetchall())
        self.assertEqual({type(first.pop("id")), type(second.pop("id"))}, {type(first["client_id"])})
        self.assertEqual(first, second)

    def test_rows_of_several_clients_are_inserted_together(self) -> None:
        choice = check_logging_mode.Choice(Mode.FULL)
        written = []
        for who in (self.alice, self.mallory):
            caller = RecordCaller(who.client.pk, "api", None, "192.0.2.7")
            written += [(who.client.pk, row) for row in build_record(caller, [engine.check(VALID)], choice).rows]

        store.insert_rows(written)

        self.assertEqual((len(self.records()), len(self.records(self.mallory))), (1, 1))

    def test_inserting_nothing_is_allowed(self) -> None:
        store.insert_rows([])


@pytest.mark.claim("blind_index")
class SealedFieldsTests(CheckRecordsTest):
    def test_a_seal_does_not_open_for_another_record(self) -> None:
        self.choose_logging(Mode.FULL)
        self.fill(VALID, OTHER)
        first, second = self.records()

        with pytest.raises(vault.Broken):
            store.open_sealed(self.alice.client.pk, first.pk, second.sealed)

    def test_a_seal_does_not_open_for_another_client(self) -> None:
        self.choose_logging(Mode.FULL)
        self.choose_logging(Mode.FULL, who=self.mallory)
        self.fill(VALID)
        self.fill(VALID, who=self.mallory)
        [row] = self.records()

        with pytest.raises(vault.Broken):
            store.open_sealed(self.mallory.client.pk, row.pk, row.sealed)

    def test_indexes_are_equal_within_a_client_only(self) -> None:
        mine = {store.blind_index(self.alice.client.pk, spelling) for spelling in (VALID, *SPELLINGS)}

        self.assertEqual(len(mine), 1)
        self.assertNotIn(store.blind_index(self.mallory.client.pk, VALID), mine)
        self.assertNotIn(store.blind_index(self.alice.client.pk, OTHER), mine)


@pytest.mark.claim("deleted_records")
class RecordErasingTests(CheckRecordsTest):
    def setUp(self) -> None:
        super().setUp()
        self.request = RequestFactory().get("/", REMOTE_ADDR="192.0.2.77")

    def erase(self, wanted: RecordFilter, who: Person | None = None) -> store.Erasure:
        who = who or self.alice
        return store.erase_records(who.client, wanted, by=Actor.of(self.request, user=who.user))

    def audit_entries(self) -> list[tuple[str, dict[str, str]]]:
        """Return what the audit log says of check records, newest first."""
        entries = client_log.open_entries(self.alice.client, client_log.entries(self.alice.client))
        return [(entry.tag, entry.details) for entry in entries if entry.tag.startswith("log.")]

    def test_only_matching_records_of_the_client_are_erased(self) -> None:
        for who in (self.alice, self.mallory):
            self.choose_logging(Mode.FULL, who=who)
            self.fill(VALID, OTHER, WRONG, who=who)
        iban_index = store.blind_index(self.alice.client.pk, VALID)

        done = self.erase(RecordFilter(iban_index=iban_index))

        self.assertEqual(done, store.Erasure(1, is_complete=True))
        self.assertEqual(self.count(RecordFilter(iban_index=iban_index)), 0)
        self.assertEqual((len(self.records()), len(self.records(self.mallory))), (2, 3))
        self.assertEqual(self.audit_entries(), [("log.erased", {"records": "1", "filters": "number"})])

    def test_a_record_is_erased_by_its_own_client_only(self) -> None:
        row, other = self.fill(VALID, OTHER)

        self.assertEqual(self.erase(RecordFilter(record=row), self.mallory).records, 0)
        self.assertEqual(self.erase(RecordFilter(record=row)).records, 1)

        self.assertEqual([row.pk for row in self.records()], [other])
        self.assertEqual(self.audit_entries(), [("log.erased", {"records": "1", "filters": "row"})])

    def test_erasing_nothing_is_not_audited(self) -> None:
        self.assertEqual(self.erase(RecordFilter()), store.Erasure(0, is_complete=True))
        self.assertEqual(self.audit_entries(), [])

    def test_many_are_erased_in_chunks_and_audited_twice(self) -> None:
        self.fill(*[VALID] * 7, *[WRONG] * 2)
        with patch.object(store, "CHUNK_ROWS", 3):
            done = self.erase(RecordFilter(is_valid=True))

        self.assertEqual(done, store.Erasure(7, is_complete=True))
        self.assertEqual(len(self.records()), 2)
        self.assertEqual(
            self.audit_entries(),
            [("log.erased", {"records": "7", "filters": "verdict"}), ("log.erasing", {"filters": "verdict"})],
        )

    def test_a_crash_leaves_a_smaller_rest(self) -> None:
        self.fill(*[VALID] * 7)
        real = store._erase_chunk
        chunks = iter((real, real))

        def killed(*arguments: Any) -> Any:
            chunk = next(chunks, None)
            if chunk is None:
                raise KeyboardInterrupt
            return chunk(*arguments)

        with (
            patch.object(store, "CHUNK_ROWS", 3),
            patch.object(store, "_erase_chunk", killed),
            pytest.raises(KeyboardInterrupt),
        ):
            self.erase(RecordFilter())

        self.assertEqual(len(self.records()), 1)
        self.assertEqual(self.audit_entries(), [("log.erasing", {"filters": "all"})])
        self.assertEqual(self.erase(RecordFilter()), store.Erasure(1, is_complete=True))
        self.assertEqual(self.records(), [])

    def test_a_slow_erasure_ends_and_can_be_resumed(self) -> None:
        self.fill(*[VALID] * 7)
        with patch.object(store, "CHUNK_ROWS", 3), patch.object(store, "ERASE_SECONDS", -1.0):
            self.assertEqual(self.erase(RecordFilter()), store.Erasure(3, is_complete=False))
            self.assertEqual(self.erase(RecordFilter()), store.Erasure(3, is_complete=False))
            self.assertEqual(self.erase(RecordFilter()), store.Erasure(1, is_complete=True))

        self.assertEqual([tag for tag, _details in self.audit_entries()].count("log.erased"), 3)

    def test_records_that_came_later_stay(self) -> None:
        seen = datetime(2026, 11, 1, 12, tzinfo=UTC)
        self.fill(VALID, at=seen - timedelta(seconds=1))
        [late] = self.fill(VALID, at=seen)

        self.erase(RecordFilter().before(seen))

        self.assertEqual([row.pk for row in self.records()], [late])
        earlier = RecordFilter(until=seen - timedelta(days=1))
        self.assertEqual(earlier.before(seen), earlier)

    def test_the_audit_log_never_names_what_was_erased(self) -> None:
        self.choose_logging(Mode.FULL)
        self.fill(VALID)
        self.erase(RecordFilter(iban_index=store.blind_index(self.alice.client.pk, VALID), country="SE"))

        [(_tag, details)] = self.audit_entries()
        self.assertEqual(details, {"records": "1", "filters": "country, number"})
