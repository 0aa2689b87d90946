"""Reads a whole database, PostgreSQL or SQLite, as one consistent stream. Knows nothing of repositories."""

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
from deploy.backup.programs import StepFailed
from deploy.backup.settings import Database

CHUNK_BYTES = 1024 * 1024
_REMEDY = (
    "check that the database is running and that the role of IBANSE_BACKUP_DATABASE_URL can read every table "
    "(deploy/install grants that to ibanse_backup)"
)


def dump(database: Database, *, is_keyring: bool) -> Iterator[bytes]:
    """Yield a consistent copy of the database, while others write. Raises StepFailed when it is incomplete."""
    if not database.is_sqlite:
        return _postgresql(database)
    if not Path(database.name).is_file():
        raise StepFailed(f"Reading {database.name}", "there is no such file", "check the URL in backup.env")
    return _sqlite_in_memory(database) if is_keyring else _sqlite_by_file(database)


def _postgresql(database: Database) -> Iterator[bytes]:
    """Yield pg_dump's custom format, uncompressed, so that restic can deduplicate; it compresses by itself."""
    command = ["pg_dump", "--format=custom", "--compress=0", "--no-password", "--lock-wait-timeout=60s"]
    with tempfile.TemporaryFile() as stderr:
        process = programs.start(command, database.libpq, stdout=subprocess.PIPE, stderr=stderr.fileno())
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
        stderr.seek(0)
        if status:
            raise StepFailed(f"Reading the database {database.name}", programs.error_line(stderr.read()), _REMEDY)


def _sqlite_in_memory(database: Database) -> Iterator[bytes]:
    """Yield a compact copy that was never a file: a key destroyed tomorrow must not remain in free disk blocks."""
    yield as_owner(Path(database.name).parent, _copy_in_memory, database)


def _copy_in_memory(database: Database) -> bytes:
    with closing(_opened(database)) as source, closing(sqlite3.connect(":memory:")) as copy:
        try:
            source.backup(copy)
            # Free pages, which may contain destroyed keys, must not be in the backup.
            copy.execute("VACUUM")
        except sqlite3.Error as error:
            raise _unreadable(database, error) from None
        return copy.serialize()


def _sqlite_by_file(database: Database) -> Iterator[bytes]:
    """Yield a compact copy through a file beside the database, which may be larger than the memory."""
    copy = Path(f"{database.name}.backup-{secrets.token_hex(4)}")
    try:
        as_owner(copy.parent, _copy_by_file, database, copy)
        # Never through a symbolic link: somebody else could have put it there.
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
    # Never creates a file: a mistyped path must not become an empty backup.
    return sqlite3.connect(f"{Path(database.name).absolute().as_uri()}?mode=rw", uri=True, timeout=30)


def _unreadable(database: Database, error: sqlite3.Error) -> StepFailed:
    who = "" if os.access(database.name, os.W_OK) else " (this user cannot open it)"
    return StepFailed(
        f"Reading {database.name}", f"{error}{who}", "run it as the site's user, and check that the disk has free space"
    )
