"""The only door to the log of checks: what is kept of a verdict, sealed before anything of it is written anywhere.

What a client wants kept is its own decision (privacy/check_logging/mode.py). In mode *full* the IBAN, its bank and the
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

from privacy import vault
from privacy.check_logging import mode
from privacy.models import Mode
from validation.engine import Verdict
from validation.engine.normalise import normalise
from validation.models import ValidationRecord

PURPOSE: Final = "validation.record"
_encode: Final = msgspec.json.Encoder().encode


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

    id: str
    """A UUID in 32 hexadecimal digits."""
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


def rows(verdicts: Sequence[Verdict], caller: Caller, choice: mode.Choice) -> tuple[Row, ...]:
    """Return what is to be kept of the verdicts: nothing in mode *off*.

    Raises vault.VaultError when nothing can be sealed for the client.
    """
    if choice.mode == Mode.OFF:
        return ()
    now = datetime.now(UTC)
    at, expires_on = int(now.timestamp()), now.date() + timedelta(days=choice.days)
    sealing = vault.sealing(caller.client, purpose=PURPOSE) if choice.mode == Mode.FULL else None
    return tuple([_row(verdict, caller, (at, expires_on), sealing) for verdict in verdicts])


_COLUMNS: Final = (
    "id", "client", "at", "expires_on", "source", "key", "country", "is_valid", "codes", "sealed", "blind_index",
)  # fmt: skip


def write(rows: Iterable[tuple[UUID, Row]]) -> None:
    """Put rows of clients into the log, in the caller's transaction. Only the durable writer calls it."""
    connection = connections[router.db_for_write(ValidationRecord)]
    rows = list(rows)
    if not rows:
        return
    fields: list[Any] = [ValidationRecord._meta.get_field(name) for name in _COLUMNS]  # noqa: SLF001 - Django documents _meta
    table = connection.ops.quote_name(ValidationRecord._meta.db_table)  # noqa: SLF001 - as above
    columns = ", ".join(connection.ops.quote_name(field.column) for field in fields)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # A third of the time that INSERT takes.
            with cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as copy:
                copy.write("".join([_for_postgresql(client, row) for client, row in rows]))
            return
        places = ", ".join(["%s"] * len(fields))
        statement = f"INSERT INTO {table} ({columns}) VALUES ({places})"  # noqa: S608 - the names are Django's
        cursor.executemany(statement, [_for_sqlite(client, row) for client, row in rows])


def _for_postgresql(client: UUID, row: Row) -> str:
    """Return a row as a line of COPY's text format. No value holds a sign that means something in it."""
    return (
        f"{row.id}\t{client.hex}\t{_second(row.at)}+00\t{_day(row.expires_on)}\t{row.source}\t"
        f"{row.key.hex if row.key else _NULL}\t{row.country}\t{row.is_valid}\t{row.codes}\t{_HEX}{row.sealed.hex()}\t"
        f"{_NULL if row.blind_index is None else _HEX + row.blind_index.hex()}\n"
    )


_NULL: Final = "\\N"
_HEX: Final = "\\\\x"


def _for_sqlite(client: UUID, row: Row) -> tuple[Any, ...]:
    """Return a row as Django would have SQLite keep it; asking Django for each value takes ten times as long."""
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


def blind_index(client: UUID, text: str) -> bytes:
    """Return the index by which a client's rows about one number are found, however it is written."""
    return vault.blind_index(client, normalise(text), purpose=PURPOSE)


def opened(client: UUID, row_id: UUID, sealed: bytes | memoryview) -> Sealed | None:
    """Return what of a row is sealed; None when nothing is. Raises vault.VaultError."""
    if not sealed:
        return None
    return msgspec.json.decode(vault.unseal(client, sealed, purpose=PURPOSE, record=row_id.hex), type=Sealed)


def _row(verdict: Verdict, caller: Caller, when: tuple[int, date], sealing: vault.Sealing | None) -> Row:
    row_id = _new_id()
    return Row(
        row_id,
        *when,
        caller.source,
        caller.key,
        verdict.country.code if verdict.country else "",
        verdict.valid,
        " ".join([reason.code for reason in verdict.reasons]) if verdict.reasons else "",
        _sealed(verdict, caller, row_id, sealing) if sealing else b"",
        sealing.blind_index(verdict.iban) if sealing else None,
    )


_FREE_BITS: Final = (1 << 128) - 1 ^ 0xF << 76 ^ 0x3 << 62
_VERSION_4: Final = 0x4 << 76 | 0x2 << 62


def _new_id() -> str:
    """Return a random UUID (RFC 9562, version 4): to make one as an object takes twice as long."""
    return f"{getrandbits(128) & _FREE_BITS | _VERSION_4:032x}"


def _sealed(verdict: Verdict, caller: Caller, row_id: str, sealing: vault.Sealing) -> bytes:
    kept = Sealed(verdict.iban, verdict.bank_code, verdict.bank.bic if verdict.bank else None, caller.address)
    return sealing.seal(_encode(kept), record=row_id)
