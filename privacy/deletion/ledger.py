"""The erasure ledger: a file outside both databases that records what was deleted. Knows files and lines of JSON.

A restored backup brings back rows that were deleted after it was taken; the ledger, which no restore rewinds, says what
to delete again. A line identifies nobody: it has the client's ID as an HMAC under a salt of its own, which can only be
recognised by somebody who has the ID.

Lines are only appended, complete and synced to disk. A crash may truncate the last one; the next is then appended after
a note that says so. Any other line that is no entry is reported as damage.
"""

import fcntl
import json
import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NamedTuple
from uuid import UUID

from django.conf import settings

from privacy.crypto import cipher

_CUT: Final = b'{"note": "the line before was cut short by a crash"}\n'
_SALT_BYTES: Final = 16
CHECKS: Final = "checks"
"""The scope of selected check records, which are deleted at once, without a request or a receipt."""


class LedgerEntry(NamedTuple):
    """A deletion to be recorded."""

    id: UUID
    scope: str
    client: UUID
    until: datetime
    user: UUID | None = None
    iban_index: bytes | None = None
    """The blind index of an IBAN."""
    selection: Mapping[str, str] | None = None
    """The filter of selected check records: times, codes and random IDs, which identify nobody."""


class RecordedEntry(NamedTuple):
    """A deletion as the ledger has it."""

    id: str
    """The same for a deletion that was resumed."""
    scope: str
    salt: bytes
    client: bytes
    """HMAC of the client's id under the salt."""
    until: datetime
    user: bytes | None
    """HMAC of the user's id under the salt."""
    iban_index: bytes | None
    """The blind index of an IBAN."""
    selection: Mapping[str, str]
    """The filter of selected check records."""

    def is_of(self, client: UUID) -> bool:
        """Return whether it is about this client."""
        return _pseudonym(self.salt, client) == self.client

    def is_about(self, user: UUID) -> bool:
        """Return whether it is about this user."""
        return _pseudonym(self.salt, user) == self.user


class LedgerContents(NamedTuple):
    """The entries in order, and the line numbers of damaged lines."""

    entries: list[RecordedEntry]
    damaged: list[int]


def path() -> Path:
    """Return the path of the ledger."""
    ledger: Path = settings.ERASURE_LEDGER
    return ledger


def append(entry: LedgerEntry) -> None:
    """Append an entry and wait until it is on disk; one that is recorded already is not repeated. Raises OSError."""
    salt = secrets.token_bytes(_SALT_BYTES)
    line = {
        "id": str(entry.id),
        "scope": str(entry.scope),
        "salt": salt.hex(),
        "client": _pseudonym(salt, entry.client).hex(),
        "until": entry.until.astimezone(UTC).isoformat(),
        "user": _pseudonym(salt, entry.user).hex() if entry.user else None,
        "number": entry.iban_index.hex() if entry.iban_index else None,
        "chosen": dict(entry.selection) if entry.selection else None,
        "at": datetime.now(UTC).replace(microsecond=0).isoformat(),
    }
    with _locked() as file:
        found = os.pread(file, os.fstat(file).st_size, 0)
        # Nearly every entry is new: parsing the whole ledger would take longer with each deletion.
        if str(entry.id).encode() in found and any(recorded.id == line["id"] for recorded in _read(found).entries):
            os.fsync(file)  # Its writer may have been killed before it was on disk.
            return
        if found and not found.endswith(b"\n"):
            _write(file, b"\n" + _CUT)
        _write(file, json.dumps(line).encode() + b"\n")
        os.fsync(file)


def read() -> LedgerContents:
    """Return the contents; empty when there is no ledger yet. A truncated last line is left out."""
    try:
        return _read(path().read_bytes())
    except FileNotFoundError:
        return LedgerContents([], [])


def _read(text: bytes) -> LedgerContents:
    lines = text.split(b"\n")[:-1]
    found: list[RecordedEntry] = []
    damaged = []
    for number, line in enumerate(lines, 1):
        entry = _entry(line)
        is_cut = line + b"\n" == _CUT or lines[number : number + 1] == [_CUT[:-1]]
        if entry:
            found.append(entry)
        elif not is_cut:
            damaged.append(number)
    return LedgerContents(found, damaged)


def _entry(line: bytes) -> RecordedEntry | None:
    try:
        values = json.loads(line)
        return RecordedEntry(
            id=values["id"],
            scope=values["scope"],
            salt=bytes.fromhex(values["salt"]),
            client=bytes.fromhex(values["client"]),
            until=datetime.fromisoformat(values["until"]),
            user=bytes.fromhex(values["user"]) if values["user"] else None,
            iban_index=bytes.fromhex(values["number"]) if values["number"] else None,
            selection=dict(values.get("chosen") or {}),
        )
    except (ValueError, KeyError, TypeError):
        return None


def _pseudonym(salt: bytes, subject: UUID) -> bytes:
    return cipher.authenticate(salt, subject.bytes)


@contextmanager
def _locked() -> Iterator[int]:
    """Open the ledger for one writer at a time, creating it and its folder when missing."""
    folder = path().parent
    # Writable by the group: the site and the timer that deletes are two users of the machine.
    folder.mkdir(parents=True, exist_ok=True, mode=0o770)
    file = os.open(path(), os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o660)
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield file
        # The folder too: without it, a power cut may lose the name of a new file.
        directory = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)
    finally:
        os.close(file)


def _write(file: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(file, rest) :]
