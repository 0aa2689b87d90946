"""A site with content and its backups, for the tests of deploy/backup: real databases, real restic, in a folder."""

import base64
import hashlib
import json
import os
import re
import shutil
import sqlite3
import subprocess
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import psycopg
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.poly1305 import Poly1305

from tests.support import services
from tests.support.production import Caller, Production
from tests.support.programs import backups as backup_programs

PASSWORDS: Final = {"main": "password-of-the-main-repository", "keyring": "password-of-the-keyring-repository"}
IBANS: Final = ("SE4550000000058398257466", "DE89370400440532013000", "GB29NWBK60161331926819", "NO9386011117947")


class Backups:
    """A site, its two repositories in a folder, and the command that an operator runs."""

    def __init__(self, folder: Path, database: str, keyring: str, redis: str) -> None:
        self.site = Production(folder, database, redis)
        self.site.environment["KEYRING_DATABASE_URL"] = keyring
        self.database, self.keyring = database, keyring
        self.folder = folder
        self.ledger = folder / "erasures" / "ledger"
        self.site.environment["IBANSE_LEDGER"] = str(self.ledger)
        self.recovery = folder / "recovery"
        self.repositories = {name: folder / f"{name}-repository" for name in PASSWORDS}
        self.settings = {
            "IBANSE_BACKUP_REPOSITORY": str(self.repositories["main"]),
            "IBANSE_BACKUP_KEYRING_REPOSITORY": str(self.repositories["keyring"]),
            "IBANSE_BACKUP_PASSWORD": PASSWORDS["main"],
            "IBANSE_BACKUP_KEYRING_PASSWORD": PASSWORDS["keyring"],
            "IBANSE_BACKUP_DATABASE_URL": database,
            "IBANSE_BACKUP_KEYRING_URL": keyring,
            "IBANSE_BACKUP_LEDGER": str(self.ledger),
            "IBANSE_BACKUP_STAMP": str(folder / "backups.json"),
            "IBANSE_BACKUP_CACHE": str(folder / "cache"),
            "IBANSE_BACKUP_RECOVERY_FILE": str(self.recovery),
            "IBANSE_BACKUP_SETTINGS": str(folder / "etc" / "backup.env"),
            "IBANSE_SITE_USER": "root",
        }
        if server := os.environ.get("DATABASE_URL"):
            self.settings["IBANSE_RESTORE_ADMIN_URL"] = self.settings["IBANSE_RESTORE_KEYRING_ADMIN_URL"] = server

    def prepare(self) -> None:
        """Make both repositories, and move the passwords for recovery out of the way."""
        (self.folder / "etc" / "credentials").mkdir(parents=True)
        self.does("prepare")
        recovery = re.findall(r"password: (\S+)", self.recovery.read_text())
        self.recovery.unlink()
        for name, repository in self.repositories.items():
            make_passwords_cheap(repository, [PASSWORDS[name], *recovery])

    def fill(self) -> None:
        """Let two clients with owners store all of their checks, and call the API."""
        programs = [self.site.program() for _ in range(2)]
        for index, program in enumerate(programs):
            self.site.run(backup_programs.create_owner, str(program.client), f"owner{index}@example.com")
        with self.site.serving(workers=1) as server:
            for program in programs:
                caller = Caller(server.port, program)
                assert caller.call(*IBANS) == 200
                assert caller.call() == 200
                caller.close()
            server.ends()

    def delete(self, email: str) -> None:
        """Let an owner delete the whole account, now."""
        self.ledger.parent.mkdir(exist_ok=True)
        assert self.site.run(backup_programs.delete_account, email) == 1

    def seen(self) -> dict[str, Any]:
        """Return what the site has, with everything sealed opened and every hash chain verified."""
        return self.site.run(backup_programs.read_everything)

    def command(self, *words: str, **changed: str) -> "subprocess.CompletedProcess[str]":
        """Run the operator's command; no secret may be in its output."""
        environment = self.site.environment | self.settings | changed
        script = services.ROOT / "deploy" / "backup" / "ibanse-backup"
        done = subprocess.run(
            [script, *words], env=environment, capture_output=True, text=True, timeout=300, check=False, cwd=self.folder
        )
        for secret in self.secrets():
            assert secret not in done.stdout + done.stderr
        assert "Traceback" not in done.stderr, done.stderr
        return done

    def does(self, *words: str, **changed: str) -> str:
        """Return the output of a command that must succeed."""
        done = self.command(*words, **changed)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def refuses(self, *words: str, **changed: str) -> str:
        """Return the errors of a command that must fail, and must say what to do."""
        done = self.command(*words, **changed)
        assert done.returncode == 1, done.stdout
        assert "What to do:" in done.stderr
        return done.stderr

    def secrets(self) -> list[str]:
        """Return everything that must stay out of outputs and command lines."""
        urls = (self.database, self.keyring)
        passwords = [password for url in urls if (password := urlsplit(url).password)]
        return [*PASSWORDS.values(), *passwords, self.site.environment["IBANSE_MASTER_KEYS"][2:]]

    def restic(self, name: str, *words: str, stdin: bytes | None = None) -> str:
        """Run restic itself on a repository, as an operator with the password would."""
        environment = services.environment(
            RESTIC_REPOSITORY=str(self.repositories[name]),
            RESTIC_PASSWORD=PASSWORDS[name],
            RESTIC_CACHE_DIR=str(self.folder / "cache"),
        )
        return subprocess.run(
            ["restic", *words], env=environment, input=stdin, capture_output=True, check=True
        ).stdout.decode()

    def snapshots(self, name: str) -> list[str]:
        """Return the ids of a repository's snapshots."""
        rows = json.loads(self.restic(name, "snapshots", "--json", "--tag", name)) or []
        return [row["short_id"] for row in sorted(rows, key=lambda row: str(row["time"]))]

    def add_old_snapshot(self, name: str, *, hours: float, content: bytes) -> None:
        """Make a snapshot that is some hours old."""
        then = (datetime.now(UTC) - timedelta(hours=hours)).astimezone().strftime("%Y-%m-%d %H:%M:%S")
        file = next(iter(re.findall(r"copy\.\w+", self.restic(name, "ls", "latest"))), "copy.sqlite3")
        options = ("--stdin", "--stdin-filename", file, "--tag", name, "--host", "ibanse", "--time", then)
        self.restic(name, "backup", *options, stdin=content)

    def packs(self, name: str) -> set[str]:
        """Return the names of the files that hold a repository's data."""
        return {path.name for path in (self.repositories[name] / "data").rglob("*") if path.is_file()}

    def destroy(self) -> None:
        """Lose the machine: databases, keyring, ledger, and all other files of restic and the site."""
        for url in (self.database, self.keyring):
            place = urlsplit(url)
            if place.scheme == "sqlite":
                for path in Path(place.path[1:]).parent.glob(f"{Path(place.path).name}*"):
                    path.unlink()
                continue
            with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as server:
                server.execute(f"DROP DATABASE {place.path[1:]} WITH (FORCE)".encode())
        for path in (self.folder / "cache", self.ledger.parent, self.folder / "spool"):
            shutil.rmtree(path, ignore_errors=True)
        # deploy/install comes before a restore, and makes the folder.
        self.ledger.parent.mkdir()

    def sqlite(self, url: str, statement: str) -> list[tuple[Any, ...]]:
        """Run a statement on a file of SQLite."""
        with closing(sqlite3.connect(urlsplit(url).path[1:])) as file, file:
            return file.execute(statement).fetchall()


def make_passwords_cheap(repository: Path, passwords: Sequence[str]) -> None:
    """Make the keys of a repository quick to open: restic spends a third of a second on each password, at each command.

    The encryption stays; only the scrypt before it has two rounds. Keys of other passwords stay as they are.
    """
    for file in list((repository / "keys").iterdir()):
        found = json.loads(file.read_bytes())
        sealed = base64.b64decode(found["data"])
        for password in passwords:
            opened = _opened(_derived(password, found), sealed)
            if opened is not None:
                cheap = found | {"N": 2, "r": 1, "p": 1}
                written = json.dumps(
                    cheap | {"data": base64.b64encode(_sealed(_derived(password, cheap), opened)).decode()}
                )
                (file.parent / hashlib.sha256(written.encode()).hexdigest()).write_text(written, encoding="ascii")
                file.unlink()
                break


def _derived(password: str, key: dict[str, Any]) -> bytes:
    salt = base64.b64decode(key["salt"])
    return hashlib.scrypt(password.encode(), salt=salt, n=key["N"], r=key["r"], p=key["p"], dklen=64, maxmem=2**28)


def _mac(key: bytes, nonce: bytes, text: bytes) -> bytes:
    """Poly1305-AES, as restic's documentation of its format describes it."""
    pad = Cipher(algorithms.AES(key[32:48]), modes.ECB()).encryptor().update(nonce)  # noqa: S305 - one block, as Poly1305-AES has it
    return Poly1305.generate_tag(key[48:64] + pad, text)


def _opened(key: bytes, sealed: bytes) -> bytes | None:
    nonce, text, tag = sealed[:16], sealed[16:-16], sealed[-16:]
    if _mac(key, nonce, text) != tag:
        return None
    return Cipher(algorithms.AES(key[:32]), modes.CTR(nonce)).decryptor().update(text)


def _sealed(key: bytes, text: bytes) -> bytes:
    nonce = os.urandom(16)
    hidden = Cipher(algorithms.AES(key[:32]), modes.CTR(nonce)).encryptor().update(text)
    return nonce + hidden + _mac(key, nonce, hidden)
