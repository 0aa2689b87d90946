"""Backups and restores, and what can go wrong with them: real databases, real restic, no mocks."""

import getpass
import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from deploy.backup.settings import MAX_DAYS
from privacy.deletion import receipts
from tests.support import services
from tests.support.backups import IBANS, PASSWORDS, Backups
from tests.support.production import database_beside, wait_until
from tests.support.programs import backups as backup_programs

pytestmark = pytest.mark.deploy

DAY_HOURS = 24


def skip_without_restic() -> None:
    if not services.PRESENT["restic"]():
        pytest.skip(services.missing("restic"))


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory, redis_url: str) -> Backups:
    """A site on SQLite with one user and one data key, backed up once; tests use copies of it."""
    skip_without_restic()
    folder = tmp_path_factory.mktemp("prepared")
    backups = Backups(
        folder, f"sqlite:///{folder / 'site.sqlite3'}", f"sqlite:///{folder / 'keyring.sqlite3'}", redis_url
    )
    backups.site.prepare()
    backups.site.run(backup_programs.create_user_and_data_key)
    backups.prepare()
    backups.does("run")
    return backups


@pytest.fixture
def small(prepared: Backups, tmp_path: Path, redis_url: str) -> Backups:
    """A copy of the prepared site and its repositories."""
    folder = tmp_path / "site"
    shutil.copytree(prepared.folder, folder)
    return Backups(folder, f"sqlite:///{folder / 'site.sqlite3'}", f"sqlite:///{folder / 'keyring.sqlite3'}", redis_url)


@pytest.mark.claim("sealed_backups")
class TestFullRestore:
    @pytest.fixture(params=["PostgreSQL with a SQLite keyring", "PostgreSQL twice", "SQLite twice"])
    def backups(self, request: pytest.FixtureRequest, tmp_path: Path, redis_url: str) -> Iterator[Backups]:
        """A site of each kind."""
        skip_without_restic()
        server = os.environ.get("DATABASE_URL")
        if server is None and "PostgreSQL" in request.param:
            pytest.skip(services.missing("postgresql"))
        main = None if request.param == "SQLite twice" else server
        keyring = server if request.param == "PostgreSQL twice" else None
        (tmp_path / "keyring").mkdir()
        with database_beside(main, tmp_path) as url, database_beside(keyring, tmp_path / "keyring") as keyring_url:
            backups = Backups(tmp_path, url, keyring_url, redis_url)
            backups.site.prepare()
            backups.prepare()
            yield backups

    def test_everything_is_restored_and_readable(self, backups: Backups) -> None:
        backups.fill()
        before = backups.seen()
        backups.does("run")
        checked = backups.does("check")
        backups.destroy()

        planned = backups.does("restore", "--dry-run")
        started = time.monotonic()
        restored = backups.does("restore")
        print(f"\nThe restore took {time.monotonic() - started:.1f} s:\n{restored}")
        after = backups.seen()
        again = backups.refuses("restore")
        backups.delete("owner0@example.com")
        backups.does("ledger")
        backups.destroy()
        replayed = backups.does("restore")
        without_deleted = backups.seen()

        assert "All is well." in checked
        assert "is missing or unreadable; it will be restored from" in planned
        assert "Nothing was changed" in planned
        assert before["counts"]["validation_validationrecord"] == len(after["ibans"]) == 10
        assert set(after["ibans"]) == set(IBANS)
        assert "secret 19" in after["notes"]
        assert all(ok for ok, _ in after["chains"].values())
        assert after == before
        assert "2 sessions were ended." in restored
        assert "both databases contain data: 2 users" in again
        # The backup is older than the deletion: the ledger deletes the restored account again.
        assert "1 keys had come back and are gone" in replayed
        assert (without_deleted["counts"]["accounts_client"], without_deleted["counts"]["accounts_user"]) == (1, 1)
        assert len(without_deleted["ibans"]) == 5
        assert all(ok for ok, _ in without_deleted["chains"].values())
        assert backups.site.run(backup_programs.count_data_keys) == 1


@pytest.mark.claim("sealed_backups")
class TestRestoring:
    def test_live_database_is_replaced_only_on_request(self, small: Backups) -> None:
        small.sqlite(small.database, "UPDATE accounts_user SET email = 'changed@example.com'")
        before = small.refuses("restore")
        small.does("restore", "--drill")
        unchanged = small.sqlite(small.database, "SELECT email FROM accounts_user")
        left = list(small.folder.glob("*.restoring*"))

        output = small.does("restore", "--replace", "main")

        assert "both databases contain data: 1 users, 1 data keys" in before
        assert (unchanged, left) == ([("changed@example.com",)], [])
        assert small.sqlite(small.database, "SELECT email FROM accounts_user") == [("owner@example.com",)]
        assert "keyring.sqlite3 is live (1 rows in its main table); it will be left unchanged" in output
        [previous] = small.folder.glob("site.sqlite3.before-*[0-9]")
        assert small.sqlite(f"sqlite:///{previous}", "SELECT email FROM accounts_user") == [("changed@example.com",)]

    def test_named_snapshot_is_restored_and_an_unknown_one_refused(self, small: Backups) -> None:
        [first] = small.snapshots("main")
        small.sqlite(small.database, "UPDATE accounts_user SET email = 'changed@example.com'")
        small.does("run")

        refused = small.refuses("restore", "--replace", "main", "--main", "abcdefab")
        small.does("restore", "--replace", "main", "--main", first)

        assert "abcdefab matches 0 of them" in refused
        assert f"choose one of: {first}" in refused
        assert small.sqlite(small.database, "SELECT email FROM accounts_user") == [("owner@example.com",)]

    def test_wrong_master_key_prevents_a_restore(self, small: Backups) -> None:
        small.destroy()
        wrong = "1:MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="

        error = small.refuses("restore", IBANSE_MASTER_KEYS=wrong)

        assert "keyring_status: Master key 1 does not open a data key" in error.replace("\n", " ")
        assert list(small.folder.glob("*.sqlite3*")) == []

    def test_broken_audit_log_prevents_a_restore(self, small: Backups) -> None:
        small.site.run(backup_programs.create_audit_log)
        small.sqlite(small.database, "UPDATE accounts_historyentry SET tag = 'keys.created' WHERE number = 2")
        small.does("run")
        small.destroy()

        error = small.refuses("restore")

        assert "verify_history" in error
        assert "1 of 2 audit logs are broken" in error, "the client's; that of the staff is whole"
        assert list(small.folder.glob("*.sqlite3*")) == []

    def test_missing_keyring_backup_prevents_a_restore(self, small: Backups) -> None:
        small.restic("keyring", "forget", *small.snapshots("keyring"))
        small.destroy()

        error = small.refuses("restore")

        assert "Choosing a snapshot of keyring: there is none in" in error
        assert "nothing encrypted can be read without it" in error
        assert list(small.folder.glob("*.sqlite3*")) == []


@pytest.mark.claim("sealed_backups")
class TestFailures:
    def test_wrong_password_names_the_repository(self, small: Backups) -> None:
        wrong = {"IBANSE_BACKUP_KEYRING_PASSWORD": "another-password-of-enough-letters"}

        for command in ("run", "check", "snapshots", "prepare", "restore"):
            error = small.refuses(command, *(["--replace", "keyring"] if command == "restore" else []), **wrong)

            assert "the password does not open this repository (keyring:" in error

    def test_damaged_repository_is_found_by_check_and_restore(self, small: Backups) -> None:
        for path in (small.repositories["keyring"] / "data").rglob("*"):
            if path.is_file():
                content = bytearray(path.read_bytes())
                content[len(content) // 3] ^= 1
                path.chmod(0o600)
                path.write_bytes(content)
        checked = small.refuses("check")
        small.destroy()

        restored = small.refuses("restore")

        assert "the repository is damaged (keyring:" in checked
        assert "the repository is damaged (keyring:" in restored
        assert list(small.folder.glob("*.sqlite3*")) == []

    def test_full_target_leaves_earlier_backups_intact(self, small: Backups, tmp_path: Path) -> None:
        with tiny_disk(tmp_path / "tiny") as disk:
            shutil.copytree(small.repositories["main"], disk / "main-repository")
            free = shutil.disk_usage(disk).free
            (disk / "filler").write_bytes(bytes(max(0, free - 8192)))
            small.repositories["main"] = disk / "main-repository"
            small.sqlite(small.database, "CREATE TABLE more AS SELECT randomblob(500000) AS bytes")

            error = small.refuses("run", IBANSE_BACKUP_REPOSITORY=str(disk / "main-repository"))
            (disk / "filler").unlink()

            assert "the target is full or refuses to write (main:" in error
            assert len(small.snapshots("main")) == 1
            # The keyring's backup does not depend on the main one.
            assert len(small.snapshots("keyring")) == 2

    def test_killed_backup_does_not_block_the_next(self, small: Backups) -> None:
        environment = services.environment(
            RESTIC_PASSWORD=PASSWORDS["main"], RESTIC_REPOSITORY=str(small.repositories["main"])
        )
        command = ["restic", "backup", "--stdin", "--stdin-filename", "copy.sqlite3", "--tag", "main"]
        backup = subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
        locks = small.repositories["main"] / "locks"
        # By its full name: while it is being written it has another, which restic does not regard as a lock.
        wait_until(lambda: any(len(lock.name) == 64 for lock in locks.iterdir()))
        backup.kill()
        backup.communicate()

        # Needs an exclusive lock, which the stale lock prevents.
        small.does("check")
        small.does("run")

        assert not any(locks.iterdir())
        assert len(small.snapshots("main")) == 2

    def test_unreadable_database_leaves_no_partial_snapshot(self, small: Backups) -> None:
        Path(small.database.removeprefix("sqlite:///")).write_bytes(b"this is not a database, it only has its name")

        error = small.refuses("run")

        assert "site.sqlite3: file is not a database" in error
        assert len(small.snapshots("main")) == 1

    def test_times_are_recorded_for_successful_backups_only(self, small: Backups) -> None:
        stamp = small.folder / "backups.json"
        first = json.loads(stamp.read_text(encoding="ascii"))
        Path(small.database.removeprefix("sqlite:///")).write_bytes(b"this is not a database, it only has its name")

        small.refuses("run")
        second = json.loads(stamp.read_text(encoding="ascii"))
        unwritten = small.command("run", IBANSE_BACKUP_STAMP=str(small.folder / "nowhere" / "backups.json"))

        assert second["main"] == first["main"]
        assert datetime.fromisoformat(second["keyring"]) > datetime.fromisoformat(first["keyring"])
        # The site reads it as another user.
        assert stamp.stat().st_mode & 0o777 == 0o644
        assert "Failed as well: Recording the time" in unwritten.stdout
        assert len(small.snapshots("keyring")) == 3

    def test_role_that_cannot_read_everything_makes_no_backup(self, small: Backups) -> None:
        server = os.environ.get("DATABASE_URL")
        if server is None:
            pytest.skip(services.missing("postgresql"))
        with database_beside(server, small.folder) as url, psycopg.connect(url, autocommit=True) as owner:
            name = url.rpartition("/")[2]
            owner.execute(f"CREATE ROLE reader_{name} LOGIN PASSWORD 'reads-too-little'".encode())
            try:
                owner.execute("CREATE TABLE seen AS SELECT repeat('x', 9) FROM generate_series(1, 100000)")
                owner.execute(f"GRANT SELECT ON seen TO reader_{name}".encode())
                owner.execute("CREATE TABLE unseen (i int)")
                place = url.partition("@")[2]
                reader = f"postgres://reader_{name}:reads-too-little@{place}"

                error = small.refuses("run", IBANSE_BACKUP_DATABASE_URL=reader)
            finally:
                owner.execute(f"DROP OWNED BY reader_{name}; DROP ROLE reader_{name}".encode())

        assert "permission denied for table unseen" in error
        assert "reads-too-little" not in error
        assert len(small.snapshots("main")) == 1

    def test_missing_setting_is_named(self, small: Backups) -> None:
        for name in ("IBANSE_BACKUP_REPOSITORY", "IBANSE_BACKUP_KEYRING_PASSWORD", "IBANSE_BACKUP_DATABASE_URL"):
            assert name in small.refuses("run", **{name: ""})

        assert "are the same" in small.refuses("run", IBANSE_BACKUP_KEYRING_REPOSITORY=str(small.repositories["main"]))
        assert "there is no repository" in small.refuses("run", IBANSE_BACKUP_REPOSITORY=str(small.folder / "nowhere"))

    def test_no_secret_is_on_a_command_line(self, small: Backups, tmp_path: Path) -> None:
        wrappers = tmp_path / "wrappers"
        wrappers.mkdir()
        for program in ("restic", "pg_dump", "pg_restore", "psql"):
            wrapper = wrappers / program
            wrapper.write_text(f'#!/bin/sh\necho "$0 $*" >>{tmp_path}/lines\nexec {shutil.which(program)} "$@"\n')
            wrapper.chmod(0o755)
        wrapped = {"PATH": f"{wrappers}:{os.environ['PATH']}"}
        with database_beside(os.environ.get("DATABASE_URL"), small.folder) as url:
            small.database = small.settings["IBANSE_BACKUP_DATABASE_URL"] = url
            small.site.environment["DATABASE_URL"] = url
            small.site.prepare()
            small.does("run", **wrapped)
            small.does("restore", "--drill", **wrapped)
        lines = (tmp_path / "lines").read_text()

        assert "backup --stdin" in lines
        assert "dump" in lines
        assert [secret for secret in small.secrets() if secret in lines] == []


@pytest.mark.claim("backups_end")
class TestLifetimes:
    def test_backups_expire_as_receipts_promise(self) -> None:
        assert timedelta(days=MAX_DAYS["main"]) == receipts.BACKUP_RETENTION
        assert timedelta(days=MAX_DAYS["keyring"]) == receipts.KEYRING_BACKUP_RETENTION

    def test_next_run_removes_an_old_keyring_backup_completely(self, small: Backups) -> None:
        """It must not be older than seven days by the next nightly run."""
        before = small.packs("keyring")
        for hours in (5 * DAY_HOURS, 6 * DAY_HOURS, 8 * DAY_HOURS):
            small.add_old_snapshot("keyring", hours=hours, content=os.urandom(3000))
        small.add_old_snapshot("main", hours=34 * DAY_HOURS, content=os.urandom(3000))
        small.add_old_snapshot("main", hours=20 * DAY_HOURS, content=os.urandom(3000))
        old = small.packs("keyring") - before

        checked = small.refuses("check")
        small.does("run")

        assert "older than the promised 7 days" in checked
        assert len(small.snapshots("keyring")) == 3
        assert len(small.snapshots("main")) == 3
        assert len(old & small.packs("keyring")) < len(old)
        assert "older than" not in small.command("check").stderr

    def test_data_of_removed_snapshots_are_found_and_pruned(self, small: Backups) -> None:
        """A run that was killed between `forget` and `prune` leaves such data."""
        small.add_old_snapshot("keyring", hours=30, content=os.urandom(3000))
        small.restic("keyring", "forget", small.snapshots("keyring")[0])

        error = small.refuses("check")
        small.does("run")
        small.does("check")

        assert "The keyring repository holds data that no snapshot needs" in error

    def test_last_backup_is_removed_on_request_only(self, small: Backups) -> None:
        small.add_old_snapshot("keyring", hours=9 * DAY_HOURS, content=os.urandom(3000))
        small.restic("keyring", "forget", small.snapshots("keyring")[1])
        small.does("expire")
        left = len(small.snapshots("keyring"))

        error = small.refuses("check")
        small.does("expire", "--all")

        assert left == 1
        assert "older than the promised 7 days" in error
        assert "There is no backup of keyring" in small.refuses("check")

    def test_check_reports_replaced_files_that_are_too_old(self, small: Backups) -> None:
        small.does("restore", "--replace", "keyring")
        [previous] = small.folder.glob("keyring.sqlite3.before-*[0-9]")
        fresh = small.command("check").stderr
        os.utime(previous, times=(time.time() - 8 * 24 * 3600,) * 2)

        assert fresh == ""
        assert f"{previous}, replaced by a restore, is older than 7 days" in small.refuses("check")

    def test_snapshots_of_the_target_shorten_our_retention(self, small: Backups) -> None:
        small.add_old_snapshot("keyring", hours=4 * DAY_HOURS, content=os.urandom(3000))
        small.does("run", IBANSE_BACKUP_TARGET_SNAPSHOT_DAYS="3")

        assert len(small.snapshots("keyring")) == 2
        assert "whole number from 0 to 5" in small.refuses("run", IBANSE_BACKUP_TARGET_SNAPSHOT_DAYS="9")

    def test_late_backup_raises_an_alarm_by_mail(self, small: Backups) -> None:
        small.add_old_snapshot("main", hours=27, content=os.urandom(200_000))
        small.restic("main", "forget", small.snapshots("main")[1])
        mails = small.folder / "mails"

        error = small.refuses("check", IBANSE_BACKUP_ALARM_TO="operator@example.com", EMAIL_URL=f"file://{mails}")

        assert "The newest backup of main is 27 hours old, more than 26" in error
        [mail] = mails.iterdir()
        assert "The newest backup of main is 27 hours old" in mail.read_text()
        assert "To: operator@example.com" in mail.read_text()

    def test_emptied_database_raises_an_alarm(self, small: Backups) -> None:
        small.add_old_snapshot("main", hours=-0.01, content=b"almost nothing")

        assert "check whether the database has lost its content" in small.refuses("check")

    def test_snapshot_from_the_future_raises_an_alarm(self, small: Backups) -> None:
        small.add_old_snapshot("main", hours=-72, content=os.urandom(400_000))

        assert "is from the future" in small.refuses("check")


@pytest.mark.claim("not_brought_back")
class TestLedgerShipping:
    def write(self, small: Backups, content: bytes) -> None:
        small.ledger.parent.mkdir(exist_ok=True)
        small.ledger.write_bytes(content)

    def test_ledger_is_restored_and_never_rewound(self, small: Backups) -> None:
        self.write(small, b"one\n")
        unshipped = small.refuses("check")
        small.does("ledger")
        self.write(small, b"one\ntwo\n")
        small.does("run")
        small.ledger.unlink()
        small.does("restore", "--only", "ledger")
        restored = small.ledger.read_bytes()
        self.write(small, b"one\ntwo\nthree\n")

        planned = small.does("restore", "--replace", "main", "--dry-run")
        refused = small.refuses("restore", "--replace", "main")

        assert "Erasure ledger: 14 bytes locally, 8 shipped" in planned
        # Such lines cannot be replayed, so nothing is restored.
        assert "Verifying what was restored: replay_erasures:" in refused
        assert list(small.folder.glob("*.before-*")) == []
        assert "The local erasure ledger has 4 bytes, its shipped copy 0" in unshipped
        assert restored == b"one\ntwo\n"
        assert small.ledger.read_bytes() == b"one\ntwo\nthree\n"

    def test_changed_ledger_is_not_shipped(self, small: Backups) -> None:
        self.write(small, b"one\ntwo\n")
        small.does("ledger")
        for forged in (b"one\n", b"", b"uno\ntwo\nthree\n"):
            self.write(small, forged)

            assert "it was cut or rewritten; nothing is shipped" in small.refuses("ledger")
        refused = small.refuses("restore", "--replace", "main")
        small.does("restore", "--only", "ledger")

        assert "contradict each other" in refused
        assert small.ledger.read_bytes() == b"one\ntwo\n"
        [previous] = small.ledger.parent.glob("ledger.before-*")
        assert previous.read_bytes() == b"uno\ntwo\nthree\n"


class TestSftp:
    def test_backups_go_to_a_known_host_only(self, small: Backups, tmp_path: Path) -> None:
        if not services.PRESENT["openssh-server"]():
            pytest.skip(services.missing("openssh-server"))
        known, keys = tmp_path / "known_hosts", small.folder / "etc" / "credentials" / "IBANSE_BACKUP_SSH_KEY.pub"
        with services.sftp(keys) as (port, host):
            small.settings["IBANSE_BACKUP_KNOWN_HOSTS"] = str(known)
            for name, path in small.repositories.items():
                prefix = "IBANSE_BACKUP" if name == "main" else "IBANSE_BACKUP_KEYRING"
                small.settings[f"{prefix}_REPOSITORY"] = f"sftp://{getpass.getuser()}@127.0.0.1:{port}/{path}"
            unknown_host = small.refuses("run")
            known.write_text(host)
            small.does("run")
            small.does("check")
            small.destroy()
            small.does("restore")
        stopped = small.refuses("check")

        assert "the target cannot be reached over SFTP" in unknown_host
        assert small.sqlite(small.database, "SELECT email FROM accounts_user") == [("owner@example.com",)]
        assert len(small.snapshots("main")) == 2
        assert "the target cannot be reached over SFTP" in stopped


class TestPrepare:
    def test_recovery_passwords_open_the_repositories(self, small: Backups) -> None:
        again = small.does("prepare")
        small.does("prepare", "--new-recovery")
        text = small.recovery.read_text()
        passwords = [line.partition("password: ")[2] for line in text.splitlines() if "password: " in line]
        error = small.refuses("check")
        opened = []
        for name, password in zip(PASSWORDS, passwords, strict=True):
            environment = services.environment(
                RESTIC_PASSWORD=password, RESTIC_REPOSITORY=str(small.repositories[name])
            )
            done = subprocess.run(
                ["restic", "snapshots", "--json", "--no-cache"], env=environment, capture_output=True, check=True
            )
            opened.append(len(json.loads(done.stdout)))

        assert "Nothing was changed." in again
        assert small.recovery.stat().st_mode & 0o777 == 0o600
        assert len({*passwords, *PASSWORDS.values()}) == 4
        assert opened == [1, 1]
        assert "is still on this machine" in error

    def test_missing_passwords_are_created_for_the_owner_only(self, small: Backups) -> None:
        credentials = small.folder / "etc" / "credentials"
        shutil.rmtree(credentials)
        credentials.mkdir()
        unset = {"IBANSE_BACKUP_PASSWORD": "", "IBANSE_BACKUP_KEYRING_PASSWORD": ""}
        new = {
            "IBANSE_BACKUP_REPOSITORY": str(small.folder / "new-main"),
            "IBANSE_BACKUP_KEYRING_REPOSITORY": str(small.folder / "new-keyring"),
        }

        output = small.does("prepare", **unset, **new)
        small.recovery.unlink()
        small.does("run", **unset, **new)

        created = {path.name: path for path in credentials.iterdir()}
        assert created.pop("IBANSE_BACKUP_SSH_KEY.pub").read_text().startswith("ssh-ed25519 ")
        assert set(created) == {*unset, "IBANSE_BACKUP_SSH_KEY"}
        for path in created.values():
            assert path.stat().st_mode & 0o777 == 0o600
            assert path.read_text().strip() not in output


@contextmanager
def tiny_disk(folder: Path) -> Iterator[Path]:
    """Mount a file system of two megabytes."""
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", folder], capture_output=True, text=True, check=False
    )
    if mounted.returncode:
        pytest.skip(services.missing(f"a file system to fill ({mounted.stderr.strip()})"))
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)
