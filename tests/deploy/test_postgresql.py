"""The database roles, each limited to what it needs, in a real PostgreSQL; and its log, which contains no values."""

import contextlib
import re
import secrets
import shutil
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg import errors, sql

from tests.support import services
from tests.support.programs import roles

pytestmark = [pytest.mark.deploy, pytest.mark.claim("least_rights")]

FOLDER: Final = services.ROOT / "deploy" / "postgresql"
IBAN: Final = "SE4550000000058398257466"
CLIENT: Final = uuid.UUID(int=7)


class DatabaseServer:
    """A PostgreSQL with our roles and tables."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._password = secrets.token_hex(16)

    def psql(self, *arguments: str, role: str = "") -> None:
        """Run psql as superuser, or as a role; fail with its error."""
        url = self.as_role(role) if role else self.url
        command = ["psql", "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", url, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 0, done.stderr

    def create_roles(self) -> None:
        """Create roles and database, as deploy/install does; here with passwords, since the tests connect over TCP."""
        self.psql(f"--file={FOLDER / 'roles.sql'}")
        for role in ("owner", "app", "erase", "readonly", "backup"):
            self.psql(f"--command=ALTER ROLE ibanse_{role} PASSWORD '{self._password}'")

    def as_role(self, role: str) -> str:
        """Return the URL of our database for a role."""
        port = urlsplit(self.url).port
        return f"postgres://ibanse_{role}:{self._password}@127.0.0.1:{port}/ibanse"

    def manage(self, role: str, *command: str, folder: Path) -> None:
        """Run manage.py as a role."""
        environment = services.environment(DATABASE_URL=self.as_role(role), IBANSE_DATA_DIR=str(folder))
        done = subprocess.run(
            [sys.executable, "manage.py", *command],
            cwd=services.ROOT, env=environment, capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr

    def run_as_app(self, program: Callable[[], None], *, folder: Path) -> None:
        """Run a function of tests.support.programs as the serving role."""
        module, name = program.__module__, program.__name__
        self.manage("app", "shell", "--command", f"import {module}; {module}.{name}()", folder=folder)

    def apply_rights(self) -> None:
        """Run rights.sql, as after every migrate."""
        self.psql(f"--file={FOLDER / 'rights.sql'}", role="owner")

    @contextlib.contextmanager
    def connected(self, role: str) -> Iterator[psycopg.Connection]:
        """Connect as a role, and roll back at the end."""
        with psycopg.connect(self.as_role(role)) as connection:
            yield connection
            connection.rollback()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DatabaseServer]:
    """Start a PostgreSQL; create roles, tables and rights twice, as an upgrade repeats them, and a client."""
    if shutil.which("psql") is None:
        pytest.skip(services.missing("postgresql"))
    with services.postgresql() as url:
        database_server = DatabaseServer(url)
        folder = tmp_path_factory.mktemp("data")
        database_server.create_roles()
        database_server.manage("owner", "migrate", "--verbosity=0", folder=folder)
        database_server.apply_rights()
        database_server.psql(f"--file={FOLDER / 'roles.sql'}")
        database_server.manage("owner", "migrate", "--verbosity=0", folder=folder)
        database_server.apply_rights()
        database_server.psql(f"--command={AUDIT_ENTRY}", role="app")
        yield database_server


AUDIT_ENTRY: Final = """
    INSERT INTO accounts_client (id, state, user_limit, monthly_quota, needs_second_factor, is_demo, created_at)
        VALUES ('CLIENT', 'active', 5, 5, false, false, now());
    WITH entry AS (
        INSERT INTO accounts_historyentry (client_id, number, tag, at, network, detail_hash, previous_hash, hash)
        VALUES ('CLIENT', 1, 'client.created', now(), '', '', '', '') RETURNING id)
    INSERT INTO accounts_historydetail (entry_id, sealed, sealed_address) SELECT id, 'detail', 'address' FROM entry
""".replace("CLIENT", str(CLIENT))

APP_MAY_NOT: Final = (
    "UPDATE accounts_historyentry SET tag = 'users.joined'",
    "UPDATE accounts_historyentry SET hash = ''",
    "DELETE FROM accounts_historyentry",
    "TRUNCATE accounts_historyentry CASCADE",
    "UPDATE accounts_historydetail SET entry_id = entry_id",
    "DELETE FROM accounts_historydetail",
    "UPDATE accounts_staffentry SET actor = NULL",
    "DELETE FROM accounts_staffentry",
    "DELETE FROM accounts_staffdetail",
    "INSERT INTO auth_group (name) VALUES ('friends')",
    "DELETE FROM auth_group_permissions",
    "INSERT INTO auth_group_permissions (group_id, permission_id) SELECT 1, 1",
    "INSERT INTO accounts_user_user_permissions (user_id, permission_id) SELECT gen_random_uuid(), 1",
    "UPDATE privacy_erasurereceipt SET document = ''",
    "DELETE FROM django_migrations",
    "ALTER TABLE accounts_client ADD COLUMN more text",
    "ALTER TABLE accounts_historyentry DISABLE TRIGGER ALL",
    "DROP TABLE accounts_historydetail",
    "CREATE TABLE mine (id int)",
    "CREATE TEMPORARY TABLE mine (id int)",
    "GRANT DELETE ON accounts_historyentry TO ibanse_app; DELETE FROM accounts_historyentry",
    "SET ROLE ibanse_owner",
    "SET ROLE ibanse_erase",
    "COPY accounts_client TO PROGRAM 'cat'",
    "SELECT pg_read_file('/etc/passwd')",
)
ERASE_MAY_NOT: Final = (
    "ALTER TABLE accounts_client ADD COLUMN more text",
    "DROP TABLE accounts_client",
    "SET ROLE ibanse_owner",
)
READERS_MAY_NOT: Final = (
    "INSERT INTO guard_revision SELECT * FROM guard_revision",
    "UPDATE accounts_client SET user_limit = 1",
    "DELETE FROM accounts_client",
    "CREATE TABLE mine (id int)",
)
NO_SECRETS: Final = (
    "SELECT password FROM accounts_user",
    "SELECT nonce FROM accounts_invitation",
    "SELECT session_key FROM django_session",
    "SELECT * FROM mfa_authenticator",
    "SELECT * FROM usersessions_usersession",
    "SELECT * FROM account_emailconfirmation",
)
REFUSED: Final = [
    *(("app", statement) for statement in APP_MAY_NOT),
    *(("erase", statement) for statement in ERASE_MAY_NOT),
    *((role, statement) for role in ("readonly", "backup") for statement in READERS_MAY_NOT),
    *(("readonly", statement) for statement in NO_SECRETS),
]
ALLOWED: Final = [
    ("app", "UPDATE accounts_historydetail SET sealed = '', sealed_address = ''"),
    ("app", "UPDATE accounts_staffdetail SET sealed = '', sealed_address = ''"),
    ("app", "SELECT * FROM accounts_staffloglock FOR UPDATE"),
    ("app", "SELECT * FROM accounts_client FOR UPDATE"),
    ("app", "DELETE FROM validation_validationrecord"),
    ("app", "SELECT * FROM django_migrations"),
    ("erase", "UPDATE accounts_historydetail SET sealed = ''"),
    ("erase", "DELETE FROM accounts_historydetail"),
    ("readonly", "SELECT state FROM accounts_client"),
    ("readonly", "SELECT email FROM accounts_user"),
    ("readonly", "SELECT * FROM accounts_historyentry"),
    ("backup", "SELECT * FROM mfa_authenticator"),
]


class TestRoles:
    @pytest.mark.parametrize(("role", "statement"), REFUSED)
    def test_role_is_refused_what_it_does_not_need(self, server: DatabaseServer, role: str, statement: str) -> None:
        """For lack of rights, and not just because the session is read-only by default."""
        with server.connected(role) as connection:
            connection.execute("SET TRANSACTION READ WRITE")
            with pytest.raises(errors.InsufficientPrivilege):
                connection.execute(statement.encode())

    @pytest.mark.parametrize(("role", "statement"), ALLOWED)
    def test_role_can_do_its_work(self, server: DatabaseServer, role: str, statement: str) -> None:
        with server.connected(role) as connection:
            assert connection.execute(statement.encode()).rowcount >= 0

    def test_reader_cannot_write(self, server: DatabaseServer) -> None:
        for role in ("readonly", "backup"):
            with server.connected(role) as connection, pytest.raises(errors.ReadOnlySqlTransaction):
                connection.execute("CREATE TEMPORARY TABLE mine (id int)")

    def test_new_table_can_be_used_at_once(self, server: DatabaseServer) -> None:
        server.psql("--command=CREATE TABLE added (id bigserial PRIMARY KEY, password text)", role="owner")
        try:
            for _ in range(2):
                for role in ("app", "erase"):
                    with server.connected(role) as connection:
                        connection.execute("INSERT INTO added (password) VALUES ('x')")
                        assert connection.execute("DELETE FROM added").rowcount == 1
                server.apply_rights()
            for role in ("readonly", "backup"):
                with server.connected(role) as connection:
                    connection.execute("SELECT * FROM added")
        finally:
            server.psql("--command=DROP TABLE added", role="owner")

    def test_rights_of_a_renamed_table_are_an_error(self, server: DatabaseServer) -> None:
        """Otherwise its protection would end unnoticed."""
        server.psql("--command=ALTER TABLE accounts_historydetail RENAME TO elsewhere", role="owner")
        try:
            with pytest.raises(AssertionError, match="accounts_historydetail"):
                server.apply_rights()
        finally:
            server.psql("--command=ALTER TABLE elsewhere RENAME TO accounts_historydetail", role="owner")
            server.apply_rights()

    def test_unknown_role_cannot_connect(self, server: DatabaseServer) -> None:
        server.psql("--command=CREATE ROLE other LOGIN PASSWORD 'other'")
        url = urlsplit(server.url)
        with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
            psycopg.connect(f"postgres://other:other@127.0.0.1:{url.port}/ibanse")

    def test_both_roles_can_prune(self, server: DatabaseServer, tmp_path: Path) -> None:
        server.manage("owner", "migrate", "--database=keyring", "--verbosity=0", folder=tmp_path)
        for role in ("app", "erase"):
            server.manage(role, "prune_expired", folder=tmp_path)

    def test_serving_role_collects_metrics(self, server: DatabaseServer, tmp_path: Path) -> None:
        """Twice, since the second run overwrites the metrics of the same hour."""
        server.manage("owner", "migrate", "--database=keyring", "--verbosity=0", folder=tmp_path)
        for _ in range(2):
            server.manage("app", "collect_metrics", folder=tmp_path)

    def test_owner_defines_groups_and_serving_role_their_members(self, server: DatabaseServer, tmp_path: Path) -> None:
        server.manage("owner", "sync_staff_groups", folder=tmp_path)
        server.manage("owner", "sync_staff_groups", "--check", folder=tmp_path)
        server.run_as_app(roles.change_staff_groups, folder=tmp_path)

    def test_serving_role_can_erase_a_user(self, server: DatabaseServer, tmp_path: Path) -> None:
        """The only deletion that changes the audit log during a request; its hash chain stays valid."""
        server.manage("owner", "migrate", "--database=keyring", "--verbosity=0", folder=tmp_path)

        server.run_as_app(roles.erase_user, folder=tmp_path)

    def test_serving_role_appends_to_the_staff_audit_log(self, server: DatabaseServer, tmp_path: Path) -> None:
        """Each entry locks a row that the role may lock; the reasons are erased with their client."""
        server.manage("owner", "migrate", "--database=keyring", "--verbosity=0", folder=tmp_path)

        server.run_as_app(roles.append_to_staff_log, folder=tmp_path)

    def test_backup_role_can_dump_everything(self, server: DatabaseServer) -> None:
        done = subprocess.run(
            ["pg_dump", server.as_role("backup")], capture_output=True, text=True, check=True, timeout=60
        )

        assert str(CLIENT) in done.stdout
        assert "accounts_historyentry_id_seq" in done.stdout


class TestLog:
    def test_failing_statement_logs_no_value(self, server: DatabaseServer) -> None:
        """With Debian's settings the IBAN is logged; with ours it is not, but the server's own messages are."""
        log = self._log(server)
        self._fail(server)
        before = log.read_text(encoding="utf-8")
        assert before.count(IBAN) > 5
        self._configure(server)

        self._fail(server)
        server.psql("--command=CHECKPOINT")

        since = log.read_text(encoding="utf-8")[len(before) :]
        assert IBAN.lower() not in since.lower()
        assert "checkpoint starting" in since

    def _log(self, server: DatabaseServer) -> Path:
        with psycopg.connect(server.url) as connection:
            row = connection.execute("SHOW data_directory").fetchone()
        assert row
        return Path(row[0]).parent / "log"

    def _configure(self, server: DatabaseServer) -> None:
        lines = (FOLDER / "ibanse.conf").read_text(encoding="utf-8").splitlines()
        found = [re.fullmatch(r"(\w+) = '?([^']*?)'?", line) for line in lines if line and not line.startswith("#")]
        with psycopg.connect(server.url, autocommit=True) as connection:
            for setting in found:
                assert setting
                if setting[1] != "listen_addresses":  # The tests connect over TCP.
                    connection.execute(
                        sql.SQL("ALTER SYSTEM SET {} = {}").format(sql.Identifier(setting[1]), setting[2])
                    )
            connection.execute("SELECT pg_reload_conf()")
            deadline = time.monotonic() + 10
            while connection.execute("SHOW log_error_verbosity").fetchone() != ("terse",):
                assert time.monotonic() < deadline
                time.sleep(0.05)

    def _fail(self, server: DatabaseServer) -> None:
        """Fail with an IBAN in a statement, a parameter, an error message, its detail, and a function's context."""
        statements: list[tuple[bytes, tuple[str, ...]]] = [
            (f"SELECT '{IBAN}'::uuid".encode(), ()),
            (b"SELECT %s::text::int", (IBAN,)),
            (b"INSERT INTO django_migrations (app, name, applied) VALUES (%s, %s, NULL)", (IBAN, IBAN)),
            (f"DO $$ BEGIN RAISE EXCEPTION '{IBAN}'; END $$".encode(), ()),
            (f"DO $$ BEGIN RAISE WARNING '{IBAN}'; END $$".encode(), ()),
            (b"TABLE " + IBAN.encode(), ()),
        ]
        url = urlsplit(server.url)._replace(path="/ibanse").geturl()
        for statement, values in statements:
            with psycopg.connect(url) as connection, contextlib.suppress(psycopg.Error):
                connection.execute(statement, values)
