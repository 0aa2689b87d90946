"""What a call leaves behind, built in one place for page and API: counts, and as much of each check as the client
wants stored, sealed before anything of it is written anywhere.

What is stored is the client's own decision (privacy/check_logging/mode.py). In mode *full* the IBAN, its bank and the
caller's IP address are sealed under the client's data key, bound to this row; the blind index, an HMAC under a key of
the same client, finds one IBAN again and is meaningless to anybody else.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from random import getrandbits
from typing import Final
from uuid import UUID

import msgspec

from accounts.models import UsageDay
from privacy import vault
from privacy.check_logging import mode
from privacy.models import Mode
from validation.engine import Verdict

PURPOSE: Final = "validation.record"
"""Of the vault: what is sealed for check records cannot be opened as anything else."""
_encode: Final = msgspec.json.Encoder().encode


class SealedFields(msgspec.Struct):
    """The fields of a check record that are sealed."""

    iban: str
    """The normalised text, as far as normalising goes."""
    bank_code: str | None
    bic: str | None
    address: str
    """The caller's IP address."""


class RecordRow(msgspec.Struct, array_like=True, frozen=True):
    """A check record on its way to the database, as it goes into the spool."""

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


class CallRecord(msgspec.Struct, array_like=True, frozen=True):
    """What one call leaves behind: whom it counts for, counts, and the check records that the client wants."""

    client: UUID
    key: UUID | None
    """None for a check on the page."""
    day: date
    """In UTC."""
    valid: int
    invalid: int
    units: int
    """What it cost of the month's quota, which was taken before; 0 for a test key."""
    is_test: bool
    source: str = UsageDay.Source.API.value
    rows: tuple[RecordRow, ...] = ()


class RecordCaller(msgspec.Struct, frozen=True):
    """Who made the check, and where."""

    client: UUID
    source: str
    key: UUID | None
    ip_address: str
    is_test: bool = False
    """Whether the key is a test key."""


def build_record(
    caller: RecordCaller,
    verdicts: Sequence[Verdict],
    choice: mode.Choice,
    *,
    units: int = 0,
    now: datetime | None = None,
) -> CallRecord:
    """Return the record of a call, which counts on the day of `now` (UTC).

    Raises vault.VaultError when nothing can be sealed for the client.
    """
    now = now or datetime.now(UTC)
    valid = sum([verdict.valid for verdict in verdicts])
    return CallRecord(
        client=caller.client,
        key=caller.key,
        day=now.date(),
        valid=valid,
        invalid=len(verdicts) - valid,
        units=units,
        is_test=caller.is_test,
        source=caller.source,
        rows=_build_rows(verdicts, caller, choice, now),
    )


def _build_rows(
    verdicts: Sequence[Verdict], caller: RecordCaller, choice: mode.Choice, now: datetime
) -> tuple[RecordRow, ...]:
    if choice.mode == Mode.OFF:
        return ()
    at, expires_on = int(now.timestamp()), now.date() + timedelta(days=choice.days)
    sealing = vault.sealing(caller.client, purpose=PURPOSE) if choice.mode == Mode.FULL else None
    return tuple([_build_row(verdict, caller, (at, expires_on), sealing) for verdict in verdicts])


def _build_row(
    verdict: Verdict, caller: RecordCaller, when: tuple[int, date], sealing: vault.Sealing | None
) -> RecordRow:
    row_id = _new_id()
    return RecordRow(
        row_id,
        *when,
        caller.source,
        caller.key,
        verdict.country.code if verdict.country else "",
        verdict.valid,
        " ".join([reason.code for reason in verdict.reasons]) if verdict.reasons else "",
        _seal(verdict, caller, row_id, sealing) if sealing else b"",
        sealing.blind_index(verdict.iban) if sealing else None,
    )


_FREE_BITS: Final = (1 << 128) - 1 ^ 0xF << 76 ^ 0x3 << 62
_VERSION_4: Final = 0x4 << 76 | 0x2 << 62


def _new_id() -> str:
    """Return a random UUID (RFC 9562, version 4): to make one as an object takes twice as long."""
    return f"{getrandbits(128) & _FREE_BITS | _VERSION_4:032x}"


def _seal(verdict: Verdict, caller: RecordCaller, row_id: str, sealing: vault.Sealing) -> bytes:
    bic = verdict.bank.bic if verdict.bank else None
    fields = SealedFields(verdict.iban, verdict.bank_code, bic, caller.ip_address)
    return sealing.seal(_encode(fields), record=row_id)
