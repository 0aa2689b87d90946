"""A file that is never on the disk in clear: sealed while it is written, opened while it is read. Knows no client.

The file is a row of pieces, each behind its length (four bytes, big-endian): an envelope of the vault of at most 1 MiB
of data. A piece is bound to its owner, to the name of the file and to its place in it, and its first byte, sealed as
well, says whether it is the last one. So pieces cannot be moved, left out or exchanged, and a file whose end is missing
is not taken for a whole one.
"""

import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final, NamedTuple
from uuid import UUID

from privacy import vault

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

PIECE_BYTES: Final = 1024 * 1024
"""At most so much data is in a piece, and in memory."""

_LENGTH_BYTES: Final = 4
# What the vault's envelope and our first byte add is far less.
_MOST_SEALED_BYTES: Final = PIECE_BYTES + 1024
_MORE: Final = b"\x00"
_LAST: Final = b"\x01"


class Damaged(Exception):
    """The file was cut, changed, or is another one."""


class Name(NamedTuple):
    """What a sealed file is bound to: without the same three it does not open."""

    owner: UUID
    purpose: str
    record: str


class Writer(io.BufferedIOBase):
    """Seals what is written to it, for an open file; see `create`."""

    def __init__(self, file: int, name: Name) -> None:
        self.bytes = 0
        """How much was written to it."""
        self._file = file
        self._name = name
        self._waiting = bytearray()
        self._pieces = 0

    def writable(self) -> bool:
        """Say that this can be written to."""
        return True

    def write(self, data: "ReadableBuffer", /) -> int:
        """Take the data; what makes a piece goes to the disk, sealed."""
        taken = memoryview(data).cast("B")
        self.bytes += len(taken)
        for start in range(0, len(taken), PIECE_BYTES):
            self._waiting += taken[start : start + PIECE_BYTES]
            # One piece always waits, since nobody knows yet whether it is the last one.
            if len(self._waiting) > PIECE_BYTES:
                self._put(_MORE, self._waiting[:PIECE_BYTES])
                del self._waiting[:PIECE_BYTES]
        return len(taken)

    def finish(self) -> None:
        """Write the end and wait until the disk has it all."""
        self._put(_LAST, self._waiting)
        self._waiting.clear()
        os.fsync(self._file)
        self.close()

    def close(self) -> None:
        """Let go of the file; doing it again does no harm."""
        if not self.closed:
            os.close(self._file)
        super().close()

    def _put(self, mark: bytes, data: bytearray) -> None:
        owner, purpose, record = self._name
        sealed = vault.seal(owner, mark + data, purpose=purpose, record=f"{record}/{self._pieces}")
        piece = memoryview(len(sealed).to_bytes(_LENGTH_BYTES, "big") + sealed)
        while piece:
            piece = piece[os.write(self._file, piece) :]
        self._pieces += 1


def create(path: Path, name: Name) -> Writer:
    """Make a new file, which no other user of this machine can read, and return what seals into it.

    Raises FileExistsError for a path that is taken. Writing raises OSError when the disk is full and vault.VaultError
    when nothing can be sealed for the owner. The file is whole after `finish` and only then: `close` alone leaves one
    that does not open.
    """
    return Writer(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), name)


def read(file: BinaryIO, name: Name) -> Iterator[bytes]:
    """Yield what was written, from the file's beginning, a piece at a time.

    Raises Damaged at the first piece that is not as it was written, and vault.VaultError when the owner's key is gone.
    """
    file.seek(0)
    place = 0
    mark = _MORE
    while mark == _MORE:
        data = _piece(file, name, place)
        mark, place = data[:1], place + 1
        yield data[1:]
    if file.read(1):
        raise Damaged


def _piece(file: BinaryIO, name: Name, place: int) -> bytes:
    said = file.read(_LENGTH_BYTES)
    length = int.from_bytes(said, "big")
    sealed = file.read(length) if length <= _MOST_SEALED_BYTES else b""
    if len(said) != _LENGTH_BYTES or len(sealed) != length:
        raise Damaged
    try:
        return vault.unseal(name.owner, sealed, purpose=name.purpose, record=f"{name.record}/{place}")
    except vault.Broken:
        raise Damaged from None
