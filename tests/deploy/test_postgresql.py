"""The roles of the database: each may what it needs, asked at a real PostgreSQL; and its log, which tells no values."""

import contextlib
import re
import secrets
import shutil
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg import errors, sql

from tests.support import services

pytestmark = [pytest.mark.deploy, pytest.mark.claim("least_rights")]

FOLDER: Final = services.ROOT / "deploy" / "postgresql"
IBAN: Final = "SE4550000000058398257466"
CLIENT: Final = uuid.UUID(int=7)


class Server:
    """A PostgreSQL with our roles and tables."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._password = secrets.token_hex(16)

    def psql(self, *arguments: str, role: str = "") -> None:
        """Run psql as an administrator, or as a role; fail with what it said."""
        url = self.as_role(role) if role else self.url
        command = ["psql", "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", url, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 0, done.stderr

    def make_roles(self) -> None:
        """Make roles and database, as deploy/install does; here they need passwords, since the tests come by TCP."""
        self.psql(f"--file={FOLDER / 'roles.sql'}")
        for role in ("owner", "app", "erase", "readonly", "backup"):
            self.psql(f"--command=ALTER ROLE ibanse_{role} PASSWORD '{self._password}'")

    def as_role(self, role: str) -> str:
        """Return the address of our database for a role."""
        port = urlsplit(self.url).port
        return f"postgres://ibanse_{role}:{self._password}@127.0.0.1:{port}/ibanse"

    def manage(self, role: str, *command: str, folder: Path) -> None:
        """Run manage.py as a role."""
        told = services.environment(DATABASE_URL=self.as_role(role), IBANSE_DATA_DIR=str(folder))
        done = subprocess.run(
            [sys.executable, "manage.py", *command],
            cwd=services.ROOT, env=told, capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr

    def give_rights(self) -> None:
        """Run rights.sql, as after every migrate."""
        self.psql(f"--file={FOLDER / 'rights.sql'}", role="owner")

    @contextlib.contextmanager
    def connected(self, role: str) -> Iterator[psycopg.Connection]:
        """Connect as a role; nothing of what is done stays."""
        with psycopg.connect(self.as_role(role)) as connection:
            yield connection
            connection.rollback()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Start a PostgreSQL, make roles, tables and rights twice (they are made again by each upgrade), and a client."""
    if shutil.which("psql") is None:
        pytest.skip(services.missing("postgresql"))
    with services.postgresql() as url:
        made = Server(url)
        folder = tmp_path_factory.mktemp("data")
        made.make_roles()
        made.manage("owner", "migrate", "--verbosity=0", folder=folder)
        made.give_rights()
        made.psql(f"--file={FOLDER / 'roles.sql'}")
        made.manage("owner", "migrate", "--verbosity=0", folder=folder)
        made.give_rights()
        made.psql(f"--command={HISTORY}", role="app")
        yield made


HISTORY: Final = """
    INSERT INTO accounts_client (id, state, user_limit, monthly_quota, needs_second_factor, is_demo, created_at)
        VALUES ('CLIENT', 'active', 5, 5, false, false, now());
    WITH entry AS (
        INSERT INTO accounts_historyentry (client_id, number, tag, at, network, detail_hash, previous_hash, hash)
        VALUES ('CLIENT', 1, 'client.created', now(), '', '', '', '') RETURNING id)
    INSERT INTO accounts_historydetail (entry_id, sealed, sealed_address) SELECT id, 'detail', 'address' FROM entry
""".replace("CLIENT", str(CLIENT))

DELETE_A_USER: Final = """
from accounts import audit
from accounts.actor import Actor
from accounts.audit import AuditEvent, client_log
from accounts.models import Client, User
from privacy.deletion import execution, requesting
from privacy.models import DeletionRequest

client = Client.objects.create()
owner = User.objects.create_user("alice@example.org", client=client, role="owner")
vera = User.objects.create_user("vera@example.org", client=client, role="sub_user")
audit.record(AuditEvent.PROFILE_CHANGED, client=client, by=Actor(vera), detail={"name": "Vera"})
asked = requesting.start_erasure(client, DeletionRequest.Scope.USER, by=Actor(owner), user=vera.pk)
assert execution.resume(asked.pk)
assert not User.objects.filter(pk=vera.pk).exists()
assert client_log.verify(client).ok
"""

STAFF_LOOK: Final = """
from accounts import audit
from accounts.actor import SYSTEM
from accounts.audit import StaffEvent, staff_log
from accounts.models import Client

client = Client.objects.create()
for _look in range(2):
    audit.record_staff(StaffEvent.PAGE_VIEWED, by=SYSTEM, client=client.pk, detail={"page": "index"})
assert list(staff_log.forget_client(client.pk)) == [2]
assert staff_log.verify().ok
"""

STAFF: Final = """
from django.contrib.auth.models import Group
from accounts.models import User
from accounts.staff import groups

sten = User.objects.create_user("sten@operator.example", is_staff=True)
sten.groups.set(Group.objects.filter(name="support"))
assert groups.of(sten) == ["support"] and sten.has_perm("accounts.view_client")
sten.groups.clear()
sten.delete()
"""

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
    def test_a_role_may_not_do_what_is_not_its_own(self, server: Server, role: str, statement: str) -> None:
        """Refused for want of rights; by a read-only session that is turned on again, too."""
        with server.connected(role) as connection:
            connection.execute("SET TRANSACTION READ WRITE")
            with pytest.raises(errors.InsufficientPrivilege):
                connection.execute(statement.encode())

    @pytest.mark.parametrize(("role", "statement"), ALLOWED)
    def test_a_role_may_do_what_it_is_for(self, server: Server, role: str, statement: str) -> None:
        with server.connected(role) as connection:
            assert connection.execute(statement.encode()).rowcount >= 0

    def test_a_reader_cannot_write_even_where_it_would_have_the_right(self, server: Server) -> None:
        for role in ("readonly", "backup"):
            with server.connected(role) as connection, pytest.raises(errors.ReadOnlySqlTransaction):
                connection.execute("CREATE TEMPORARY TABLE mine (id int)")

    def test_a_new_table_can_be_used_before_and_after_its_rights_are_given(self, server: Server) -> None:
        server.psql("--command=CREATE TABLE added (id bigserial PRIMARY KEY, password text)", role="owner")
        try:
            for _ in range(2):
                for role in ("app", "erase"):
                    with server.connected(role) as connection:
                        connection.execute("INSERT INTO added (password) VALUES ('x')")
                        assert connection.execute("DELETE FROM added").rowcount == 1
                server.give_rights()
            for role in ("readonly", "backup"):
                with server.connected(role) as connection:
                    connection.execute("SELECT * FROM added")
        finally:
            server.psql("--command=DROP TABLE added", role="owner")

    def test_rights_for_a_table_that_has_lost_its_name_are_refused(self, server: Server) -> None:
        """Or its protection would end unnoticed."""
        server.psql("--command=ALTER TABLE accounts_historydetail RENAME TO elsewhere", role="owner")
        try:
            with pytest.raises(AssertionError, match="accounts_historydetail"):
                server.give_rights()
        finally:
            server.psql("--command=ALTER TABLE elsewhere RENAME TO accounts_historydetail", role="owner")
            server.give_rights()

    def test_nobody_else_comes_in(self, server: Server) -> None:
        server.psql("--command=CREATE ROLE stranger LOGIN PASSWORD 'stranger'")
        place = urlsplit(server.url)
        with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
            psycopg.connect(f"postgres://stranger:stranger@127.0.0.1:{place.port}/ibanse")

    def test_pruning_works_as_the_role_that_serves_and_as_the_one_that_erases(
        self, server: Server, tmp_path: Path
    ) -> None:
        server.manage("owner", "migrate", "--database=keyring", "--verbosity=0", folder=tmp_path)
        for role in ("app", "erase"):
            server.manage(role, "prune_expired", folder=tmp_path)

    def test_readings_are_taken_as_the_role_that_serves(self, server: Server, tmp_path: Path) -> None:
        """Twice: the second overwrites those of the same hour. The size of the database is asked of the server."""
        server.manage("owner", "migrate", "--database=keyring", "--verbosity=0", folder=tmp_path)
        for _ in range(2):
            server.manage("app", "collect_metrics", folder=tmp_path)

    def test_the_owner_says_what_a_group_of_staff_may_and_who_serves_who_is_in_it(
        self, server: Server, tmp_path: Path
    ) -> None:
        server.manage("owner", "sync_staff_groups", folder=tmp_path)
        server.manage("owner", "sync_staff_groups", "--check", folder=tmp_path)
        server.manage("app", "shell", "--command", STAFF, folder=tmp_path)

    def test_an_owner_can_delete_a_user_with_all_traces_as_the_role_that_serves(
        self, server: Server, tmp_path: Path
    ) -> None:
        """The one deletion that changes the history, and is done while somebody waits; its chain stays whole."""
        server.manage("owner", "migrate", "--database=keyring", "--verbosity=0", folder=tmp_path)

        server.manage("app", "shell", "--command", DELETE_A_USER, folder=tmp_path)

    def test_the_role_that_serves_adds_to_the_history_of_staff_and_forgets_reasons(
        self, server: Server, tmp_path: Path
    ) -> None:
        """Each look takes its turn on a row that the role may lock; a client that goes takes the reasons along."""
        server.manage("owner", "migrate", "--database=keyring", "--verbosity=0", folder=tmp_path)

        server.manage("app", "shell", "--command", STAFF_LOOK, folder=tmp_path)

    def test_a_dump_of_the_backup_role_is_whole(self, server: Server) -> None:
        done = subprocess.run(
            ["pg_dump", server.as_role("backup")], capture_output=True, text=True, check=True, timeout=60
        )

        assert str(CLIENT) in done.stdout
        assert "accounts_historyentry_id_seq" in done.stdout


class TestLog:
    def test_a_statement_that_fails_leaves_no_value_in_the_log(self, server: Server) -> None:
        """Told as Debian tells it the number is there; told our way it is not, and the server's own words still are."""
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

    def _log(self, server: Server) -> Path:
        with psycopg.connect(server.url) as connection:
            row = connection.execute("SHOW data_directory").fetchone()
        assert row
        return Path(row[0]).parent / "log"

    def _configure(self, server: Server) -> None:
        lines = (FOLDER / "ibanse.conf").read_text(encoding="utf-8").splitlines()
        found = [re.fullmatch(r"(\w+) = '?([^']*?)'?", line) for line in lines if line and not line.startswith("#")]
        with psycopg.connect(server.url, autocommit=True) as connection:
            for setting in found:
                assert setting
                if setting[1] != "listen_addresses":  # The tests come by TCP.
                    connection.execute(
                        sql.SQL("ALTER SYSTEM SET {} = {}").format(sql.Identifier(setting[1]), setting[2])
                    )
            connection.execute("SELECT pg_reload_conf()")
            deadline = time.monotonic() + 10
            while connection.execute("SHOW log_error_verbosity").fetchone() != ("terse",):
                assert time.monotonic() < deadline
                time.sleep(0.05)

    def _fail(self, server: Server) -> None:
        """Let a number stand in a statement, a parameter, an error's sentence, its detail, and a function's context."""
        statements: list[tuple[bytes, tuple[str, ...]]] = [
            (f"SELECT '{IBAN}'::uuid".encode(), ()),
            (b"SELECT %s::text::int", (IBAN,)),
            (b"INSERT INTO django_migrations (app, name, applied) VALUES (%s, %s, NULL)", (IBAN, IBAN)),
            (f"DO $$ BEGIN RAISE EXCEPTION '{IBAN}'; END $$".encode(), ()),
            (f"DO $$ BEGIN RAISE WARNING '{IBAN}'; END $$".encode(), ()),
            (b"TABLE " + IBAN.encode(), ()),
        ]
        place = urlsplit(server.url)._replace(path="/ibanse").geturl()
        for statement, values in statements:
            with psycopg.connect(place) as connection, contextlib.suppress(psycopg.Error):
                connection.execute(statement, values)
