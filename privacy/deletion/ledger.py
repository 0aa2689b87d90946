"""The erasure ledger: a file outside both databases that remembers what was deleted. Knows files and lines of JSON.

A restored backup brings back what was deleted after it was made; the ledger, which no restore rewinds, tells what has
to go again. A line names nobody: whose it is stands in it as an HMAC under a salt of its own, which only whoever holds
the id can recognise.

Lines are only ever added, whole and forced to the disk. A crash may leave the last one cut short; the next one is
added behind a note that says so. Anything else that is no entry is damage, and is reported.
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
"""The scope of some checks of a log, which go at once and without a request or a receipt."""


class LedgerEntry(NamedTuple):
    """What is written down of an execution."""

    id: UUID
    scope: str
    client: UUID
    until: datetime
    user: UUID | None = None
    number: bytes | None = None
    """The blind index of an IBAN."""
    chosen: Mapping[str, str] | None = None
    """By what some checks were chosen: times, codes and random numbers, which name nobody."""


class Entry(NamedTuple):
    """What the ledger says of an execution."""

    id: str
    """The same for an execution that was begun again."""
    scope: str
    salt: bytes
    client: bytes
    """HMAC of the client's id under the salt."""
    until: datetime
    user: bytes | None
    """HMAC of the user's id under the salt."""
    number: bytes | None
    """The blind index of an IBAN."""
    chosen: Mapping[str, str]
    """By what some checks were chosen."""

    def is_of(self, client: UUID) -> bool:
        """Return whether it is about this client."""
        return _named(self.salt, client) == self.client

    def is_about(self, user: UUID) -> bool:
        """Return whether it is about this user."""
        return _named(self.salt, user) == self.user


class Read(NamedTuple):
    """What is in the ledger: its entries in order, and the numbers of the lines that are damaged."""

    entries: list[Entry]
    damaged: list[int]


def path() -> Path:
    """Return where it is."""
    ledger: Path = settings.ERASURE_LEDGER
    return ledger


def append(action: LedgerEntry) -> None:
    """Add an entry and wait until the disk has it; one that is there already is not added again. Raises OSError."""
    salt = secrets.token_bytes(_SALT_BYTES)
    line = {
        "id": str(action.id),
        "scope": str(action.scope),
        "salt": salt.hex(),
        "client": _named(salt, action.client).hex(),
        "until": action.until.astimezone(UTC).isoformat(),
        "user": _named(salt, action.user).hex() if action.user else None,
        "number": action.number.hex() if action.number else None,
        "chosen": dict(action.chosen) if action.chosen else None,
        "at": datetime.now(UTC).replace(microsecond=0).isoformat(),
    }
    with _locked() as file:
        found = os.pread(file, os.fstat(file).st_size, 0)
        # Nearly every one is new: reading the whole ledger for it would take longer with each deletion.
        if str(action.id).encode() in found and any(entry.id == line["id"] for entry in _read(found).entries):
            os.fsync(file)  # Whoever wrote it may have been killed before the disk had it.
            return
        if found and not found.endswith(b"\n"):
            _write(file, b"\n" + _CUT)
        _write(file, json.dumps(line).encode() + b"\n")
        os.fsync(file)


def read() -> Read:
    """Return what is in it; nothing when there is none yet. A last line that was cut short is left out."""
    try:
        return _read(path().read_bytes())
    except FileNotFoundError:
        return Read([], [])


def _read(text: bytes) -> Read:
    lines = text.split(b"\n")[:-1]
    found: list[Entry] = []
    damaged = []
    for number, line in enumerate(lines, 1):
        entry = _entry(line)
        is_cut = line + b"\n" == _CUT or lines[number : number + 1] == [_CUT[:-1]]
        if entry:
            found.append(entry)
        elif not is_cut:
            damaged.append(number)
    return Read(found, damaged)


def _entry(line: bytes) -> Entry | None:
    try:
        said = json.loads(line)
        return Entry(
            id=said["id"],
            scope=said["scope"],
            salt=bytes.fromhex(said["salt"]),
            client=bytes.fromhex(said["client"]),
            until=datetime.fromisoformat(said["until"]),
            user=bytes.fromhex(said["user"]) if said["user"] else None,
            number=bytes.fromhex(said["number"]) if said["number"] else None,
            chosen=dict(said.get("chosen") or {}),
        )
    except (ValueError, KeyError, TypeError):
        return None


def _named(salt: bytes, someone: UUID) -> bytes:
    return cipher.authenticate(salt, someone.bytes)


@contextmanager
def _locked() -> Iterator[int]:
    """Open it, made with its folder where it is not there yet, for one writer at a time."""
    folder = path().parent
    # Of the group as well: the site and whoever deletes by a timer are two users of the machine.
    folder.mkdir(parents=True, exist_ok=True, mode=0o770)
    file = os.open(path(), os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o660)
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield file
        # The name too: a new file is not there after a power cut as long as its folder does not know of it.
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
