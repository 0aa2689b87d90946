"""Where a restore goes: beside the living database first, into its place only when everything was found right."""

import pwd
import shutil
import sqlite3
import subprocess
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Final, ParamSpec, TypeVar, cast

from deploy.backup import programs
from deploy.backup.owner import as_owner, write_as_owner
from deploy.backup.programs import Failed
from deploy.backup.settings import Database

_P = ParamSpec("_P")
_T = TypeVar("_T")
ALIVE_WHEN_IN: Final = {"main": "accounts_user", "keyring": "vault_datakey"}
"""A database is alive when this table has a row; empty, as after an installation, it may be replaced unasked."""


class Target(ABC):
    """A database that a restore may replace."""

    def __init__(self, name: str, database: Database) -> None:
        self.name = name
        self.database = database
        self.stamp = datetime.now(UTC).strftime("%Y%m%d%H%M%S")

    @property
    @abstractmethod
    def beside(self) -> Database:
        """Where it is restored to before it takes its place."""

    @abstractmethod
    def rows(self) -> int | None:
        """Return how many users or data keys are in the living one; None when there is none that can be read."""

    @abstractmethod
    def fill(self, chunks: Iterable[bytes]) -> None:
        """Make `beside` anew from a backup. Raises Failed; then the living one is as it was."""

    @abstractmethod
    def counts(self) -> dict[str, int]:
        """Return how many rows each table of `beside` has."""

    @abstractmethod
    def take_place(self) -> str:
        """Put `beside` into its place; return how the old one is called now, empty if there was none."""

    @abstractmethod
    def clear(self) -> None:
        """Remove `beside`."""


class SqliteTarget(Target):
    """A file of SQLite, in a folder of the service."""

    @property
    def beside(self) -> Database:
        """Return the file beside."""
        return Database(f"{self.database.name}.restoring", is_sqlite=True)

    def rows(self) -> int | None:
        """Count in the living file, which is not made when it is missing."""
        try:
            return self._as_owner(self._rows)
        except (sqlite3.Error, Failed):
            return None

    def _rows(self) -> int:
        with closing(sqlite3.connect(f"{Path(self.database.name).absolute().as_uri()}?mode=rw", uri=True)) as file:
            return int(file.execute(f"SELECT count(*) FROM {ALIVE_WHEN_IN[self.name]}").fetchone()[0])

    def fill(self, chunks: Iterable[bytes]) -> None:
        """Write the file and let SQLite read every page of it."""
        self.clear()
        write_as_owner(Path(self.beside.name), chunks)
        try:
            said = self._as_owner(self._ask, "PRAGMA integrity_check")
        except sqlite3.Error as error:
            said = [str(error)]
        if said != ["ok"]:
            raise Failed(f"Restoring {self.name}", f"the copy is not whole: {said[0]}", "restore an older snapshot")

    def counts(self) -> dict[str, int]:
        """Count in the file beside."""
        return self._as_owner(self._counts)

    def _counts(self) -> dict[str, int]:
        names = self._ask("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY 1")
        return {name: int(self._ask(f'SELECT count(*) FROM "{name}"')[0]) for name in names}

    def _ask(self, statement: str) -> list[str]:
        with closing(sqlite3.connect(self.beside.name)) as file, file:
            return [str(row[0]) for row in file.execute(statement)]

    def take_place(self) -> str:
        """Rename: whoever looks sees the old file or the new one."""
        return self._as_owner(self._take_place)

    def _take_place(self) -> str:
        path, old = Path(self.database.name), ""
        with closing(sqlite3.connect(self.beside.name)) as file:
            file.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            file.execute("PRAGMA journal_mode = DELETE")
        if path.exists():
            old = f"{path}.before-{self.stamp}"
            for end in ("", "-wal", "-shm"):
                if Path(f"{path}{end}").exists():
                    Path(f"{path}{end}").rename(f"{old}{end}")
        Path(self.beside.name).rename(path)
        return old

    def clear(self) -> None:
        """Remove the file and its log."""
        self._as_owner(self._clear)

    def _clear(self) -> None:
        for end in ("", "-wal", "-shm", "-journal"):
            Path(f"{self.beside.name}{end}").unlink(missing_ok=True)

    def _as_owner(self, work: Callable[_P, _T], *given: _P.args, **named: _P.kwargs) -> _T:
        return as_owner(Path(self.database.name).parent, work, *given, **named)


@dataclass(frozen=True)
class PostgresqlRole:
    """As whom a PostgreSQL is changed: libpq's variables, and the user of this machine that it believes that of."""

    libpq: dict[str, str]
    system_user: str = ""

    def command(self, *words: str) -> list[str]:
        """Return a command as that user."""
        return [*as_user(self.system_user), *words]


class PostgresqlTarget(Target):
    """A database of a PostgreSQL, as somebody who may make and rename databases."""

    def __init__(self, name: str, database: Database, admin: PostgresqlRole) -> None:
        super().__init__(name, database)
        self._admin = admin

    @property
    def beside(self) -> Database:
        """Return the database beside, on the same server."""
        return self.database.called(f"{self.database.name}_restoring")

    def rows(self) -> int | None:
        """Count in the living database."""
        if not self._is_there():
            return None
        name, table = self.database.name, ALIVE_WHEN_IN[self.name]
        if self._ask("SELECT to_regclass(:'table') IS NOT NULL", name, table=f"public.{table}") != ["t"]:
            return 0
        return int(self._ask('SELECT count(*) FROM :"table"', name, table=table)[0])

    def fill(self, chunks: Iterable[bytes]) -> None:
        """Make the database anew and let pg_restore fill it in one transaction, from the stream: no copy on a disk."""
        self.clear()
        made = "TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C.UTF-8'"  # As deploy/install makes it.
        self._ask(f'CREATE DATABASE :"beside" {made}', beside=self.beside.name)
        command = [
            "pg_restore",
            "--exit-on-error",
            "--single-transaction",
            "--no-password",
            "--dbname",
            self.beside.name,
        ]
        with tempfile.TemporaryFile() as said:
            process = programs.start(
                self._admin.command(*command), self._admin.libpq,
                stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=said.fileno(),
            )  # fmt: skip
            pipe = cast("IO[bytes]", process.stdin)
            try:
                programs.pour(chunks, pipe)
            except BaseException:
                process.kill()
                process.communicate()
                raise
            process.communicate()
            said.seek(0)
            words = said.read()
        if process.returncode:
            raise Failed(
                f"Restoring {self.name}", programs.complaint(words),
                "a role that does not exist is made by deploy/install; a newer pg_restore reads newer dumps",
            )  # fmt: skip

    def counts(self) -> dict[str, int]:
        """Count in the database beside, all tables in one statement."""
        name = self.beside.name
        [statement] = self._ask(
            "SELECT string_agg(format('SELECT %L, count(*) FROM %I', tablename, tablename), ' UNION ALL ')"
            " FROM pg_tables WHERE schemaname = 'public'",
            name,
        )
        rows = [row.rpartition("|") for row in self._ask(statement, name)]
        return {table: int(number) for table, _, number in sorted(rows)}

    def take_place(self) -> str:
        """Rename both in one transaction, with the owner and the rights that the old one had. Needs both unused."""
        names = {"name": self.database.name, "beside": self.beside.name, "old": ""}
        actions = ['ALTER DATABASE :"beside" RENAME TO :"name"']
        if self._is_there():
            names["old"] = f"{self.database.name}_before_{self.stamp}"
            actions = ['ALTER DATABASE :"name" RENAME TO :"old"', *actions, *self._rights()]
        self._ask(f"BEGIN; {'; '.join(actions)}; COMMIT", **names)
        return names["old"]

    def clear(self) -> None:
        """Drop the database beside."""
        self._ask('DROP DATABASE IF EXISTS :"beside" WITH (FORCE)', beside=self.beside.name)

    def _is_there(self) -> bool:
        return self._ask("SELECT 1 FROM pg_database WHERE datname = :'name'", name=self.database.name) == ["1"]

    def _rights(self) -> list[str]:
        """Return what gives a new database of this name the owner and the rights of the one that has it now."""
        owner = self._ask(
            "SELECT format('ALTER DATABASE %I OWNER TO %I', datname, pg_get_userbyid(datdba))"
            " FROM pg_database WHERE datname = :'name'",
            name=self.database.name,
        )
        given = self._ask(
            "SELECT format('GRANT %s ON DATABASE %I TO %s', privilege_type, datname,"
            " CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END)"
            " FROM pg_database, aclexplode(datacl) WHERE datname = :'name'",
            name=self.database.name,
        )
        # An empty list of rights means the defaults, which a new database has anyway.
        return [*owner, *(['REVOKE ALL ON DATABASE :"name" FROM PUBLIC'] if given else []), *given]

    def _ask(self, statement: str, database: str = "postgres", **variables: str) -> list[str]:
        """Return psql's answer, a row a line; it quotes the variables, written :"name" or :'value'."""
        options = ["--no-psqlrc", "--no-password", "--quiet", "--no-align", "--tuples-only", "--set=ON_ERROR_STOP=1"]
        options += [f"--set={name}={value}" for name, value in variables.items()]
        told = {**self._admin.libpq, "PGDATABASE": database}
        done = programs.run(self._admin.command("psql", *options), told, given=statement.encode())
        if done.returncode:
            raise Failed(
                f"Asking PostgreSQL about {self.name}", programs.complaint(done.stderr),
                "IBANSE_RESTORE_ADMIN_URL must name a role that may make databases, and nobody may be connected: "
                "systemctl stop ibanse",
            )  # fmt: skip
        return done.stdout.decode().splitlines()


def as_user(user: str) -> list[str]:
    """Return what to put before a command, so that it runs as another user of this machine; nothing without one."""
    if not user:
        return []
    if shutil.which("setpriv") is None:
        raise Failed("Programs", "setpriv is not installed", "apt-get install util-linux")
    try:
        group = pwd.getpwnam(user).pw_gid
    except KeyError:
        raise Failed("Programs", f"this machine has no user {user}", "run deploy/install, which makes it") from None
    return ["setpriv", f"--reuid={user}", f"--regid={group}", "--init-groups", "--"]
