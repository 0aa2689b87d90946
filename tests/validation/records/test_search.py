"""Finding check records: by every filter, page by page, by their own client alone."""

from datetime import UTC, datetime, timedelta
from unittest.mock import patch
from uuid import UUID, uuid4

import pytest

from privacy.models import Mode
from tests.support.check_records import OTHER, SPELLINGS, VALID, WRONG, CheckRecordsTest
from validation.records import search, store
from validation.records.search import Cursor, RecordFilter


class RecordSearchTests(CheckRecordsTest):
    @pytest.mark.claim("blind_index")
    def test_an_iban_is_found_in_any_spelling_by_its_own_client(self) -> None:
        for who in (self.alice, self.mallory):
            self.choose_logging(Mode.FULL, who=who)
            self.fill(VALID, VALID, OTHER, who=who)

        for spelling in (VALID, *SPELLINGS):
            iban_index = store.blind_index(self.alice.client.pk, spelling)
            self.assertEqual(self.count(RecordFilter(iban_index=iban_index)), 2, spelling)
            self.assertEqual(self.count(RecordFilter(iban_index=iban_index), self.mallory), 0)

    def test_a_record_without_iban_is_not_found_by_it(self) -> None:
        self.fill(VALID)
        self.assertFalse(search.has_searchable_ibans(self.alice.client))
        self.choose_logging(Mode.FULL)
        self.fill(VALID)
        self.choose_logging(Mode.VERDICT)
        self.fill(VALID)

        self.assertTrue(search.has_searchable_ibans(self.alice.client))
        self.assertFalse(search.has_searchable_ibans(self.mallory.client))
        self.assertEqual(self.count(RecordFilter(iban_index=store.blind_index(self.alice.client.pk, VALID))), 1)

    def test_filters_combine(self) -> None:
        self.alice.key()
        key = self.alice.client.keys.get().pk
        noon = datetime(2026, 11, 1, 12, tzinfo=UTC)
        self.fill(VALID, OTHER, WRONG, at=noon, source="page")
        self.fill(VALID, WRONG, "XX00", at=noon + timedelta(hours=1), key=key)

        expected = {
            RecordFilter(): 6,
            RecordFilter(since=noon + timedelta(seconds=1)): 3,
            RecordFilter(until=noon): 0,
            RecordFilter(until=noon + timedelta(seconds=1)): 3,
            RecordFilter(source="page"): 3,
            RecordFilter(key=key): 3,
            RecordFilter(is_valid=True): 3,
            RecordFilter(is_valid=False): 3,
            RecordFilter(country="DE"): 3,
            RecordFilter(country=""): 1,
            RecordFilter(country="DE", is_valid=False, source="page"): 1,
            RecordFilter(country="DE", is_valid=False, source="page", since=noon + timedelta(minutes=1)): 0,
            RecordFilter(key=key, country="DE", until=noon + timedelta(days=1)): 1,
        }
        for wanted, rows in expected.items():
            with self.subTest(wanted=wanted):
                self.assertEqual(self.count(wanted), rows)
                self.assertEqual(len(search.fetch_page(self.alice.client, wanted, size=10).records), rows)
                self.assertEqual(self.count(wanted, self.mallory), 0)

    def test_pages_have_no_gap_and_no_overlap(self) -> None:
        noon = datetime(2026, 11, 1, 12, tzinfo=UTC)
        for second, rows in enumerate((7, 1, 4, 13)):
            self.fill(*[VALID] * rows, at=noon + timedelta(seconds=second))
        everything = [row.pk for row in self.records()]
        self.assertEqual(len(everything), 25)

        forth: list[UUID] = []
        page = search.fetch_page(self.alice.client, RecordFilter(), size=4)
        pages = [page]
        while page.has_older:
            forth += [row.pk for row in page.records]
            page = search.fetch_page(
                self.alice.client, RecordFilter(), size=4, before=search.cursor_of(page.records[-1])
            )
            pages.append(page)
        forth += [row.pk for row in page.records]
        self.assertEqual(forth, everything)

        for number in range(len(pages) - 1, 0, -1):
            back = search.fetch_page(
                self.alice.client, RecordFilter(), size=4, after=search.cursor_of(pages[number].records[0])
            )
            self.assertEqual(back.records, pages[number - 1].records)
            self.assertEqual(back.has_newer, number > 1)

    def test_a_cursor_may_stand_between_records(self) -> None:
        self.fill(VALID, VALID)
        cursor = Cursor(datetime.now(UTC) + timedelta(days=1), uuid4())

        page = search.fetch_page(self.alice.client, RecordFilter(), size=10, before=cursor)

        self.assertEqual((len(page.records), page.has_newer, page.has_older), (2, True, False))

    def test_chunks_come_newest_first(self) -> None:
        self.fill(*[VALID] * 7)
        with patch.object(search, "CHUNK_ROWS", 3):
            chunks = list(search.iterate_chunks(self.alice.client, RecordFilter()))

        self.assertEqual([len(chunk) for chunk in chunks], [3, 3, 1])
        self.assertEqual([row for chunk in chunks for row in chunk], self.records())

    def test_counting_ends_at_the_maximum(self) -> None:
        self.fill(*[VALID] * 5)
        with patch.object(search, "MAX_COUNTED", 3):
            self.assertEqual(self.count(RecordFilter()), 4)

    @pytest.mark.claim("customers_apart")
    def test_a_record_of_another_client_is_not_found_by_id(self) -> None:
        [row] = self.fill(VALID)

        self.assertIsNotNone(search.find_record(self.alice.client, row))
        self.assertIsNone(search.find_record(self.mallory.client, row))
