"""A file that is never on disk in clear: sealed while it is written, decrypted while it is read. Knows no client.

The file is a sequence of pieces, each preceded by its length (four bytes, big-endian): an envelope of the vault with at
most 1 MiB of data. A piece is bound to its owner, to the name of the file and to its position, and its first byte,
which is sealed too, says whether it is the last one. So pieces cannot be moved, left out or swapped, and a truncated
file is not taken for a complete one.
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
"""At most this much data is in a piece, and in memory."""

_LENGTH_BYTES: Final = 4
# The vault's envelope and our first byte add far less.
_MOST_SEALED_BYTES: Final = PIECE_BYTES + 1024
_MORE: Final = b"\x00"
_LAST: Final = b"\x01"


class Damaged(Exception):
    """The file was truncated, altered, or is another one."""


class Name(NamedTuple):
    """What a sealed file is bound to: it opens only with the same three."""

    owner: UUID
    purpose: str
    record: str


class SealedWriter(io.BufferedIOBase):
    """Seals what is written to it into an open file; see `create`."""

    def __init__(self, file: int, name: Name) -> None:
        self.bytes = 0
        """How many bytes were written to it."""
        self._file = file
        self._name = name
        self._buffer = bytearray()
        self._pieces = 0

    def writable(self) -> bool:
        """Return that this is writable, for io."""
        return True

    def write(self, data: "ReadableBuffer", /) -> int:
        """Buffer the data; write each full piece to disk, sealed."""
        view = memoryview(data).cast("B")
        self.bytes += len(view)
        for start in range(0, len(view), PIECE_BYTES):
            self._buffer += view[start : start + PIECE_BYTES]
            # One piece always stays in the buffer, since it may be the last one.
            if len(self._buffer) > PIECE_BYTES:
                self._put(_MORE, self._buffer[:PIECE_BYTES])
                del self._buffer[:PIECE_BYTES]
        return len(view)

    def finish(self) -> None:
        """Write the last piece and wait until the file is on disk."""
        self._put(_LAST, self._buffer)
        self._buffer.clear()
        os.fsync(self._file)
        self.close()

    def close(self) -> None:
        """Close the file; a second call does no harm."""
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


def create(path: Path, name: Name) -> SealedWriter:
    """Create a file that no other user of this machine can read, and return its writer.

    Raises FileExistsError for an existing path. Writing raises OSError when the disk is full and vault.VaultError when
    nothing can be sealed for the owner. The file is complete only after `finish`: `close` alone leaves one that does
    not open.
    """
    return SealedWriter(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), name)


def read(file: BinaryIO, name: Name) -> Iterator[bytes]:
    """Yield what was written, from the beginning, a piece at a time.

    Raises Damaged at the first altered piece, and vault.VaultError when the owner's key was destroyed.
    """
    file.seek(0)
    position = 0
    mark = _MORE
    while mark == _MORE:
        data = _piece(file, name, position)
        mark, position = data[:1], position + 1
        yield data[1:]
    if file.read(1):
        raise Damaged


def _piece(file: BinaryIO, name: Name, position: int) -> bytes:
    prefix = file.read(_LENGTH_BYTES)
    length = int.from_bytes(prefix, "big")
    sealed = file.read(length) if length <= _MOST_SEALED_BYTES else b""
    if len(prefix) != _LENGTH_BYTES or len(sealed) != length:
        raise Damaged
    try:
        return vault.unseal(name.owner, sealed, purpose=name.purpose, record=f"{name.record}/{position}")
    except vault.Broken:
        raise Damaged from None
