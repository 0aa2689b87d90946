"""A file that keeps records until the database has them. Knows bytes and files, and not what a record means.

One file per process, locked for as long as the process lives. A record is a line. It is handed to the operating system
before the call is answered, so it survives whatever kills the process; it is not forced to the disk, so a power cut can
lose the last moments.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final
from uuid import UUID, uuid4

_SUFFIX: Final = ".spool"


class SpoolFull(Exception):
    """The file could not be made longer, mostly because the disk is full. Nothing of the record is in it."""


class Spool:
    """An open spool, locked. `id` names it, and with it the process that writes it."""

    def __init__(self, path: Path, file: int) -> None:
        self.id = UUID(path.stem)
        self._path = path
        self._file = file
        self.end = os.fstat(file).st_size
        """How many bytes are in it."""

    def append(self, line: bytes) -> None:
        """Add a line; it must end in a line break and hold no other. Raises SpoolFull."""
        try:
            written = os.write(self._file, line)
        except OSError as error:
            raise SpoolFull from error
        if written < len(line):
            os.ftruncate(self._file, self.end)
            raise SpoolFull
        self.end += written

    def lines(self, start: int) -> list[bytes]:
        """Return the whole lines from byte `start` on; one that was cut short was never answered, and is left out."""
        found = os.pread(self._file, max(0, self.end - start), start)
        return found.split(b"\n")[:-1]

    def empty(self) -> None:
        """Drop all lines; they are in the database."""
        os.ftruncate(self._file, 0)
        self.end = 0

    def remove(self) -> None:
        """Delete the file and let go of it."""
        self._path.unlink(missing_ok=True)
        self.close()

    def close(self) -> None:
        """Let go of the file, so that another process may take it over."""
        os.close(self._file)


def create(folder: Path) -> Spool:
    """Make a new spool of this process's own."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / f"{uuid4()}{_SUFFIX}"
    # Locked before it has its name, so that nobody can take it for one that was left behind.
    draft = path.with_suffix(".new")
    file = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
    fcntl.flock(file, fcntl.LOCK_EX)
    draft.rename(path)
    return Spool(path, file)


def left_behind(folder: Path) -> Iterator[Spool]:
    """Yield, locked, each spool whose process is gone. A living one's lock is held, so it is passed over."""
    for path in sorted(folder.glob(f"*{_SUFFIX}")):
        with suppress(FileNotFoundError):
            file = os.open(path, os.O_RDWR | os.O_APPEND)
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(file)
                continue
            if not path.exists():  # Whoever held the lock until now has taken care of it.
                os.close(file)
                continue
            yield Spool(path, file)
