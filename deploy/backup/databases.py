"""Reads a whole database as one consistent stream, of PostgreSQL or SQLite. Knows no repository."""

import os
import secrets
import sqlite3
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import IO, cast

from deploy.backup import programs
from deploy.backup.owner import as_owner
from deploy.backup.programs import Failed
from deploy.backup.settings import Database

CHUNK_BYTES = 1024 * 1024
_REMEDY = (
    "look whether the database runs and whether the role of IBANSE_BACKUP_DATABASE_URL may read every table "
    "(deploy/install gives ibanse_backup that right)"
)


def dump(database: Database, *, is_keyring: bool) -> Iterator[bytes]:
    """Yield a copy of the database as of one moment, while others write. Raises Failed when it is not whole."""
    if not database.is_sqlite:
        return _postgresql(database)
    if not Path(database.name).is_file():
        raise Failed(f"Reading {database.name}", "there is no such file", "look at the address in backup.env")
    return _sqlite_in_memory(database) if is_keyring else _sqlite_by_file(database)


def _postgresql(database: Database) -> Iterator[bytes]:
    """Yield pg_dump's custom format, uncompressed: restic finds what is as yesterday, and compresses by itself."""
    command = ["pg_dump", "--format=custom", "--compress=0", "--no-password", "--lock-wait-timeout=60s"]
    with tempfile.TemporaryFile() as said:
        process = programs.start(command, database.libpq, stdout=subprocess.PIPE, stderr=said.fileno())
        output = cast("IO[bytes]", process.stdout)
        is_read = False
        try:
            yield from iter(lambda: output.read(CHUNK_BYTES), b"")
            is_read = True
        finally:
            output.close()
            if not is_read:
                process.terminate()
            status = process.wait()
        said.seek(0)
        if status:
            raise Failed(f"Reading the database {database.name}", programs.complaint(said.read()), _REMEDY)


def _sqlite_in_memory(database: Database) -> Iterator[bytes]:
    """Yield a compact copy that never was a file: a key destroyed tomorrow must not lie in a deleted file's blocks."""
    yield as_owner(Path(database.name).parent, _copy_in_memory, database)


def _copy_in_memory(database: Database) -> bytes:
    with closing(_opened(database)) as source, closing(sqlite3.connect(":memory:")) as copy:
        try:
            source.backup(copy)
            # A page that a destroyed key was on is not copied into the backup.
            copy.execute("VACUUM")
        except sqlite3.Error as error:
            raise _unreadable(database, error) from None
        return copy.serialize()


def _sqlite_by_file(database: Database) -> Iterator[bytes]:
    """Yield a compact copy by way of a file beside the database, which may be larger than the memory."""
    copy = Path(f"{database.name}.backup-{secrets.token_hex(4)}")
    try:
        as_owner(copy.parent, _copy_by_file, database, copy)
        # Never through a link: somebody else could have put it there.
        with os.fdopen(os.open(copy, os.O_RDONLY | os.O_NOFOLLOW), "rb") as file:
            yield from iter(lambda: file.read(CHUNK_BYTES), b"")
    finally:
        as_owner(copy.parent, copy.unlink, missing_ok=True)


def _copy_by_file(database: Database, copy: Path) -> None:
    copy.touch(mode=0o600, exist_ok=False)
    with closing(_opened(database)) as source:
        try:
            source.execute("VACUUM INTO ?", (str(copy),))
        except sqlite3.Error as error:
            raise _unreadable(database, error) from None


def _opened(database: Database) -> sqlite3.Connection:
    # Never makes one: a mistyped path must not become an empty backup.
    return sqlite3.connect(f"{Path(database.name).absolute().as_uri()}?mode=rw", uri=True, timeout=30)


def _unreadable(database: Database, error: sqlite3.Error) -> Failed:
    who = "" if os.access(database.name, os.W_OK) else " (this user may not open it)"
    return Failed(f"Reading {database.name}", f"{error}{who}", "run it as the site's user, while the disk has room")
