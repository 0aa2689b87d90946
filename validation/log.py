"""The only door to the log of checks: what is kept of a verdict, sealed before anything of it is written anywhere.

What a client wants kept is its own decision (privacy/logging_mode.py). In mode *full* the IBAN, its bank and the
caller's address are sealed under the client's data key, bound to this row; the blind index, an HMAC under a key of the
same client, finds one number again and tells nothing to anybody else.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from random import getrandbits
from typing import Any, Final
from uuid import UUID

import msgspec
from django.db import connections, router

from privacy import logging_mode, vault
from privacy.models import Mode
from validation.engine import Verdict
from validation.engine.normalise import normalise
from validation.models import ValidationRecord

PURPOSE: Final = "validation.record"


class Sealed(msgspec.Struct):
    """What of a row is sealed."""

    iban: str
    """The normalised text, as far as normalising goes."""
    bank_code: str | None
    bic: str | None
    address: str
    """The caller's."""


class Row(msgspec.Struct, array_like=True, frozen=True):
    """A row of the log on its way to the database, as it goes into the spool."""

    id: UUID
    at: int
    """In whole seconds (Unix time): finer times would let a reader of the table line up two clients' rows."""
    expires_on: date
    source: str
    key: UUID | None
    country: str
    """Empty when unknown."""
    is_valid: bool
    codes: str
    """The codes of the reasons, with blanks between them."""
    sealed: bytes
    """Empty unless the mode is *full*."""
    blind_index: bytes | None


class Caller(msgspec.Struct, frozen=True):
    """Who made the check."""

    client: UUID
    source: str
    key: UUID | None
    address: str


def rows(verdicts: Sequence[Verdict], caller: Caller, choice: logging_mode.Choice) -> tuple[Row, ...]:
    """Return what is to be kept of the verdicts: nothing in mode *off*.

    Raises vault.VaultError when nothing can be sealed for the client.
    """
    if choice.mode == Mode.OFF:
        return ()
    now = datetime.now(UTC)
    at, expires_on = int(now.timestamp()), now.date() + timedelta(days=choice.days)
    return tuple(_row(verdict, caller, (at, expires_on), is_full=choice.mode == Mode.FULL) for verdict in verdicts)


_COLUMNS: Final = (
    "id", "client", "at", "expires_on", "source", "key", "country", "is_valid", "codes", "sealed", "blind_index",
)  # fmt: skip


def write(rows: Iterable[tuple[UUID, Row]]) -> None:
    """Put rows of clients into the log, in the caller's transaction. Only the durable writer calls it."""
    connection = connections[router.db_for_write(ValidationRecord)]
    is_postgresql = connection.vendor == "postgresql"
    lines = _for_postgresql(rows) if is_postgresql else _for_sqlite(rows)
    if not lines:
        return
    fields: list[Any] = [ValidationRecord._meta.get_field(name) for name in _COLUMNS]  # noqa: SLF001 - Django documents _meta
    table = connection.ops.quote_name(ValidationRecord._meta.db_table)  # noqa: SLF001 - as above
    columns = ", ".join(connection.ops.quote_name(field.column) for field in fields)
    with connection.cursor() as cursor:
        if is_postgresql:
            # A third of the time that INSERT takes.
            with cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as copy:
                for line in lines:
                    copy.write_row(line)
            return
        places = ", ".join(["%s"] * len(fields))
        cursor.executemany(f"INSERT INTO {table} ({columns}) VALUES ({places})", lines)  # noqa: S608 - the names are Django's


def _for_postgresql(rows: Iterable[tuple[UUID, Row]]) -> list[tuple[Any, ...]]:
    return [
        (row.id, client, datetime.fromtimestamp(row.at, UTC), *msgspec.structs.astuple(row)[2:]) for client, row in rows
    ]


def _for_sqlite(rows: Iterable[tuple[UUID, Row]]) -> list[tuple[Any, ...]]:
    """Return the rows as Django would have SQLite keep them; asking Django for each value takes ten times as long."""
    return [
        (
            row.id.hex,
            client.hex,
            _second(row.at),
            _day(row.expires_on),
            row.source,
            row.key.hex if row.key else None,
            *msgspec.structs.astuple(row)[5:],
        )
        for client, row in rows
    ]


@lru_cache(maxsize=100)
def _second(at: int) -> str:
    return str(datetime.fromtimestamp(at, UTC).replace(tzinfo=None))


_day: Final = lru_cache(maxsize=100)(date.isoformat)


def blind_index(client: UUID, text: str) -> bytes:
    """Return the index by which a client's rows about one number are found, however it is written."""
    return vault.blind_index(client, normalise(text), purpose=PURPOSE)


def opened(client: UUID, row_id: UUID, sealed: bytes | memoryview) -> Sealed | None:
    """Return what of a row is sealed; None when nothing is. Raises vault.VaultError."""
    if not sealed:
        return None
    return msgspec.json.decode(vault.unseal(client, sealed, purpose=PURPOSE, record=row_id.hex), type=Sealed)


def _row(verdict: Verdict, caller: Caller, when: tuple[int, date], *, is_full: bool) -> Row:
    row_id = UUID(int=getrandbits(128), version=4)
    return Row(
        row_id,
        *when,
        caller.source,
        caller.key,
        verdict.country.code if verdict.country else "",
        verdict.valid,
        " ".join([reason.code for reason in verdict.reasons]),
        _sealed(verdict, caller, row_id) if is_full else b"",
        vault.blind_index(caller.client, verdict.iban, purpose=PURPOSE) if is_full else None,
    )


def _sealed(verdict: Verdict, caller: Caller, row_id: UUID) -> bytes:
    kept = Sealed(verdict.iban, verdict.bank_code, verdict.bank.bic if verdict.bank else None, caller.address)
    return vault.seal(caller.client, msgspec.json.encode(kept), purpose=PURPOSE, record=row_id.hex)
