"""Finding check records of a client: by time, source, key, verdict, country or IBAN.

A client may have millions of records. So nothing here counts them all or steps over them: a page begins at a cursor in
the order of time, for which each filter has an index, and counting ends at a thousand.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from django.db import models
from django.db.models import F, Func, QuerySet, Value
from django.db.models.lookups import GreaterThan, LessThan

from accounts.models import Client
from validation.models import ValidationRecord

MAX_COUNTED: Final = 1_000
CHUNK_ROWS: Final = 1_000


@dataclass(frozen=True, slots=True)
class RecordFilter:
    """Selects the records that match every field that is set."""

    since: datetime | None = None
    until: datetime | None = None
    """The records before it."""
    source: str = ""
    key: UUID | None = None
    is_valid: bool | None = None
    country: str | None = None
    """Empty: those whose country is not known."""
    iban_index: bytes | None = None
    """The blind index of an IBAN: see store.blind_index()."""
    record: UUID | None = None

    @property
    def kinds(self) -> tuple[str, ...]:
        """Which fields are set, never to which value: what the audit log says of it."""
        kinds = {
            "time": self.since or self.until,
            "source": self.source,
            "key": self.key,
            "verdict": self.is_valid is not None,
            "country": self.country is not None,
            "number": self.iban_index,
            "row": self.record,
        }
        return tuple(kind for kind, is_set in kinds.items() if is_set)

    def to_ledger(self) -> dict[str, str]:
        """Return it as the ledger of deletions stores it, without the IBAN; `from_ledger` reads it."""
        values = {
            "since": self.since.isoformat() if self.since else None,
            "until": self.until.isoformat() if self.until else None,
            "source": self.source or None,
            "key": str(self.key) if self.key else None,
            "valid": None if self.is_valid is None else str(int(self.is_valid)),
            "country": self.country,
            "row": str(self.record) if self.record else None,
        }
        return {name: text for name, text in values.items() if text is not None}

    @classmethod
    def from_ledger(cls, values: Mapping[str, str], iban_index: bytes | None) -> "RecordFilter":
        """Return the filter that was stored. Raises ValueError for what is none: it must not select everything."""
        if not (values or iban_index) or not set(values) <= _LEDGER_FIELDS:
            raise ValueError("That selects no checks.")
        return cls(
            since=datetime.fromisoformat(values["since"]) if "since" in values else None,
            until=datetime.fromisoformat(values["until"]) if "until" in values else None,
            source=values.get("source", ""),
            key=UUID(values["key"]) if "key" in values else None,
            is_valid=values["valid"] == "1" if "valid" in values else None,
            country=values.get("country"),
            iban_index=iban_index,
            record=UUID(values["row"]) if "row" in values else None,
        )

    def before(self, time: datetime) -> "RecordFilter":
        """Return the same filter without the records from this time on."""
        return replace(self, until=min(self.until or time, time))


_LEDGER_FIELDS: Final = frozenset({"since", "until", "source", "key", "valid", "country", "row"})


class Cursor(NamedTuple):
    """A place in the order of time; the id orders the records of one second."""

    at: datetime
    id: UUID


@dataclass(frozen=True, slots=True)
class RecordPage:
    """Some records, newest first, and whether there are others on either side."""

    records: list[ValidationRecord]
    has_newer: bool = False
    has_older: bool = False


def fetch_page(
    client: Client, wanted: RecordFilter, *, size: int, before: Cursor | None = None, after: Cursor | None = None
) -> RecordPage:
    """Return at most `size` records of the client: the newest, or those next to a cursor."""
    found = matching(client, wanted)
    if after is not None:
        newer = list(found.filter(beyond(GreaterThan, after)).order_by("at", "id")[: size + 1])
        return RecordPage(newer[:size][::-1], has_newer=len(newer) > size, has_older=True)
    found = found.filter(beyond(LessThan, before)) if before is not None else found
    older = list(found.order_by("-at", "-id")[: size + 1])
    return RecordPage(older[:size], has_newer=before is not None, has_older=len(older) > size)


def cursor_of(record: ValidationRecord) -> Cursor:
    """Return the place of a record."""
    return Cursor(record.at, record.pk)


def iterate_chunks(client: Client, wanted: RecordFilter) -> Iterator[list[ValidationRecord]]:
    """Yield all matching records of the client, newest first, a thousand at a time, without any that come meanwhile."""
    before = None
    while True:
        found = fetch_page(client, wanted, size=CHUNK_ROWS, before=before)
        if found.records:
            yield found.records
        if not found.has_older:
            return
        before = cursor_of(found.records[-1])


def count_matching(client: Client, wanted: RecordFilter) -> int:
    """Return how many records of the client match; MAX_COUNTED + 1 means more than MAX_COUNTED."""
    # In an order that has an index, or the database might read the whole table for them.
    return matching(client, wanted).order_by("-at", "-id")[: MAX_COUNTED + 1].count()


def find_record(client: Client, pk: UUID) -> ValidationRecord | None:
    """Return a record of the client; None for any other."""
    return matching(client, RecordFilter(record=pk)).first()


def has_searchable_ibans(client: Client) -> bool:
    """Return whether any record of the client can be found by its IBAN: it was stored in mode *full*."""
    found = ValidationRecord.objects.filter(client=client, blind_index__isnull=False)
    # In the order of the index of IBANs, for the same reason as above.
    return bool(found.order_by("blind_index", "at", "id").values_list("pk", flat=True)[:1])


def matching(client: Client, wanted: RecordFilter) -> QuerySet[ValidationRecord]:
    """Return the query for all matching records of the client, in no order."""
    lookups: dict[str, Any] = {
        "at__gte": wanted.since,
        "at__lt": wanted.until,
        "source": wanted.source or None,
        "key": wanted.key,
        "is_valid": wanted.is_valid,
        "country": wanted.country,
        "blind_index": wanted.iban_index,
        "pk": wanted.record,
    }
    used = {name: value for name, value in lookups.items() if value is not None}
    return ValidationRecord.objects.filter(client=client, **used)


def beyond(comparison: type[LessThan | GreaterThan], cursor: Cursor) -> LessThan | GreaterThan:
    """Compare records with a cursor as a pair: so the index leads there, however many records one second has."""
    place = _pair(Value(cursor.at.astimezone(UTC), models.DateTimeField()), Value(cursor.id, models.UUIDField()))
    return comparison(_pair(F("at"), F("id")), place)


def _pair(*parts: F | Value) -> Func:
    return Func(*parts, template="(%(expressions)s)", output_field=models.TextField())
