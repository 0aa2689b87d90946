"""A test case with helpers for the check records of a client."""

from datetime import datetime
from typing import Any
from uuid import UUID

from accounts.guard import revisions
from privacy.check_logging import mode as check_logging_mode
from privacy.models import Mode
from tests.base import BaseTest, Person
from validation import engine
from validation.models import ValidationRecord
from validation.recording.record import RecordCaller, RecordRow, build_record
from validation.records import search, store
from validation.records.search import RecordFilter

VALID = "SE4550000000058398257466"
SPELLINGS = (
    "SE45 5000 0000 0583 9825 7466",
    "se45-5000-0000-0583-9825-7466",
    " IBAN: se455000 0000058398257466\n",
    "SE45\u00a05000\u202f0000.0583.9825.7466",
)
WRONG = "DE89370400440532013001"
OTHER = "DE89370400440532013000"


class CheckRecordsTest(BaseTest):
    """A test that fills and reads check records."""

    def choose_logging(self, mode: Mode, days: int = 30, who: Person | None = None) -> None:
        """Choose what is stored for a client; caches are emptied, so it is effective at once."""
        who = who or self.alice
        check_logging_mode.choose(who.client, check_logging_mode.Choice(mode, days), by=who.actor)
        revisions.forget()

    def records(self, who: Person | None = None) -> list[ValidationRecord]:
        """Return the records of a client, newest first."""
        return search.fetch_page((who or self.alice).client, RecordFilter(), size=10_000).records

    def fill(self, *ibans: str, who: Person | None = None, at: datetime | None = None, **caller: Any) -> list[UUID]:
        """Insert records of a client as the writer does, at a time; return their ids."""
        client = (who or self.alice).client
        fields = {"client": client.pk, "source": "api", "key": None, "ip_address": "192.0.2.7", **caller}
        verdicts = [engine.check(iban) for iban in ibans]
        rows = build_record(RecordCaller(**fields), verdicts, check_logging_mode.choice_of(client)).rows
        if at is not None:
            rows = tuple(
                RecordRow(row.id, int(at.timestamp()), *[getattr(row, name) for name in row.__struct_fields__[2:]])
                for row in rows
            )
        store.insert_rows([(client.pk, row) for row in rows])
        return [UUID(row.id) for row in rows]

    def count(self, wanted: RecordFilter, who: Person | None = None) -> int:
        """Return how many records match."""
        return search.count_matching((who or self.alice).client, wanted)
