"""What is recorded of a check: as much as the client wants stored, and nothing of visitors and test keys."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch
from uuid import UUID

import pytest

from privacy.models import Mode
from tests.support.check_records import SPELLINGS, VALID, WRONG, CheckRecordsTest
from validation.models import ValidationRecord
from validation.recording import writer
from validation.recording.record import SealedFields
from validation.records import store


@contextmanager
def spooling_writer() -> Iterator[Path]:
    """Let this process spool into a folder, as a worker does, and write nothing to the database."""
    with tempfile.TemporaryDirectory() as name:
        spooling = writer.Writer(Path(name))
        with patch.object(writer, "_writer", spooling):
            yield Path(name)


@pytest.mark.claim("off_is_never_written")
class RecordingTests(CheckRecordsTest):
    def test_a_new_client_stores_verdicts_for_thirty_days(self) -> None:
        self.alice.checks(VALID)

        [row] = self.records()
        self.assertEqual(row.expires_on, datetime.now(UTC).date() + timedelta(days=30))
        self.assertEqual((bytes(row.sealed), row.blind_index), (b"", None))

    def test_off_stores_nothing(self) -> None:
        self.choose_logging(Mode.OFF)
        key = self.alice.key()

        self.alice.checks(VALID)
        self.calls(key, "/api/v1/validate", {"iban": VALID})
        self.calls(key, "/api/v1/validate/batch", {"ibans": [VALID, WRONG]})

        self.assertEqual(self.records(), [])

    @pytest.mark.claim("blind_index")
    def test_verdict_stores_exactly_these_fields(self) -> None:
        self.choose_logging(Mode.VERDICT, days=7)
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

    def test_full_stores_the_rest_sealed(self) -> None:
        self.choose_logging(Mode.FULL)

        self.alice.checks(SPELLINGS[0])

        [row] = self.records()
        fields = store.open_sealed(self.alice.client.pk, row.pk, row.sealed)
        self.assertEqual(fields, SealedFields(VALID, "500", "ESSESESS", "192.0.2.7"))
        self.assertEqual((row.source, row.key, row.country, row.is_valid, row.codes), ("page", None, "SE", True, ""))
        for clear in (VALID, "192.0.2.7", "ESSESESS"):
            self.assertNotIn(clear.encode(), bytes(row.sealed) + bytes(row.blind_index or b""))

    def test_every_number_of_a_batch_is_a_row(self) -> None:
        self.calls(self.alice.key(), "/api/v1/validate/batch", {"ibans": [VALID, WRONG, "XX00", ""]})

        found = {(row.country, row.is_valid, row.codes) for row in self.records()}
        self.assertEqual(
            found, {("SE", True, ""), ("DE", False, "checksum"), ("", False, "country checksum"), ("", False, "length")}
        )

    @pytest.mark.claim("one_silent_call")
    def test_a_call_can_turn_logging_off(self) -> None:
        self.choose_logging(Mode.FULL)
        key = self.alice.key()

        for value in ("1", "yes", "true", " 1 "):
            self.calls(key, "/api/v1/validate", {"iban": VALID}, HTTP_X_NO_LOG=value)
        self.assertEqual(self.records(), [])

        for value in ("0", ""):
            self.calls(key, "/api/v1/validate", {"iban": VALID}, HTTP_X_NO_LOG=value)
        self.assertEqual(len(self.records()), 2)

    @pytest.mark.claim("one_silent_call")
    def test_no_call_can_turn_logging_on(self) -> None:
        self.choose_logging(Mode.OFF)
        key = self.alice.key()

        for value in ("0", "", "-1", "full"):
            self.calls(key, "/api/v1/validate", {"iban": VALID}, HTTP_X_NO_LOG=value)

        self.assertEqual(self.records(), [])

    def test_a_test_key_leaves_no_trace(self) -> None:
        self.choose_logging(Mode.FULL)

        self.calls(self.alice.key(is_test=True), "/api/v1/validate", {"iban": VALID})

        self.assertEqual(self.records(), [])

    @pytest.mark.claim("visitors")
    def test_a_visitor_leaves_no_trace(self) -> None:
        self.visitor.checks(VALID)
        self.sten.checks(VALID)

        self.assertEqual(ValidationRecord.objects.count(), 0)

    def test_a_members_checks_are_recorded(self) -> None:
        self.vera.checks(VALID)

        self.assertEqual([row.source for row in self.records()], ["page"])

    def test_refusals_leave_no_trace(self) -> None:
        key = self.alice.key()

        self.calls(key, "/api/v1/validate", {"iban": 7})
        self.calls(key, "/api/v1/validate", b"{")
        self.calls(key[:-1] + "x", "/api/v1/validate", {"iban": VALID})
        self.alice.checks("")

        self.assertEqual(self.records(), [])

    def test_a_choice_applies_to_the_next_check(self) -> None:
        for mode, rows in ((Mode.FULL, 2), (Mode.OFF, 2), (Mode.VERDICT, 4), (Mode.OFF, 4)):
            self.choose_logging(mode)
            self.alice.checks(VALID)
            self.calls(self.alice.key(), "/api/v1/validate", {"iban": VALID})
            self.assertEqual(len(self.records()), rows, mode)

    def test_fields_are_sealed_before_they_are_spooled(self) -> None:
        self.choose_logging(Mode.FULL)
        with spooling_writer() as folder:
            self.alice.checks(VALID)
            lying = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())

        self.assertIn(b"page", lying)
        for clear in (VALID, VALID[4:], "192.0.2.7", "ESSESESS"):
            self.assertNotIn(clear.encode(), lying)
