"""The pages of check records: for owners only, never an IBAN in a URL, nothing erased without having been shown."""

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from unittest.mock import patch
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import pytest
from django.test import override_settings

from accounts.audit import client_log
from privacy import vault
from privacy.deletion import ledger
from privacy.models import Mode
from tests.base import Person
from tests.support.check_records import OTHER, SPELLINGS, VALID, WRONG, CheckRecordsTest
from validation.models import ValidationRecord
from validation.records import forms, search, store, views
from validation.records.search import Cursor

NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)
GROUPED = "SE45 5000 0000 0583 9825 7466"
TRACES = (VALID, GROUPED, VALID.lower(), "58398257466", "SE45%205000", "SE45+5000")


class RecordPagesTest(CheckRecordsTest):
    """A test with the words that people read."""

    def page(self, path: str = "/log/", who: Person | None = None, status: int = 200) -> str:
        """Return a page as it is read."""
        response = (who or self.alice).opens(path)
        self.assertEqual(response.status_code, status)
        self.assertEqual(response["Cache-Control"], "no-store")
        return response.content.decode()

    def export(self, ending: str, **fields: str) -> str:
        """Return the file that an export sends."""
        response = self.alice.posts("/log/export/", {"format": ending, **fields})
        self.assertEqual(response.status_code, 200)
        self.assertEqual(response["Cache-Control"], "no-store")
        self.assertIn(f'.{ending}"', response["Content-Disposition"])
        return b"".join(response.streaming_content).decode()  # type: ignore[attr-defined]  # it is one that streams

    def audit_details(self, tag: str) -> list[dict[str, str]]:
        """Return the details of the audit entries of an event, newest first."""
        client = self.alice.client
        return [entry.details for entry in client_log.open_entries(client, client_log.entries(client, tag=tag))]


class RecordListTests(RecordPagesTest):
    def test_an_empty_log_says_how_it_is_filled(self) -> None:
        page = self.page()

        self.assertIn("The log is empty", page)
        self.assertIn("Check an IBAN on the page or with an API key", page)
        self.assertNotIn("Export as CSV", page)

    def test_an_empty_log_that_is_switched_off_leads_to_the_switch(self) -> None:
        self.choose_logging(Mode.OFF)

        page = self.page()

        self.assertIn("Checks are not recorded here while logging is off.", page)
        self.assertIn('href="/account/settings/security-and-privacy/"', page)

    def test_what_was_stored_before_the_switch_is_still_shown(self) -> None:
        self.fill(VALID)
        self.choose_logging(Mode.OFF)

        page = self.page()

        self.assertIn("Nothing new is added.", page)
        self.assertIn("Sweden", page)

    def test_a_verdict_is_shown_with_icon_word_and_reasons_but_no_number(self) -> None:
        self.alice.key()
        key = self.alice.client.keys.get()
        self.fill(WRONG, key=key.pk)

        page = self.page()

        self.assertRegex(page, r'<span class="mark bad"><svg[\s\S]*?not valid</span>')
        self.assertIn("The check digits do not match the rest of the number.", page)
        self.assertIn("Germany", page)
        self.assertIn("Accounting", page)
        self.assertIn(f"{key.prefix}…", page)
        self.assertNotIn('<th scope="col">IBAN</th>', page)
        self.assertNotIn("192.0.2.7", page)

    def test_full_shows_number_bank_and_address(self) -> None:
        self.choose_logging(Mode.FULL)
        self.fill(VALID)

        page = self.page()

        for text in (GROUPED, "SEB", "ESSESESS", "192.0.2.7"):
            self.assertIn(text, page)

    def test_what_was_sent_is_shown_as_text(self) -> None:
        self.choose_logging(Mode.FULL)
        [row] = self.fill("<script>alert(1)</script>")

        for path in ("/log/", f"/log/{row}/", "/log/delete/"):
            page = self.page(path)
            self.assertNotIn("<SCRI", page)
            self.assertNotIn("<script>alert", page)

    def test_a_row_that_cannot_be_opened_breaks_no_page_and_can_be_deleted(self) -> None:
        self.choose_logging(Mode.FULL)
        first, second = self.fill(VALID, OTHER)
        seal = ValidationRecord.objects.get(pk=first).sealed
        ValidationRecord.objects.filter(pk=second).update(sealed=seal)

        page = self.page()

        self.assertIn("cannot be decrypted", page)
        self.assertIn(GROUPED, page)
        self.assertIn("it cannot be decrypted", self.page(f"/log/{second}/"))
        [broken] = [row for row in json.loads(self.export("json"))["rows"] if row["cannot_be_opened"]]
        self.assertEqual((broken["id"], broken["iban"]), (str(second), None))
        self.assertIn("cannot be decrypted", self.export("csv"))
        self.alice.posts(f"/log/{second}/delete/")
        self.assertEqual([row.pk for row in self.records()], [first])

    def test_a_log_whose_key_is_gone_is_shown_all_the_same(self) -> None:
        self.choose_logging(Mode.FULL)
        self.fill(VALID)
        with patch.object(store, "open_sealed", side_effect=vault.NoKey):
            page = self.page()

        self.assertIn("cannot be decrypted", page)

    def test_times_are_those_of_the_reader(self) -> None:
        [row] = self.fill(VALID, at=NOON)
        for zone, clock in (("", "14:00:00"), ("America/New_York", "08:00:00"), ("Asia/Kolkata", "17:30:00")):
            self.alice.user.time_zone = zone
            self.alice.user.save()
            self.assertIn(clock, self.page())
            self.assertIn(clock, self.page(f"/log/{row}/"))

    def test_one_check_shows_everything_stored(self) -> None:
        self.choose_logging(Mode.FULL, days=90)
        self.alice.key(name="Payroll")
        key = self.alice.client.keys.get()
        [row] = self.fill(VALID, key=key.pk)

        page = self.page(f"/log/{row}/")

        for text in (
            GROUPED,
            "ESSESESS",
            "500",
            "192.0.2.7",
            "Payroll",
            key.prefix,
            "Sweden",
            "API",
            "This is everything.",
        ):
            self.assertIn(text, page)

    def test_one_check_without_iban_names_what_is_missing(self) -> None:
        [row] = self.fill(VALID)

        self.assertIn("the bank and the IP address of the caller were not stored", self.page(f"/log/{row}/"))

    def test_nobody_else_sees_the_log(self) -> None:
        [row] = self.fill(VALID)
        for path in ("/log/", f"/log/{row}/", f"/log/{row}/delete/", "/log/delete/"):
            self.assertEqual(self.vera.opens(path).status_code, 403)
            self.assertEqual(self.sten.opens(path).status_code, 302)  # To add a second factor first.
            self.assertEqual(self.visitor.opens(path).status_code, 302)
        for path in (f"/log/{row}/", f"/log/{row}/delete/"):
            self.assertEqual(self.mallory.opens(path).status_code, 404)
            self.assertEqual(self.mallory.opens(f"/log/{uuid4()}/").status_code, 404)
        self.assertEqual(self.mallory.posts(f"/log/{row}/delete/").status_code, 404)
        self.mallory.posts("/log/delete/")
        self.assertEqual([record.pk for record in self.records()], [row])
        self.assertNotIn("Sweden</td>", self.page(who=self.mallory))


class RecordFilterPageTests(RecordPagesTest):
    def rows_of(self, query: str, status: int = 200) -> int:
        """Return how many rows a query shows."""
        return self.page(f"/log/?{query}", status=status).count('<th scope="row" class="when">')

    def test_every_filter_works_by_its_address(self) -> None:
        self.alice.key()
        key = self.alice.client.keys.get().pk
        self.fill(VALID, WRONG, at=NOON, source="page")
        self.fill(OTHER, "XX00", at=NOON + timedelta(days=1), key=key)

        expected = {
            "": 4,
            "verdict=valid": 2,
            "verdict=invalid": 2,
            "country=DE": 2,
            "country=none": 1,
            "source=page": 2,
            f"key={key}": 2,
            f"key={key}&verdict=valid&country=SE": 0,
            # 12:00 in UTC is 14:00 in Stockholm; a minute is meant to its end, and so is a day.
            "since=2026-07-01T14:00": 4,
            "since=2026-07-01T14:01": 2,
            "until=2026-07-01T14:00": 2,
            "until=2026-07-01T13:59": 0,
            "until=2026-07-01": 2,
            "since=2026-07-02&until=2026-07-02": 2,
            "since=2026-07-01T14:00:00&until=2026-07-01T14:00:00": 2,
        }
        for query, rows in expected.items():
            with self.subTest(query=query):
                self.assertEqual(self.rows_of(query), rows)

    def test_what_is_no_filter_is_reported_and_shows_nothing(self) -> None:
        self.fill(VALID)
        for query in (
            "since=yesterday",
            "since=2026-07-01T25:00",
            "since=0001-01-01",
            "until=9999-12-31",
            "since=2026-07-02&until=2026-07-01",
            "verdict=maybe",
            "country=Sweden",
            "source=fax",
            "key=7",
            f"key={uuid4()}",
            "number=x",
            "number=ÅÄÖ",
            "number=AAAA",
        ):
            with self.subTest(query=query):
                self.assertEqual(self.rows_of(query, status=422), 0)

    def test_the_key_of_another_client_is_no_filter(self) -> None:
        self.mallory.key()

        self.assertEqual(self.rows_of(f"key={self.mallory.client.keys.get().pk}", status=422), 0)

    def test_nothing_that_fits_is_reported(self) -> None:
        self.fill(VALID)

        self.assertIn("No matching checks.", self.page("/log/?verdict=invalid"))

    def test_filters_stay_when_pages_turn(self) -> None:
        self.fill(*[VALID] * 5, *[WRONG] * 5, at=NOON)
        with patch.object(views, "PAGE_ROWS", 2):
            seen: list[str] = []
            query = "verdict=valid"
            for rows in (2, 2, 1):
                response = self.alice.opens(f"/log/?{query}")
                self.assertEqual(len(response.context["rows"]), rows)
                self.assertIn("valid", query)
                seen += [row.id for row in response.context["rows"]]
                query = response.context.get("older", "")
            self.assertEqual((len(set(seen)), query), (5, ""))
            back = self.alice.opens(f"/log/?{response.context['newer']}")
            self.assertEqual([row.id for row in back.context["rows"]], seen[2:4])

    def test_a_place_that_nobody_gave_is_as_if_nobody_had_given_one(self) -> None:
        self.fill(VALID)
        for written in ("x", "1-", "-", "1e9-" + "0" * 32, "9" * 30 + "-" + "0" * 32, "\u0661-" + "0" * 31):
            self.assertEqual(self.rows_of(f"before={written}"), 1, written)
        cursor = Cursor(NOON, uuid4())
        self.assertEqual(forms.parse_cursor(forms.format_cursor(cursor)), cursor)


class IbanSearchPageTests(RecordPagesTest):
    def setUp(self) -> None:
        super().setUp()
        self.choose_logging(Mode.FULL)

    def found(self, text: str, who: Person | None = None) -> str:
        """Search as the form does and return where it leads."""
        response = (who or self.alice).posts("/log/find/", {"iban": text})
        self.assertEqual(response.status_code, 302)
        return str(response["Location"])

    def test_a_number_is_found_in_any_spelling(self) -> None:
        self.fill(VALID, VALID, OTHER)
        for spelling in (VALID, *SPELLINGS):
            page = self.page(self.found(spelling))
            self.assertEqual(page.count('<th scope="row" class="when">'), 2)
            self.assertIn("Only checks of", page)
            self.assertNotIn("DE89", page)

    def test_the_number_is_in_no_address_and_two_searches_have_nothing_in_common(self) -> None:
        self.fill(*[VALID] * 5)
        places = [self.found(VALID), self.found(VALID)]

        self.assertNotEqual(*places)
        with patch.object(views, "PAGE_ROWS", 2):
            page = self.alice.opens(places[0])
        self.assertIn("number=", page.context["older"])
        addresses = [*places, page.context["older"]]
        for trace in TRACES:
            for address in addresses:
                self.assertNotIn(trace, address)
            for link in page.content.decode().split('href="')[1:]:
                self.assertNotIn(trace, link.partition('"')[0])

    def test_a_search_can_be_narrowed(self) -> None:
        self.fill(VALID, at=NOON)
        self.fill(VALID, at=NOON + timedelta(days=1))
        token = parse_qs(urlsplit(self.found(VALID)).query)["number"][0]

        page = self.page(f"/log/?number={token}&since=2026-07-02")

        self.assertEqual(page.count('<th scope="row" class="when">'), 1)
        self.assertIn(f'name="number" value="{token}"', page)

    def test_a_search_of_one_client_is_of_no_use_to_another(self) -> None:
        self.choose_logging(Mode.FULL, who=self.mallory)
        self.fill(VALID)
        self.fill(VALID, who=self.mallory)

        page = self.page(self.found(VALID), who=self.mallory, status=422)

        self.assertIn("This search is invalid. Search for the number again.", page)
        self.assertNotIn(GROUPED, page)

    def test_a_number_that_is_not_there_is_reported_so(self) -> None:
        self.fill(OTHER)

        self.assertIn("No check of this number is stored", self.page(self.found(VALID)))

    def test_nothing_to_search_for_is_reported_at_the_field(self) -> None:
        for text in ("", " - ", "IBAN:"):
            response = self.alice.posts("/log/find/", {"iban": text})
            self.assertEqual(response.status_code, 422)
            self.assertIn("iban_error", response.content.decode())

    def test_without_numbers_the_page_says_why_none_can_be_searched(self) -> None:
        self.choose_logging(Mode.VERDICT)
        self.fill(VALID)
        page = self.page()
        self.assertIn("not possible because only the result is stored", page)
        self.assertNotIn('name="iban"', page)

        self.choose_logging(Mode.OFF)
        self.assertIn("not possible because your checks are not stored", self.page())

    def test_what_was_stored_with_its_number_before_is_still_found(self) -> None:
        self.fill(VALID)
        self.choose_logging(Mode.VERDICT)
        self.fill(VALID)

        self.assertIn("only checks stored earlier with their number are found", self.page())
        self.assertEqual(self.page(self.found(VALID)).count('<th scope="row" class="when">'), 1)


@pytest.mark.claim("deleted_records")
class ErasePageTests(RecordPagesTest):
    def fields_of(self, path: str) -> dict[str, str]:
        """Return what the page that asks for confirmation will post."""
        response = self.alice.opens(path)
        self.assertEqual(response.status_code, 200)
        return dict(response.context["carried"])

    def test_one_check_is_deleted_after_a_question(self) -> None:
        row, other = self.fill(VALID, WRONG)

        self.assertIn("This cannot be undone.", self.page(f"/log/{row}/delete/"))
        self.assertEqual(len(self.records()), 2)
        self.assertRedirects(self.alice.posts(f"/log/{row}/delete/"), "/log/")

        self.assertEqual([record.pk for record in self.records()], [other])
        self.assertEqual(self.audit_details("log.erased"), [{"records": "1", "filters": "row"}])
        self.assertEqual(self.alice.opens(f"/log/{row}/").status_code, 404)

    def test_just_what_was_shown_is_deleted(self) -> None:
        self.fill(VALID, WRONG, WRONG, at=NOON)
        page = self.page("/log/delete/?verdict=invalid")
        self.assertIn("Delete 2 checks?", page)
        self.assertIn("not valid", page)
        fields = self.fields_of("/log/delete/?verdict=invalid")
        self.fill(WRONG, at=datetime.now(UTC) + timedelta(minutes=1))

        self.assertRedirects(self.alice.posts("/log/delete/", fields), "/log/")

        self.assertEqual([record.is_valid for record in self.records()], [False, True])
        self.assertEqual(self.audit_details("log.erased"), [{"records": "2", "filters": "time, verdict"}])

    def test_everything_about_one_number_is_deleted(self) -> None:
        self.choose_logging(Mode.FULL)
        self.fill(VALID, OTHER, VALID)
        place = self.alice.posts("/log/find/", {"iban": SPELLINGS[1]})["Location"]
        path = "/log/delete/?" + urlsplit(place).query
        self.assertIn("Delete everything about this IBAN", self.page(place))
        self.assertIn(GROUPED, self.page(path))

        self.alice.posts("/log/delete/", self.fields_of(path))

        self.assertEqual([record.country for record in self.records()], ["DE"])
        [details] = self.audit_details("deletion.executed")
        self.assertEqual((details["scope"], details["records"]), ("number", "2"))
        self.assertIn("Deletion receipt", self.page("/log/"))
        self.assertIn("one IBAN", self.alice.opens("/account/history/").content.decode())

    def test_nothing_is_deleted_that_could_come_back_from_a_backup(self) -> None:
        [row] = self.fill(VALID)
        for path, fields in ((f"/log/{row}/delete/", {}), ("/log/delete/", {"verdict": "valid"}), ("/log/delete/", {})):
            with self.subTest(path=path, fields=fields), patch.object(ledger, "append", side_effect=OSError):
                response = self.alice.posts(path, fields, follow=True)

                self.assertEqual(response.status_code, 200)
                self.assertRegex(response.content.decode(), "Nothing was deleted|continues in the background")
        self.assertEqual(len(self.records()), 1)
        self.assertEqual(self.audit_details("log.erased"), [])

    def test_more_than_anybody_counts_is_reported_as_such(self) -> None:
        self.fill(*[VALID] * 4)
        with patch.object(search, "MAX_COUNTED", 3):
            self.assertIn("Delete more than 3 checks?", self.page("/log/delete/"))

    def test_what_could_not_be_finished_is_requested_again(self) -> None:
        self.fill(*[VALID] * 4, at=NOON)
        fields = self.fields_of("/log/delete/?verdict=valid")
        with patch.object(store, "CHUNK_ROWS", 3), patch.object(store, "ERASE_SECONDS", -1.0):
            page = self.alice.posts("/log/delete/", fields).content.decode()
            self.assertIn("3 checks have been deleted from the log.", page)
            self.assertIn("Delete again to continue", page)
            self.assertIn("Delete 1 check?", page)
            self.assertRedirects(self.alice.posts("/log/delete/", fields), "/log/")

        self.assertEqual(self.records(), [])

    def test_a_wrong_filter_deletes_nothing(self) -> None:
        self.fill(VALID)
        for wrong in ({"verdict": "maybe"}, {"number": "x"}, {"since": "yesterday"}, {"key": str(uuid4())}):
            self.assertEqual(self.alice.posts("/log/delete/", wrong).status_code, 422)
        self.assertEqual(len(self.records()), 1)

    def test_looking_deletes_nothing(self) -> None:
        [row] = self.fill(VALID)
        for path in ("/log/delete/", f"/log/{row}/delete/", "/log/export/", "/log/find/"):
            self.alice.opens(path)
        self.assertEqual(len(self.records()), 1)
        self.assertEqual((self.audit_details("log.erased"), self.audit_details("log.exported")), ([], []))

    def test_nothing_to_delete_is_reported(self) -> None:
        self.assertIn("Nothing to delete", self.page("/log/delete/?verdict=valid"))

    @pytest.mark.claim("proof_again")
    def test_the_owner_must_have_proved_themselves_just_now(self) -> None:
        [row] = self.fill(VALID)
        with override_settings(ACCOUNT_REAUTHENTICATION_TIMEOUT=-1):
            for path in ("/log/delete/", f"/log/{row}/delete/", "/log/export/"):
                response = self.alice.posts(path, {"format": "csv"})
                self.assertEqual(response.status_code, 302)
                self.assertIn("/account/again/?next=", response["Location"])

        self.assertEqual(len(self.records()), 1)


class ExportPageTests(RecordPagesTest):
    def test_csv_holds_every_row_that_fits_newest_first(self) -> None:
        self.choose_logging(Mode.FULL)
        self.fill(VALID, at=NOON)
        self.fill(WRONG, at=NOON + timedelta(days=1))
        self.fill(OTHER, at=NOON + timedelta(days=2))

        text = self.export("csv", country="DE")

        self.assertTrue(text.startswith("\ufeff"))
        heading, *lines = csv.reader(io.StringIO(text.removeprefix("\ufeff")))
        self.assertEqual([line[0] for line in lines], ["2026-07-03T12:00:00Z", "2026-07-02T12:00:00Z"])
        row = dict(zip(heading, lines[1], strict=True))
        self.assertEqual(
            (row["Result"], row["Reasons"], row["IBAN"], row["BIC"], row["Internet address"]),
            ("not valid", "The check digits do not match the rest of the number.", WRONG, "COBADEFFXXX", "192.0.2.7"),
        )
        self.assertEqual(self.audit_details("log.exported"), [{"file": "CSV", "filters": "country"}])

    def test_no_cell_is_a_formula(self) -> None:
        self.choose_logging(Mode.FULL)
        self.alice.key(name="=1+1")
        key = self.alice.client.keys.get().pk
        for text in ("=HYPERLINK(1)", "+1", "@SUM(1)", "\t=1", "＝1"):
            self.fill(text, key=key)

        for line in csv.reader(io.StringIO(self.export("csv").removeprefix("\ufeff"))):
            for cell in line:
                self.assertNotIn(cell[:1], ("=", "+", "-", "@", "\t", "\r", "＝"), cell)

    def test_json_holds_codes_and_canonical_forms(self) -> None:
        self.choose_logging(Mode.FULL)
        self.alice.key()
        key = self.alice.client.keys.get()
        self.fill(WRONG, at=NOON, key=key.pk)
        self.choose_logging(Mode.VERDICT)
        self.fill("XX00", at=NOON - timedelta(seconds=1), source="page")

        exported = json.loads(self.export("json"))

        self.assertEqual(exported["schema"], "ibanse-log-1")
        first, second = exported["rows"]
        del first["id"], first["kept_until"], second["id"], second["kept_until"]
        self.assertEqual(
            first,
            {
                "at": "2026-07-01T12:00:00Z",
                "source": "api",
                "key": key.prefix,
                "key_name": "Accounting",
                "valid": False,
                "country": "DE",
                "reasons": ["checksum"],
                "cannot_be_opened": False,
                "iban": WRONG,
                "bank_code": "37040044",
                "bic": "COBADEFFXXX",
                "address": "192.0.2.7",
            },
        )
        nothing = dict.fromkeys(("key", "key_name", "country", "iban", "bank_code", "bic", "address"))
        self.assertEqual(
            second,
            {
                **first,
                **nothing,
                "at": "2026-07-01T11:59:59Z",
                "source": "page",
                "reasons": ["country", "checksum"],
            },
        )

    def test_an_empty_export_is_a_file_as_well(self) -> None:
        self.assertEqual(json.loads(self.export("json"))["rows"], [])
        self.assertEqual(len(self.export("csv").splitlines()), 1)

    def test_a_file_is_written_in_pieces_of_a_limited_size(self) -> None:
        self.fill(*[VALID] * 10)
        with patch.object(search, "CHUNK_ROWS", 3):
            response = self.alice.posts("/log/export/", {"format": "json"})
            pieces = list(response.streaming_content)  # type: ignore[attr-defined]  # it is one that streams

        self.assertEqual(len(pieces), 1 + 4 + 1)
        self.assertEqual(len(json.loads(b"".join(pieces))["rows"]), 10)

    def test_the_file_speaks_the_language_of_the_page(self) -> None:
        self.fill(VALID)
        self.alice.user.language = "sv"
        self.alice.user.save()

        self.assertNotIn('"Result"', self.export("csv").splitlines()[0])

    def test_what_is_no_file_or_no_filter_is_refused_and_not_recorded(self) -> None:
        for wrong in ({"format": "xml"}, {}, {"format": "csv", "verdict": "maybe"}):
            self.assertEqual(self.alice.posts("/log/export/", wrong).status_code, 422)
        self.assertEqual(self.audit_details("log.exported"), [])
