"""Finding checks in the log of a client, and erasing them: by time, source, key, verdict, country or number.

The log may have millions of rows. So nothing here counts them all or steps over them: a page begins at its place in the
order of time, for which each filter has an index, and counting ends at a thousand.
"""

import time as clock
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple
from uuid import UUID, uuid4

from django.db import models, transaction
from django.db.models import F, Func, QuerySet, Value
from django.db.models.lookups import GreaterThan, LessThan
from django.http import HttpRequest

from accounts.audit import client_log
from accounts.models import Client, User
from privacy.deletion import ledger
from validation.models import ValidationRecord

MOST_COUNTED: Final = 1_000
ROWS_AT_ONCE: Final = 1_000
ERASING_SECONDS: Final = 20.0
"""So long one request may erase; what is left then waits for the next."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Which rows are meant: those that fit everything that is given here."""

    since: datetime | None = None
    until: datetime | None = None
    """The rows before it."""
    source: str = ""
    key: UUID | None = None
    is_valid: bool | None = None
    country: str | None = None
    """Empty: those whose country is not known."""
    number: bytes | None = None
    """The blind index of a number: see log.blind_index()."""
    row: UUID | None = None

    @property
    def kinds(self) -> tuple[str, ...]:
        """By what the rows are chosen, never by which value: what the history tells of it."""
        kinds = {
            "time": self.since or self.until,
            "source": self.source,
            "key": self.key,
            "verdict": self.is_valid is not None,
            "country": self.country is not None,
            "number": self.number,
            "row": self.row,
        }
        return tuple(kind for kind, is_given in kinds.items() if is_given)

    def written(self) -> dict[str, str]:
        """Return it as the ledger of deletions keeps it, without the number; `read` understands it."""
        written = {
            "since": self.since.isoformat() if self.since else None,
            "until": self.until.isoformat() if self.until else None,
            "source": self.source or None,
            "key": str(self.key) if self.key else None,
            "valid": None if self.is_valid is None else str(int(self.is_valid)),
            "country": self.country,
            "row": str(self.row) if self.row else None,
        }
        return {name: text for name, text in written.items() if text is not None}


def read(written: Mapping[str, str], number: bytes | None) -> Asked:
    """Return what was written down. Raises ValueError for what is none: it must not become everything."""
    if not (written or number) or not set(written) <= _WRITTEN:
        raise ValueError("That chooses no checks.")
    return Asked(
        since=datetime.fromisoformat(written["since"]) if "since" in written else None,
        until=datetime.fromisoformat(written["until"]) if "until" in written else None,
        source=written.get("source", ""),
        key=UUID(written["key"]) if "key" in written else None,
        is_valid=written["valid"] == "1" if "valid" in written else None,
        country=written.get("country"),
        number=number,
        row=UUID(written["row"]) if "row" in written else None,
    )


_WRITTEN: Final = frozenset({"since", "until", "source", "key", "valid", "country", "row"})


class Place(NamedTuple):
    """Where a row stands in the order of time; its id orders the rows of one second."""

    at: datetime
    id: UUID


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows, newest first, and whether there are others on either side."""

    rows: list[ValidationRecord]
    has_newer: bool = False
    has_older: bool = False


def page(client: Client, asked: Asked, *, rows: int, before: Place | None = None, after: Place | None = None) -> Page:
    """Return so many rows of the client at most: the newest, or those next to a place."""
    found = _found(client, asked)
    if after is not None:
        newer = list(found.filter(_beyond(GreaterThan, after)).order_by("at", "id")[: rows + 1])
        return Page(newer[:rows][::-1], has_newer=len(newer) > rows, has_older=True)
    found = found.filter(_beyond(LessThan, before)) if before is not None else found
    older = list(found.order_by("-at", "-id")[: rows + 1])
    return Page(older[:rows], has_newer=before is not None, has_older=len(older) > rows)


def place(row: ValidationRecord) -> Place:
    """Return where a row stands."""
    return Place(row.at, row.pk)


def chunks(client: Client, asked: Asked) -> Iterator[list[ValidationRecord]]:
    """Yield all rows of the client that fit, newest first, a thousand at a time; new ones do not come in between."""
    before = None
    while True:
        found = page(client, asked, rows=ROWS_AT_ONCE, before=before)
        if found.rows:
            yield found.rows
        if not found.has_older:
            return
        before = place(found.rows[-1])


def counted(client: Client, asked: Asked) -> int:
    """Return how many rows of the client fit; MOST_COUNTED + 1 means more than MOST_COUNTED."""
    # In an order that has an index, or the database might read the whole table for them.
    return _found(client, asked).order_by("-at", "-id")[: MOST_COUNTED + 1].count()


def one(client: Client, row: UUID) -> ValidationRecord | None:
    """Return a row of the client; None for any other."""
    return _found(client, Asked(row=row)).first()


def has_numbers(client: Client) -> bool:
    """Return whether any row of the client can be found by its number: it was kept in mode *full*."""
    found = ValidationRecord.objects.filter(client=client, blind_index__isnull=False)
    # In the order of the index of numbers, for the same reason as above.
    return bool(found.order_by("blind_index", "at", "id").values_list("pk", flat=True)[:1])


@dataclass(frozen=True, slots=True)
class Erased:
    """What was erased, and whether that was all."""

    rows: int
    is_all: bool


def erase(client: Client, asked: Asked, *, by: User, request: HttpRequest | None = None) -> Erased:
    """Erase the rows of the client that fit, for ever, a thousand in each transaction; return what was done.

    It ends after ERASING_SECONDS, and may be called again for the rest; so may it after a crash. The history tells how
    many went and by what they were chosen; for more than a thousand also, beforehand, that they begin to go. Raises
    OSError when the ledger cannot be written, by which they stay deleted after a restore; nothing is erased then.
    """
    if not page(client, asked, rows=1).rows:
        return Erased(0, is_all=True)
    now = datetime.now(UTC).replace(microsecond=0)
    chosen_again = frozen(asked, now + timedelta(seconds=1)).written()
    ledger.append(ledger.Deed(uuid4(), ledger.CHECKS, client.pk, now, number=asked.number, chosen=chosen_again))
    ends = clock.monotonic() + ERASING_SECONDS
    chosen = {"filters": ", ".join(asked.kinds) or "all"}
    with transaction.atomic():
        rows, last = _erase_chunk(client, asked, None)
        if last is not None:
            client_log.record("log.erasing", client=client, by=by, request=request, detail=chosen)
        elif rows:
            _record(client, rows, chosen, by, request)
    if last is None:
        return Erased(rows, is_all=True)
    while last is not None and clock.monotonic() < ends:
        with transaction.atomic():
            more, last = _erase_chunk(client, asked, last)
        rows += more
    _record(client, rows, chosen, by, request)
    return Erased(rows, is_all=last is None)


def drain(client: Client, asked: Asked) -> Iterator[int]:
    """Erase the rows of the client that fit, at most a thousand at each step, and yield after each how many went.

    Waits for rows that somebody else is busy with: at its end none is left. Whoever iterates may put each step into a
    transaction of its own; nothing is recorded.
    """
    last = None
    while True:
        before = last
        rows, last = _erase_chunk(client, asked, before, waits=True)
        if rows:
            yield rows
        elif before is None:  # From the beginning, and nothing there: also not what came in behind our back.
            return


def _record(client: Client, rows: int, chosen: dict[str, str], by: User, request: HttpRequest | None) -> None:
    client_log.record("log.erased", client=client, by=by, request=request, detail={"records": str(rows), **chosen})


def _erase_chunk(client: Client, asked: Asked, last: Place | None, *, waits: bool = False) -> tuple[int, Place | None]:
    """Erase the oldest rows behind a place; return how many, and the place to go on from if there may be more."""
    found = _found(client, asked)
    # From where the last chunk ended: from the beginning, each would step over all that were erased before it.
    found = found.filter(_beyond(GreaterThan, last)) if last is not None else found
    # Rows that another one is erasing just now are left to it.
    locked = found.order_by("at", "id").select_for_update(skip_locked=not waits)
    places = [Place(*line) for line in locked.values_list("at", "id")[:ROWS_AT_ONCE]]
    if not places:
        return 0, None
    ValidationRecord.objects.filter(pk__in=[place.id for place in places]).delete()
    return len(places), places[-1] if len(places) == ROWS_AT_ONCE else None


def frozen(asked: Asked, seen: datetime) -> Asked:
    """Return the same without the rows that came after what somebody has seen."""
    return replace(asked, until=min(asked.until or seen, seen))


def _found(client: Client, asked: Asked) -> QuerySet[ValidationRecord]:
    wanted: dict[str, Any] = {
        "at__gte": asked.since,
        "at__lt": asked.until,
        "source": asked.source or None,
        "key": asked.key,
        "is_valid": asked.is_valid,
        "country": asked.country,
        "blind_index": asked.number,
        "pk": asked.row,
    }
    given = {name: value for name, value in wanted.items() if value is not None}
    return ValidationRecord.objects.filter(client=client, **given)


def _beyond(comparison: type[LessThan | GreaterThan], place: Place) -> LessThan | GreaterThan:
    """Compare rows with a place as a pair: so the index leads there, however many rows one second has."""
    here = _pair(Value(place.at.astimezone(UTC), models.DateTimeField()), Value(place.id, models.UUIDField()))
    return comparison(_pair(F("at"), F("id")), here)


def _pair(*parts: F | Value) -> Func:
    return Func(*parts, template="(%(expressions)s)", output_field=models.TextField())
