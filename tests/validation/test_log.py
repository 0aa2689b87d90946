"""The log of checks: kept as the client wants it, sealed, found by its own client alone, and erased for good."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.test import RequestFactory

from accounts.audit import client_log
from accounts.guard import revisions
from privacy import vault
from privacy.check_logging import mode as check_logging_mode
from privacy.models import Mode
from tests.base import HouseTest, Person
from validation import engine, log, log_search, writer
from validation.log_search import Asked, Place
from validation.models import ValidationRecord

VALID = "SE4550000000058398257466"
SPELLINGS = (
    "SE45 5000 0000 0583 9825 7466",
    "se45-5000-0000-0583-9825-7466",
    " IBAN: se455000 0000058398257466\n",
    "SE45\u00a05000\u202f0000.0583.9825.7466",
)
WRONG = "DE89370400440532013001"
OTHER = "DE89370400440532013000"


class LogTest(HouseTest):
    """A test with ways to fill a log."""

    def keeps(self, mode: Mode, days: int = 30, who: Person | None = None) -> None:
        """Let a client decide what is kept; everybody knows at once."""
        who = who or self.alice
        check_logging_mode.choose(who.client, check_logging_mode.Choice(mode, days), by=who.user)
        revisions.forget()

    def rows(self, who: Person | None = None) -> list[ValidationRecord]:
        """Return what is in the log of a client, newest first."""
        return log_search.page((who or self.alice).client, Asked(), rows=10_000).rows

    def fill(self, *numbers: str, who: Person | None = None, at: datetime | None = None, **caller: Any) -> list[UUID]:
        """Write checks into the log of a client as the writer does, at a time; return the rows' ids."""
        client = (who or self.alice).client
        made = {"client": client.pk, "source": "api", "key": None, "address": "192.0.2.7", **caller}
        rows = log.rows([engine.check(number) for number in numbers], log.Caller(**made), check_logging_mode.of(client))
        if at is not None:
            rows = tuple(
                log.Row(row.id, int(at.timestamp()), *[getattr(row, name) for name in row.__struct_fields__[2:]])
                for row in rows
            )
        log.write([(client.pk, row) for row in rows])
        return [UUID(row.id) for row in rows]

    def count(self, asked: Asked, who: Person | None = None) -> int:
        """Return how many rows fit."""
        return log_search.counted((who or self.alice).client, asked)


@pytest.mark.claim("off_is_never_written")
class KeepingTests(LogTest):
    def test_a_new_client_keeps_verdicts_for_thirty_days(self) -> None:
        self.alice.checks(VALID)

        [row] = self.rows()
        self.assertEqual(row.expires_on, datetime.now(UTC).date() + timedelta(days=30))
        self.assertEqual((bytes(row.sealed), row.blind_index), (b"", None))

    def test_off_keeps_nothing(self) -> None:
        self.keeps(Mode.OFF)
        key = self.alice.key()

        self.alice.checks(VALID)
        self.calls(key, "/api/v1/validate", {"iban": VALID})
        self.calls(key, "/api/v1/validate/batch", {"ibans": [VALID, WRONG]})

        self.assertEqual(self.rows(), [])

    @pytest.mark.claim("blind_index")
    def test_verdict_keeps_exactly_these_fields(self) -> None:
        self.keeps(Mode.VERDICT, days=7)
        key = self.alice.key()

        self.calls(key, "/api/v1/validate", {"iban": WRONG})

        row: dict[str, Any] = dict(**ValidationRecord.objects.values().get())
        at = row.pop("at")
        self.assertEqual(at.microsecond, 0)
        self.assertLess(datetime.now(UTC) - at, timedelta(seconds=10))
        self.assertIsInstance(row.pop("id"), UUID)
        self.assertEqual(
            row,
            {
                "client_id": self.alice.client.pk,
                "expires_on": datetime.now(UTC).date() + timedelta(days=7),
                "source": "api",
                "key_id": self.alice.client.keys.get().pk,
                "country": "DE",
                "is_valid": False,
                "codes": "checksum",
                "sealed": b"",
                "blind_index": None,
            },
        )

    def test_full_keeps_the_rest_sealed(self) -> None:
        self.keeps(Mode.FULL)

        self.alice.checks(SPELLINGS[0])

        [row] = self.rows()
        kept = log.opened(self.alice.client.pk, row.pk, row.sealed)
        self.assertEqual(kept, log.Sealed(VALID, "500", "ESSESESS", "192.0.2.7"))
        self.assertEqual((row.source, row.key, row.country, row.is_valid, row.codes), ("page", None, "SE", True, ""))
        for clear in (VALID, "192.0.2.7", "ESSESESS"):
            self.assertNotIn(clear.encode(), bytes(row.sealed) + bytes(row.blind_index or b""))

    def test_every_number_of_a_batch_is_a_row(self) -> None:
        self.calls(self.alice.key(), "/api/v1/validate/batch", {"ibans": [VALID, WRONG, "XX00", ""]})

        told = {(row.country, row.is_valid, row.codes) for row in self.rows()}
        self.assertEqual(
            told, {("SE", True, ""), ("DE", False, "checksum"), ("", False, "country checksum"), ("", False, "length")}
        )

    @pytest.mark.claim("one_silent_call")
    def test_a_call_can_ask_to_leave_no_trace(self) -> None:
        self.keeps(Mode.FULL)
        key = self.alice.key()

        for wish in ("1", "yes", "true", " 1 "):
            self.calls(key, "/api/v1/validate", {"iban": VALID}, HTTP_X_NO_LOG=wish)
        self.assertEqual(self.rows(), [])

        for no_wish in ("0", ""):
            self.calls(key, "/api/v1/validate", {"iban": VALID}, HTTP_X_NO_LOG=no_wish)
        self.assertEqual(len(self.rows()), 2)

    @pytest.mark.claim("one_silent_call")
    def test_no_call_can_ask_for_more_than_its_client_keeps(self) -> None:
        self.keeps(Mode.OFF)
        key = self.alice.key()

        for wish in ("0", "", "-1", "full"):
            self.calls(key, "/api/v1/validate", {"iban": VALID}, HTTP_X_NO_LOG=wish)

        self.assertEqual(self.rows(), [])

    def test_a_test_key_leaves_no_trace(self) -> None:
        self.keeps(Mode.FULL)

        self.calls(self.alice.key(is_test=True), "/api/v1/validate", {"iban": VALID})

        self.assertEqual(self.rows(), [])

    @pytest.mark.claim("visitors")
    def test_a_visitor_leaves_no_trace(self) -> None:
        self.visitor.checks(VALID)
        self.sten.checks(VALID)

        self.assertEqual(ValidationRecord.objects.count(), 0)

    def test_a_sub_user_is_logged_like_everybody(self) -> None:
        self.vera.checks(VALID)

        self.assertEqual([row.source for row in self.rows()], ["page"])

    def test_refusals_leave_no_trace(self) -> None:
        key = self.alice.key()

        self.calls(key, "/api/v1/validate", {"iban": 7})
        self.calls(key, "/api/v1/validate", b"{")
        self.calls(key[:-1] + "x", "/api/v1/validate", {"iban": VALID})
        self.alice.checks("")

        self.assertEqual(self.rows(), [])

    def test_what_is_decided_holds_for_the_next_check(self) -> None:
        for mode, rows in ((Mode.FULL, 2), (Mode.OFF, 2), (Mode.VERDICT, 4), (Mode.OFF, 4)):
            self.keeps(mode)
            self.alice.checks(VALID)
            self.calls(self.alice.key(), "/api/v1/validate", {"iban": VALID})
            self.assertEqual(len(self.rows()), rows, mode)

    def test_what_is_sealed_is_sealed_before_it_reaches_the_spool(self) -> None:
        self.keeps(Mode.FULL)
        with writer_in_a_folder() as folder:
            self.alice.checks(VALID)
            lying = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())

        self.assertIn(b"page", lying)
        for clear in (VALID, VALID[4:], "192.0.2.7", "ESSESESS"):
            self.assertNotIn(clear.encode(), lying)


@contextmanager
def writer_in_a_folder() -> Iterator[Path]:
    """Let this process spool into a folder, as a worker does, and write nothing to the database."""
    with tempfile.TemporaryDirectory() as name:
        spooling = writer.Writer(Path(name))
        with patch.object(writer, "_writer", spooling):
            yield Path(name)


class WritingTests(LogTest):
    def test_what_is_written_by_hand_is_what_the_models_read_and_write(self) -> None:
        self.keeps(Mode.FULL)
        self.alice.key()
        key = self.alice.client.keys.get().pk
        self.fill(VALID, key=key)

        copied = ValidationRecord.objects.get()
        copied.pk = uuid4()
        copied.save(force_insert=True)

        table = ValidationRecord._meta.db_table  # noqa: SLF001 - Django documents _meta
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT * FROM {table}")  # noqa: S608 - the name is Django's
            columns = [column[0] for column in cursor.description]
            first, second = (dict(zip(columns, line, strict=True)) for line in cursor.fetchall())
        self.assertEqual({type(first.pop("id")), type(second.pop("id"))}, {type(first["client_id"])})
        self.assertEqual(first, second)

    def test_rows_of_several_clients_are_written_together(self) -> None:
        choice = check_logging_mode.Choice(Mode.FULL)
        written = []
        for who in (self.alice, self.mallory):
            caller = log.Caller(who.client.pk, "api", None, "192.0.2.7")
            written += [(who.client.pk, row) for row in log.rows([engine.check(VALID)], caller, choice)]

        log.write(written)

        self.assertEqual((len(self.rows()), len(self.rows(self.mallory))), (1, 1))

    def test_writing_nothing_is_allowed(self) -> None:
        log.write([])


@pytest.mark.claim("blind_index")
class SealTests(LogTest):
    def test_a_seal_moved_to_another_row_does_not_open(self) -> None:
        self.keeps(Mode.FULL)
        self.fill(VALID, OTHER)
        first, second = self.rows()

        with pytest.raises(vault.Broken):
            log.opened(self.alice.client.pk, first.pk, second.sealed)

    def test_a_seal_does_not_open_for_another_client(self) -> None:
        self.keeps(Mode.FULL)
        self.keeps(Mode.FULL, who=self.mallory)
        self.fill(VALID)
        self.fill(VALID, who=self.mallory)
        [row] = self.rows()

        with pytest.raises(vault.Broken):
            log.opened(self.mallory.client.pk, row.pk, row.sealed)

    def test_equal_numbers_have_equal_indexes_within_a_client_only(self) -> None:
        mine = {log.blind_index(self.alice.client.pk, spelling) for spelling in (VALID, *SPELLINGS)}

        self.assertEqual(len(mine), 1)
        self.assertNotIn(log.blind_index(self.mallory.client.pk, VALID), mine)
        self.assertNotIn(log.blind_index(self.alice.client.pk, OTHER), mine)


class FindingTests(LogTest):
    @pytest.mark.claim("blind_index")
    def test_a_number_is_found_in_any_spelling_and_by_its_own_client_only(self) -> None:
        for who in (self.alice, self.mallory):
            self.keeps(Mode.FULL, who=who)
            self.fill(VALID, VALID, OTHER, who=who)

        for spelling in (VALID, *SPELLINGS):
            number = log.blind_index(self.alice.client.pk, spelling)
            self.assertEqual(self.count(Asked(number=number)), 2, spelling)
            self.assertEqual(self.count(Asked(number=number), self.mallory), 0)

    def test_what_was_kept_without_its_number_is_not_found_by_it(self) -> None:
        self.fill(VALID)
        self.assertFalse(log_search.has_numbers(self.alice.client))
        self.keeps(Mode.FULL)
        self.fill(VALID)
        self.keeps(Mode.VERDICT)
        self.fill(VALID)

        self.assertTrue(log_search.has_numbers(self.alice.client))
        self.assertFalse(log_search.has_numbers(self.mallory.client))
        self.assertEqual(self.count(Asked(number=log.blind_index(self.alice.client.pk, VALID))), 1)

    def test_every_filter_narrows_and_all_narrow_together(self) -> None:
        self.alice.key()
        key = self.alice.client.keys.get().pk
        noon = datetime(2026, 11, 1, 12, tzinfo=UTC)
        self.fill(VALID, OTHER, WRONG, at=noon, source="page")
        self.fill(VALID, WRONG, "XX00", at=noon + timedelta(hours=1), key=key)

        expected = {
            Asked(): 6,
            Asked(since=noon + timedelta(seconds=1)): 3,
            Asked(until=noon): 0,
            Asked(until=noon + timedelta(seconds=1)): 3,
            Asked(source="page"): 3,
            Asked(key=key): 3,
            Asked(is_valid=True): 3,
            Asked(is_valid=False): 3,
            Asked(country="DE"): 3,
            Asked(country=""): 1,
            Asked(country="DE", is_valid=False, source="page"): 1,
            Asked(country="DE", is_valid=False, source="page", since=noon + timedelta(minutes=1)): 0,
            Asked(key=key, country="DE", until=noon + timedelta(days=1)): 1,
        }
        for asked, rows in expected.items():
            with self.subTest(asked=asked):
                self.assertEqual(self.count(asked), rows)
                self.assertEqual(len(log_search.page(self.alice.client, asked, rows=10).rows), rows)
                self.assertEqual(self.count(asked, self.mallory), 0)

    def test_pages_follow_each_other_without_gap_or_repetition_however_many_rows_a_second_has(self) -> None:
        noon = datetime(2026, 11, 1, 12, tzinfo=UTC)
        for second, rows in enumerate((7, 1, 4, 13)):
            self.fill(*[VALID] * rows, at=noon + timedelta(seconds=second))
        everything = [row.pk for row in self.rows()]
        self.assertEqual(len(everything), 25)

        forth: list[UUID] = []
        page = log_search.page(self.alice.client, Asked(), rows=4)
        pages = [page]
        while page.has_older:
            forth += [row.pk for row in page.rows]
            page = log_search.page(self.alice.client, Asked(), rows=4, before=log_search.place(page.rows[-1]))
            pages.append(page)
        forth += [row.pk for row in page.rows]
        self.assertEqual(forth, everything)

        for place in range(len(pages) - 1, 0, -1):
            back = log_search.page(self.alice.client, Asked(), rows=4, after=log_search.place(pages[place].rows[0]))
            self.assertEqual(back.rows, pages[place - 1].rows)
            self.assertEqual(back.has_newer, place > 1)

    def test_a_place_between_rows_is_a_place_as_well(self) -> None:
        self.fill(VALID, VALID)
        place = Place(datetime.now(UTC) + timedelta(days=1), uuid4())

        page = log_search.page(self.alice.client, Asked(), rows=10, before=place)

        self.assertEqual((len(page.rows), page.has_newer, page.has_older), (2, True, False))

    def test_all_rows_come_in_chunks_newest_first(self) -> None:
        self.fill(*[VALID] * 7)
        with patch.object(log_search, "ROWS_AT_ONCE", 3):
            chunks = list(log_search.chunks(self.alice.client, Asked()))

        self.assertEqual([len(chunk) for chunk in chunks], [3, 3, 1])
        self.assertEqual([row for chunk in chunks for row in chunk], self.rows())

    def test_counting_ends_where_nobody_needs_to_know_more(self) -> None:
        self.fill(*[VALID] * 5)
        with patch.object(log_search, "MOST_COUNTED", 3):
            self.assertEqual(self.count(Asked()), 4)

    @pytest.mark.claim("customers_apart")
    def test_a_row_of_another_client_is_not_found_by_its_id(self) -> None:
        [row] = self.fill(VALID)

        self.assertIsNotNone(log_search.one(self.alice.client, row))
        self.assertIsNone(log_search.one(self.mallory.client, row))


@pytest.mark.claim("deleted_records")
class ErasingTests(LogTest):
    def setUp(self) -> None:
        super().setUp()
        self.request = RequestFactory().get("/", REMOTE_ADDR="192.0.2.77")

    def erase(self, asked: Asked, who: Person | None = None) -> log_search.Erased:
        who = who or self.alice
        return log_search.erase(who.client, asked, by=who.user, request=self.request)

    def told(self) -> list[tuple[str, dict[str, str]]]:
        """Return what the history says of the log, newest first."""
        entries = client_log.told(self.alice.client, client_log.entries(self.alice.client))
        return [(entry.tag, entry.details) for entry in entries if entry.tag.startswith("log.")]

    def test_exactly_what_fits_is_erased_and_of_no_other_client(self) -> None:
        for who in (self.alice, self.mallory):
            self.keeps(Mode.FULL, who=who)
            self.fill(VALID, OTHER, WRONG, who=who)
        number = log.blind_index(self.alice.client.pk, VALID)

        done = self.erase(Asked(number=number))

        self.assertEqual(done, log_search.Erased(1, is_all=True))
        self.assertEqual(self.count(Asked(number=number)), 0)
        self.assertEqual((len(self.rows()), len(self.rows(self.mallory))), (2, 3))
        self.assertEqual(self.told(), [("log.erased", {"records": "1", "filters": "number"})])

    def test_one_row_is_erased_by_its_own_client_only(self) -> None:
        row, other = self.fill(VALID, OTHER)

        self.assertEqual(self.erase(Asked(row=row), self.mallory).rows, 0)
        self.assertEqual(self.erase(Asked(row=row)).rows, 1)

        self.assertEqual([row.pk for row in self.rows()], [other])
        self.assertEqual(self.told(), [("log.erased", {"records": "1", "filters": "row"})])

    def test_erasing_nothing_is_not_a_deed(self) -> None:
        self.assertEqual(self.erase(Asked()), log_search.Erased(0, is_all=True))
        self.assertEqual(self.told(), [])

    def test_many_go_in_chunks_and_the_history_knows_when_they_begin_and_how_many_went(self) -> None:
        self.fill(*[VALID] * 7, *[WRONG] * 2)
        with patch.object(log_search, "ROWS_AT_ONCE", 3):
            done = self.erase(Asked(is_valid=True))

        self.assertEqual(done, log_search.Erased(7, is_all=True))
        self.assertEqual(len(self.rows()), 2)
        self.assertEqual(
            self.told(),
            [("log.erased", {"records": "7", "filters": "verdict"}), ("log.erasing", {"filters": "verdict"})],
        )

    def test_a_killed_process_leaves_a_smaller_rest(self) -> None:
        self.fill(*[VALID] * 7)
        real = log_search._erase_chunk  # noqa: SLF001 - the crash strikes between two chunks
        chunks = iter((real, real))

        def killed(*arguments: Any) -> Any:
            chunk = next(chunks, None)
            if chunk is None:
                raise KeyboardInterrupt
            return chunk(*arguments)

        with (
            patch.object(log_search, "ROWS_AT_ONCE", 3),
            patch.object(log_search, "_erase_chunk", killed),
            pytest.raises(KeyboardInterrupt),
        ):
            self.erase(Asked())

        self.assertEqual(len(self.rows()), 1)
        self.assertEqual(self.told(), [("log.erasing", {"filters": "all"})])
        self.assertEqual(self.erase(Asked()), log_search.Erased(1, is_all=True))
        self.assertEqual(self.rows(), [])

    def test_a_deed_that_takes_too_long_ends_and_can_be_gone_on_with(self) -> None:
        self.fill(*[VALID] * 7)
        with patch.object(log_search, "ROWS_AT_ONCE", 3), patch.object(log_search, "ERASING_SECONDS", -1.0):
            self.assertEqual(self.erase(Asked()), log_search.Erased(3, is_all=False))
            self.assertEqual(self.erase(Asked()), log_search.Erased(3, is_all=False))
            self.assertEqual(self.erase(Asked()), log_search.Erased(1, is_all=True))

        self.assertEqual([tag for tag, _details in self.told()].count("log.erased"), 3)

    def test_nothing_that_came_after_somebody_had_looked_goes(self) -> None:
        seen = datetime(2026, 11, 1, 12, tzinfo=UTC)
        self.fill(VALID, at=seen - timedelta(seconds=1))
        [late] = self.fill(VALID, at=seen)

        self.erase(log_search.frozen(Asked(), seen))

        self.assertEqual([row.pk for row in self.rows()], [late])
        earlier = Asked(until=seen - timedelta(days=1))
        self.assertEqual(log_search.frozen(earlier, seen), earlier)

    def test_the_history_never_names_what_was_erased(self) -> None:
        self.keeps(Mode.FULL)
        self.fill(VALID)
        self.erase(Asked(number=log.blind_index(self.alice.client.pk, VALID), country="SE"))

        [(_tag, details)] = self.told()
        self.assertEqual(details, {"records": "1", "filters": "country, number"})
