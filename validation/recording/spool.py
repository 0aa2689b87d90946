"""A file that holds records until the database has them. Knows bytes and files, and not what a record means.

One file per process, locked for as long as the process lives. A record is a line. It is in the operating system's
memory of the file before the response goes out, so it survives whatever kills the process; it is not forced to the
disk, so a power cut can lose the last moments.

The file is mapped into memory, and a line is copied there: a call of the system would give the interpreter's lock away,
and getting it back among busy threads takes longer than all the rest of a record. So the file grows by whole pieces of
zeros, written out beforehand: where the disk is too full for one, that is an error here, and not a signal that ends the
process at some later line. Behind the last line there are zeros, which no line holds.
"""

import errno
import fcntl
import mmap
import os
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final
from uuid import UUID, uuid4

_SUFFIX: Final = ".spool"
_PIECE_BYTES: Final = 1024 * 1024
_is_ours: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\.spool").fullmatch


class SpoolFull(Exception):
    """The file could not be written to, mostly because the disk is full. Nothing of the record counts."""


class Spool:
    """An open spool, locked. `id` names it, and with it the process that writes it."""

    def __init__(self, path: Path, file: int) -> None:
        self.id = UUID(path.stem)
        self._path = path
        self._file: int | None = file
        # Made by the first line: what is left behind is only read.
        self._map: mmap.mmap | None = None
        self._size = 0
        self.end = len(os.pread(file, os.fstat(file).st_size, 0).rstrip(b"\0"))
        """How many bytes of lines are in it."""

    def append(self, line: bytes) -> None:
        """Add a line; it must end in a line break and hold no other, and no zero.

        Raises SpoolFull, also when it is closed.
        """
        end = self.end + len(line)
        if end > self._size or self._map is None:
            self._map = self._map_file(end)
        self._map[self.end : end] = line
        self.end = end

    def lines(self, start: int) -> list[bytes]:
        """Return the whole lines from byte `start` on; one that was cut short is left out."""
        found = os.pread(self._open(), max(0, self.end - start), start)
        return found.split(b"\n")[:-1]

    def empty(self) -> None:
        """Drop all lines; they are in the database. Raises SpoolFull, and drops nothing then."""
        try:
            os.ftruncate(self._open(), 0)
        except OSError as error:
            raise SpoolFull from error
        self._unmap()
        self.end = 0

    def remove(self) -> None:
        """Delete the file and let go of it."""
        self._path.unlink(missing_ok=True)
        self.close()

    def close(self) -> None:
        """Let go of the file, so that another process may take it over; doing it again does no harm."""
        self._unmap()
        file, self._file = self._file, None
        if file is not None:
            os.close(file)

    def _open(self) -> int:
        # A number that was closed may by now be somebody else's file, or a caller's connection.
        if self._file is None:
            raise SpoolFull
        return self._file

    def _map_file(self, end: int) -> mmap.mmap:
        """Return the file in memory, of at least `end` bytes."""
        file = self._open()
        try:
            size = os.fstat(file).st_size
            while size < end:
                size += _lengthened(file, size)
            self._unmap()
            mapped = mmap.mmap(file, size)
        except OSError as error:
            raise SpoolFull from error
        self._size = size
        return mapped

    def _unmap(self) -> None:
        mapped, self._map = self._map, None
        self._size = 0
        if mapped is not None:
            mapped.close()


def _lengthened(file: int, size: int) -> int:
    """Write a piece of zeros at the end of a file and return how much it is. Raises OSError, and lets the file be."""
    written = os.pwrite(file, bytes(_PIECE_BYTES), size)
    if written < _PIECE_BYTES:
        os.ftruncate(file, size)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    return written


def create(folder: Path) -> Spool:
    """Make a new spool of this process's own. Raises OSError when the folder cannot be used."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / f"{uuid4()}{_SUFFIX}"
    # Locked before it has its name, so that nobody can take it for one that was left behind.
    draft = path.with_suffix(".new")
    file = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    fcntl.flock(file, fcntl.LOCK_EX)
    draft.rename(path)
    return Spool(path, file)


def left_behind(folder: Path) -> Iterator[Spool]:
    """Yield, locked, each spool whose process is gone. A living one's lock is held, so it is passed over."""
    for path in sorted(path for path in folder.glob(f"*{_SUFFIX}") if _is_ours(path.name)):
        with suppress(FileNotFoundError):
            file = os.open(path, os.O_RDWR)
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(file)
                continue
            if not path.exists():  # The process that held the lock until now has removed it.
                os.close(file)
                continue
            yield Spool(path, file)


def lengths(folder: Path) -> dict[UUID, int]:
    """Return how many bytes of lines are in each spool of a folder, a living process's too; nothing is locked."""
    found = {}
    for path in folder.glob(f"*{_SUFFIX}"):
        if _is_ours(path.name):
            with suppress(FileNotFoundError):
                found[UUID(path.stem)] = len(path.read_bytes().rstrip(b"\0"))
    return found
