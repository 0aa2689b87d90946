"""The databases that a restore replaces: filled beside the live one, then renamed once everything is verified."""

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
from deploy.backup.programs import StepFailed
from deploy.backup.settings import Database

_P = ParamSpec("_P")
_T = TypeVar("_T")
LIVE_TABLES: Final = {"main": "accounts_user", "keyring": "vault_datakey"}
"""A database is live when this table has a row; an empty one, as after an installation, can be replaced."""


class Target(ABC):
    """A database that a restore may replace."""

    def __init__(self, name: str, database: Database) -> None:
        self.name = name
        self.database = database
        self.timestamp = datetime.now(UTC).strftime("%Y%m%d%H%M%S")

    @property
    @abstractmethod
    def staging(self) -> Database:
        """The database that is filled before it replaces the live one."""

    @abstractmethod
    def rows(self) -> int | None:
        """Return how many users or data keys the live one has; None when it is missing or unreadable."""

    @abstractmethod
    def fill(self, chunks: Iterable[bytes]) -> None:
        """Create `staging` from a backup. Raises StepFailed; the live one is unchanged."""

    @abstractmethod
    def counts(self) -> dict[str, int]:
        """Return how many rows each table of `staging` has."""

    @abstractmethod
    def replace_live(self) -> str:
        """Rename `staging` to the live name; return the new name of the previous one, empty if there was none."""

    @abstractmethod
    def remove_staging(self) -> None:
        """Delete `staging`."""


class SqliteTarget(Target):
    """A SQLite file, in a folder of the service."""

    @property
    def staging(self) -> Database:
        """Return the staging file."""
        return Database(f"{self.database.name}.restoring", is_sqlite=True)

    def rows(self) -> int | None:
        """Count in the live file, which is not created when it is missing."""
        try:
            return self._as_owner(self._rows)
        except (sqlite3.Error, StepFailed):
            return None

    def _rows(self) -> int:
        with closing(sqlite3.connect(f"{Path(self.database.name).absolute().as_uri()}?mode=rw", uri=True)) as file:
            return int(file.execute(f"SELECT count(*) FROM {LIVE_TABLES[self.name]}").fetchone()[0])

    def fill(self, chunks: Iterable[bytes]) -> None:
        """Write the file and let SQLite check every page of it."""
        self.remove_staging()
        write_as_owner(Path(self.staging.name), chunks)
        try:
            problems = self._as_owner(self._query, "PRAGMA integrity_check")
        except sqlite3.Error as error:
            problems = [str(error)]
        if problems != ["ok"]:
            raise StepFailed(
                f"Restoring {self.name}", f"the copy is damaged: {problems[0]}", "restore an older snapshot"
            )

    def counts(self) -> dict[str, int]:
        """Count in the staging file."""
        return self._as_owner(self._counts)

    def _counts(self) -> dict[str, int]:
        names = self._query(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY 1"
        )
        return {name: int(self._query(f'SELECT count(*) FROM "{name}"')[0]) for name in names}

    def _query(self, statement: str) -> list[str]:
        with closing(sqlite3.connect(self.staging.name)) as file, file:
            return [str(row[0]) for row in file.execute(statement)]

    def replace_live(self) -> str:
        """Rename the files: readers see the old one or the new one."""
        return self._as_owner(self._replace_live)

    def _replace_live(self) -> str:
        path, previous = Path(self.database.name), ""
        with closing(sqlite3.connect(self.staging.name)) as file:
            file.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            file.execute("PRAGMA journal_mode = DELETE")
        if path.exists():
            previous = f"{path}.before-{self.timestamp}"
            for end in ("", "-wal", "-shm"):
                if Path(f"{path}{end}").exists():
                    Path(f"{path}{end}").rename(f"{previous}{end}")
        Path(self.staging.name).rename(path)
        return previous

    def remove_staging(self) -> None:
        """Delete the file and its journals."""
        self._as_owner(self._remove_staging)

    def _remove_staging(self) -> None:
        for end in ("", "-wal", "-shm", "-journal"):
            Path(f"{self.staging.name}{end}").unlink(missing_ok=True)

    def _as_owner(self, work: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        return as_owner(Path(self.database.name).parent, work, *args, **kwargs)


@dataclass(frozen=True)
class PostgresqlRole:
    """The role that changes a PostgreSQL: libpq's variables, and the system user for peer authentication."""

    libpq: dict[str, str]
    system_user: str = ""

    def command(self, *words: str) -> list[str]:
        """Return a command that runs as that user."""
        return [*as_user(self.system_user), *words]


class PostgresqlTarget(Target):
    """A PostgreSQL database, changed by a role that may create and rename databases."""

    def __init__(self, name: str, database: Database, admin: PostgresqlRole) -> None:
        super().__init__(name, database)
        self._admin = admin

    @property
    def staging(self) -> Database:
        """Return the staging database, on the same server."""
        return self.database.renamed(f"{self.database.name}_restoring")

    def rows(self) -> int | None:
        """Count in the live database."""
        if not self._exists():
            return None
        name, table = self.database.name, LIVE_TABLES[self.name]
        if self._query("SELECT to_regclass(:'table') IS NOT NULL", name, table=f"public.{table}") != ["t"]:
            return 0
        return int(self._query('SELECT count(*) FROM :"table"', name, table=table)[0])

    def fill(self, chunks: Iterable[bytes]) -> None:
        """Create the database and let pg_restore fill it from the stream, in one transaction, without a file."""
        self.remove_staging()
        options = "TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C.UTF-8'"  # As in deploy/postgresql/roles.sql.
        self._query(f'CREATE DATABASE :"staging" {options}', staging=self.staging.name)
        command = [
            "pg_restore",
            "--exit-on-error",
            "--single-transaction",
            "--no-password",
            "--dbname",
            self.staging.name,
        ]
        with tempfile.TemporaryFile() as stderr:
            process = programs.start(
                self._admin.command(*command), self._admin.libpq,
                stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=stderr.fileno(),
            )  # fmt: skip
            pipe = cast("IO[bytes]", process.stdin)
            try:
                programs.write_all(chunks, pipe)
            except BaseException:
                process.kill()
                process.communicate()
                raise
            process.communicate()
            stderr.seek(0)
            output = stderr.read()
        if process.returncode:
            raise StepFailed(
                f"Restoring {self.name}", programs.error_line(output),
                "deploy/install creates missing roles; a newer pg_restore reads newer dumps",
            )  # fmt: skip

    def counts(self) -> dict[str, int]:
        """Count in the staging database, all tables in one statement."""
        name = self.staging.name
        [statement] = self._query(
            "SELECT string_agg(format('SELECT %L, count(*) FROM %I', tablename, tablename), ' UNION ALL ')"
            " FROM pg_tables WHERE schemaname = 'public'",
            name,
        )
        rows = [row.rpartition("|") for row in self._query(statement, name)]
        return {table: int(count) for table, _, count in sorted(rows)}

    def replace_live(self) -> str:
        """Rename both in one transaction, with the owner and rights of the previous one. Nobody may be connected."""
        names = {"name": self.database.name, "staging": self.staging.name, "old": ""}
        actions = ['ALTER DATABASE :"staging" RENAME TO :"name"']
        if self._exists():
            names["old"] = f"{self.database.name}_before_{self.timestamp}"
            actions = ['ALTER DATABASE :"name" RENAME TO :"old"', *actions, *self._rights()]
        self._query(f"BEGIN; {'; '.join(actions)}; COMMIT", **names)
        return names["old"]

    def remove_staging(self) -> None:
        """Drop the staging database."""
        self._query('DROP DATABASE IF EXISTS :"staging" WITH (FORCE)', staging=self.staging.name)

    def _exists(self) -> bool:
        return self._query("SELECT 1 FROM pg_database WHERE datname = :'name'", name=self.database.name) == ["1"]

    def _rights(self) -> list[str]:
        """Return the statements that set owner and rights of the live database, for the one that gets its name."""
        owner = self._query(
            "SELECT format('ALTER DATABASE %I OWNER TO %I', datname, pg_get_userbyid(datdba))"
            " FROM pg_database WHERE datname = :'name'",
            name=self.database.name,
        )
        grants = self._query(
            "SELECT format('GRANT %s ON DATABASE %I TO %s', privilege_type, datname,"
            " CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END)"
            " FROM pg_database, aclexplode(datacl) WHERE datname = :'name'",
            name=self.database.name,
        )
        # No explicit rights means the defaults, which a new database has anyway.
        return [*owner, *(['REVOKE ALL ON DATABASE :"name" FROM PUBLIC'] if grants else []), *grants]

    def _query(self, statement: str, database: str = "postgres", **variables: str) -> list[str]:
        """Return the rows of psql's output; it quotes the variables, written :"name" or :'value'."""
        options = ["--no-psqlrc", "--no-password", "--quiet", "--no-align", "--tuples-only", "--set=ON_ERROR_STOP=1"]
        options += [f"--set={name}={value}" for name, value in variables.items()]
        environment = {**self._admin.libpq, "PGDATABASE": database}
        done = programs.run(self._admin.command("psql", *options), environment, stdin=statement.encode())
        if done.returncode:
            raise StepFailed(
                f"Querying PostgreSQL about {self.name}", programs.error_line(done.stderr),
                "IBANSE_RESTORE_ADMIN_URL must name a role that may create databases, and nobody may be connected: "
                "systemctl stop ibanse",
            )  # fmt: skip
        return done.stdout.decode().splitlines()


def as_user(user: str) -> list[str]:
    """Return the prefix of a command that runs it as another system user; empty without a user."""
    if not user:
        return []
    if shutil.which("setpriv") is None:
        raise StepFailed("Programs", "setpriv is not installed", "apt-get install util-linux")
    try:
        group = pwd.getpwnam(user).pw_gid
    except KeyError:
        raise StepFailed(
            "Programs", f"this machine has no user {user}", "run deploy/install, which creates it"
        ) from None
    return ["setpriv", f"--reuid={user}", f"--regid={group}", "--init-groups", "--"]
