"""The table of check records: inserting rows that are sealed already, opening them, erasing them."""

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any, Final
from uuid import UUID, uuid4

import msgspec
from django.db import connections, router, transaction
from django.db.models.lookups import GreaterThan

from accounts import audit
from accounts.actor import Actor
from accounts.audit.events import AuditEvent
from accounts.models import Client
from privacy import vault
from privacy.deletion import ledger
from validation.engine.normalise import normalise
from validation.models import ValidationRecord
from validation.recording.record import PURPOSE, RecordRow, SealedFields
from validation.records.search import CHUNK_ROWS, Cursor, RecordFilter, beyond, fetch_page, matching

ERASE_SECONDS: Final = 20.0
"""So long one request may erase; what is left then waits for the next."""

_COLUMNS: Final = (
    "id", "client", "at", "expires_on", "source", "key", "country", "is_valid", "codes", "sealed", "blind_index",
)  # fmt: skip


def insert_rows(rows: Iterable[tuple[UUID, RecordRow]]) -> None:
    """Insert rows of clients in the caller's transaction. Only the durable writer calls it."""
    connection = connections[router.db_for_write(ValidationRecord)]
    rows = list(rows)
    if not rows:
        return
    fields: list[Any] = [ValidationRecord._meta.get_field(name) for name in _COLUMNS]
    table = connection.ops.quote_name(ValidationRecord._meta.db_table)
    columns = ", ".join(connection.ops.quote_name(field.column) for field in fields)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # A third of the time that INSERT takes.
            with cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as copy:
                copy.write("".join([_for_postgresql(client, row) for client, row in rows]))
            return
        placeholders = ", ".join(["%s"] * len(fields))
        statement = f"INSERT INTO {table} ({columns}) VALUES ({placeholders})"
        cursor.executemany(statement, [_for_sqlite(client, row) for client, row in rows])


_NULL: Final = "\\N"
_HEX: Final = "\\\\x"


def _for_postgresql(client: UUID, row: RecordRow) -> str:
    """Return a row as a line of COPY's text format. No value holds a character that means something in it."""
    return (
        f"{row.id}\t{client.hex}\t{_second(row.at)}+00\t{_day(row.expires_on)}\t{row.source}\t"
        f"{row.key.hex if row.key else _NULL}\t{row.country}\t{row.is_valid}\t{row.codes}\t{_HEX}{row.sealed.hex()}\t"
        f"{_NULL if row.blind_index is None else _HEX + row.blind_index.hex()}\n"
    )


def _for_sqlite(client: UUID, row: RecordRow) -> tuple[Any, ...]:
    """Return a row as Django stores it in SQLite; letting Django convert each value takes ten times as long."""
    return (
        row.id,
        client.hex,
        _second(row.at),
        _day(row.expires_on),
        row.source,
        row.key.hex if row.key else None,
        *msgspec.structs.astuple(row)[5:],
    )


@lru_cache(maxsize=100)
def _second(at: int) -> str:
    return str(datetime.fromtimestamp(at, UTC).replace(tzinfo=None))


_day: Final = lru_cache(maxsize=100)(date.isoformat)


def blind_index(client: UUID, iban: str) -> bytes:
    """Return the index by which a client's records of one IBAN are found, however it is written."""
    return vault.blind_index(client, normalise(iban), purpose=PURPOSE)


def open_sealed(client: UUID, record_id: UUID, sealed: bytes | memoryview) -> SealedFields | None:
    """Return the sealed fields of a record; None when nothing is sealed. Raises vault.VaultError."""
    if not sealed:
        return None
    return msgspec.json.decode(vault.unseal(client, sealed, purpose=PURPOSE, record=record_id.hex), type=SealedFields)


@dataclass(frozen=True, slots=True)
class Erasure:
    """How many records were erased, and whether those were all."""

    records: int
    is_complete: bool


def erase_records(client: Client, wanted: RecordFilter, *, by: Actor) -> Erasure:
    """Erase the matching records of the client for good, a thousand in each transaction.

    It ends after ERASE_SECONDS, and may be called again for the rest; so may it after a crash. The audit log says how
    many were erased and by which kinds of filter; for more than a thousand also, beforehand, that it begins. Raises
    OSError when the ledger cannot be written, by which they stay deleted after a restore; nothing is erased then.
    """
    if not fetch_page(client, wanted, size=1).records:
        return Erasure(0, is_complete=True)
    now = datetime.now(UTC).replace(microsecond=0)
    selection = wanted.before(now + timedelta(seconds=1)).to_ledger()
    ledger.append(
        ledger.LedgerEntry(uuid4(), ledger.CHECKS, client.pk, now, iban_index=wanted.iban_index, selection=selection)
    )
    deadline = time.monotonic() + ERASE_SECONDS
    detail = {"filters": ", ".join(wanted.kinds) or "all"}
    with transaction.atomic():
        erased, last = _erase_chunk(client, wanted, None)
        if last is not None:
            audit.record(AuditEvent.RECORDS_ERASING, client=client, by=by, detail=detail)
        elif erased:
            detail = {"records": str(erased), **detail}
            audit.record(AuditEvent.RECORDS_ERASED, client=client, by=by, detail=detail)
    if last is None:
        return Erasure(erased, is_complete=True)
    while last is not None and time.monotonic() < deadline:
        with transaction.atomic():
            more, last = _erase_chunk(client, wanted, last)
        erased += more
    detail = {"records": str(erased), **detail}
    audit.record(AuditEvent.RECORDS_ERASED, client=client, by=by, detail=detail)
    return Erasure(erased, is_complete=last is None)


def erase_in_chunks(client: Client, wanted: RecordFilter) -> Iterator[int]:
    """Erase the matching records of the client, at most a thousand at each step, and yield after each how many.

    Waits for records that somebody else has locked: at its end none is left. The caller may put each step into a
    transaction of its own; nothing is written to the audit log.
    """
    last = None
    while True:
        before = last
        erased, last = _erase_chunk(client, wanted, before, waits=True)
        if erased:
            yield erased
        elif before is None:  # From the beginning, and nothing there: not what was inserted meanwhile either.
            return


def _erase_chunk(
    client: Client, wanted: RecordFilter, last: Cursor | None, *, waits: bool = False
) -> tuple[int, Cursor | None]:
    """Erase the oldest records after a cursor; return how many, and the cursor to go on from if there may be more."""
    found = matching(client, wanted)
    # From where the last chunk ended: from the beginning, each would step over all that were erased before it.
    found = found.filter(beyond(GreaterThan, last)) if last is not None else found
    # Records that another request is erasing just now are left to it.
    locked = found.order_by("at", "id").select_for_update(skip_locked=not waits)
    chunk = [Cursor(*values) for values in locked.values_list("at", "id")[:CHUNK_ROWS]]
    if not chunk:
        return 0, None
    ValidationRecord.objects.filter(pk__in=[cursor.id for cursor in chunk]).delete()
    return len(chunk), chunk[-1] if len(chunk) == CHUNK_ROWS else None
