"""Settings of backups: /etc/ibanse/backup.env, and secrets as files beside it. Strict, as ibanse/config/env.py is.

Under systemd the unit hands both over; by hand this reads the same files. Knows no Django.
"""

import os
import shlex
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl, unquote, urlsplit

from deploy.backup.programs import Failed

EXPLAINED: Final = "see deploy/backup/backup.env.example and deploy/backup/README.md"
DAY_HOURS: Final = 24
LATE_HOURS: Final = 26
"""A nightly backup that is older than this is late: a day, and what the timer may wander."""
MOST_DAYS: Final = {"main": 35, "keyring": 7}
"""The longest that a backup may live; the receipts of deletions promise no less."""
_LIBPQ: Final = {"sslmode": "PGSSLMODE", "sslrootcert": "PGSSLROOTCERT", "options": "PGOPTIONS"}


@dataclass(frozen=True)
class Database:
    """Where a database is: a file of SQLite, or a PostgreSQL as libpq's variables say it."""

    name: str
    """The file's whole path, or the database's name."""
    is_sqlite: bool
    libpq: dict[str, str] = field(default_factory=dict, repr=False)

    def called(self, name: str) -> "Database":
        """Return another database on the same PostgreSQL."""
        return Database(name, self.is_sqlite, {**self.libpq, "PGDATABASE": name})


@dataclass(frozen=True)
class Repository:
    """A restic repository, with its password and the longest that a snapshot lives in it."""

    name: str
    """`main` or `keyring`."""
    address: str
    password: str = field(repr=False)
    days: int
    ssh: tuple[str, ...] = ()
    """The command that reaches an SFTP server, or nothing."""


@dataclass(frozen=True)
class Settings:
    """Everything that a backup must be told."""

    main: Repository
    keyring: Repository
    main_database: Database
    keyring_database: Database
    ledger: Path
    recovery_file: Path
    stamp: Path
    """Where it is written down when each was backed up last."""
    cache: Path

    def sources(self) -> tuple[tuple[Repository, Database], ...]:
        """Return what goes where. Main comes first: a key that its copy needs is in the keyring's copy, made later."""
        return ((self.main, self.main_database), (self.keyring, self.keyring_database))


class Source:
    """The values: the environment first, then the file of settings; secrets also as files named like their variable."""

    def __init__(self) -> None:
        self.file = Path(os.environ.get("IBANSE_BACKUP_SETTINGS", "/etc/ibanse/backup.env"))
        folders = (os.environ.get("CREDENTIALS_DIRECTORY", ""), str(self.file.parent / "credentials"))
        self.credentials = [Path(folder) for folder in folders if folder]
        self._values = {**assignments(self.file), **os.environ}

    def text(self, name: str, default: str | None = None) -> str:
        """Return a value; raise Failed, which names it, when there is neither it nor a default."""
        value = self._values.get(name, "").strip() or default
        if value is None:
            raise Failed("Settings", f"{name} is not set", f"set it in {self.file}; {EXPLAINED}")
        return value

    def number(self, name: str, default: int, *, most: int) -> int:
        """Return a whole number from 0 to `most`."""
        value = self.text(name, str(default))
        if not (value.isascii() and value.isdigit() and int(value) <= most):
            raise Failed("Settings", f"{name} is {value!r}; it must be a whole number from 0 to {most}", EXPLAINED)
        return int(value)

    def credential(self, name: str) -> Path | None:
        """Return the file of a secret, or None when there is none that we may read."""
        return next((folder / name for folder in self.credentials if os.access(folder / name, os.R_OK)), None)

    def secret(self, name: str) -> str:
        """Return a secret of at least 20 characters. It is never repeated in a message."""
        file = self.credential(name)
        value = self._values.get(name, "").strip() or (file.read_text(encoding="utf-8").strip() if file else "")
        if len(value) < 20:
            where = " or ".join(str(folder / name) for folder in self.credentials)
            raise Failed(
                "Settings", f"{name} is missing, unreadable here, or shorter than 20 characters",
                f"`deploy/backup/ibanse-backup prepare` makes it; it belongs into {where}",
            )  # fmt: skip
        return value


def load(source: Source | None = None) -> Settings:
    """Read and check all settings. Raises Failed, which names what is missing or odd."""
    source = source or Source()
    # What the target itself keeps of deleted files lives on after we deleted it: it counts.
    theirs = source.number("IBANSE_BACKUP_TARGET_SNAPSHOT_DAYS", 0, most=5)
    main, keyring = (
        Repository(
            name=name,
            address=source.text(f"{prefix}_REPOSITORY"),
            password=source.secret(f"{prefix}_PASSWORD"),
            days=MOST_DAYS[name] - theirs,
            ssh=_ssh(source, source.text(f"{prefix}_REPOSITORY")),
        )
        for name, prefix in (("main", "IBANSE_BACKUP"), ("keyring", "IBANSE_BACKUP_KEYRING"))
    )
    if main.address == keyring.address:
        raise Failed(
            "Settings", "IBANSE_BACKUP_REPOSITORY and IBANSE_BACKUP_KEYRING_REPOSITORY are the same",
            "give each its own folder: they are kept for different times under different passwords",
        )  # fmt: skip
    if main.password == keyring.password:
        raise Failed("Settings", "both repositories have the same password", "give each its own")
    by_hand = "~/.cache/ibanse-backup"
    return Settings(
        main, keyring,
        main_database=database(source, "IBANSE_BACKUP_DATABASE_URL"),
        keyring_database=database(source, "IBANSE_BACKUP_KEYRING_URL"),
        ledger=Path(source.text("IBANSE_BACKUP_LEDGER", "/var/lib/ibanse/erasures/ledger")),
        recovery_file=Path(source.text("IBANSE_BACKUP_RECOVERY_FILE", "/etc/ibanse/backup-recovery")),
        stamp=Path(source.text("IBANSE_BACKUP_STAMP", "/var/lib/ibanse/backups/backups.json")),
        cache=Path(os.environ.get("CACHE_DIRECTORY") or source.text("IBANSE_BACKUP_CACHE", by_hand)).expanduser(),
    )  # fmt: skip


def database(source: Source, name: str) -> Database:
    """Return the database that the setting `name` tells; its password goes into no message."""
    url = source.text(name)
    parts = urlsplit(url)
    if parts.scheme == "sqlite" and parts.path.startswith("/") and len(parts.path) > 1:
        return Database(unquote(parts.path[1:]), is_sqlite=True)
    if parts.scheme not in ("postgres", "postgresql") or len(parts.path) < 2:
        raise Failed(
            "Settings", f"{name} is no address of a database",
            "write postgres://role@host/database, postgres://role@/database for the socket, or sqlite:////whole/path",
        )  # fmt: skip
    told = {
        "PGHOST": unquote(parts.hostname or ""),
        "PGPORT": str(parts.port or ""),
        "PGUSER": unquote(parts.username or ""),
        "PGPASSWORD": unquote(parts.password or ""),
        "PGDATABASE": unquote(parts.path[1:]),
        "PGCONNECT_TIMEOUT": "20",
        **{_LIBPQ[key]: value for key, value in parse_qsl(parts.query) if key in _LIBPQ},
    }
    return Database(told["PGDATABASE"], is_sqlite=False, libpq={key: value for key, value in told.items() if value})


def assignments(file: Path) -> dict[str, str]:
    """Return the NAME=value lines of a file as systemd reads them, as far as we write them."""
    if not os.access(file, os.R_OK):
        return {}
    lines = [line.strip() for line in file.read_text(encoding="utf-8").splitlines()]
    pairs = [line.partition("=") for line in lines if line and not line.startswith("#")]
    return {name.strip(): " ".join(shlex.split(value)) for name, _, value in pairs}


def _ssh(source: Source, address: str) -> tuple[str, ...]:
    """Return the ssh that reaches an SFTP repository: with our key and known hosts only, and never asking anybody."""
    if not address.startswith("sftp://"):
        return ()
    place = urlsplit(address)
    if not place.hostname:
        raise Failed("Settings", "the SFTP repository has no host", "write sftp://user@host:23/folder")
    key = source.credential("IBANSE_BACKUP_SSH_KEY")
    if key is None:
        raise Failed(
            "Settings",
            "IBANSE_BACKUP_SSH_KEY is missing or unreadable here",
            f"`deploy/backup/ibanse-backup prepare` makes it; {EXPLAINED}",
        )
    known = source.text("IBANSE_BACKUP_KNOWN_HOSTS", "/etc/ibanse/backup_known_hosts")
    options = {
        "BatchMode": "yes", "IdentitiesOnly": "yes", "StrictHostKeyChecking": "yes", "UserKnownHostsFile": known,
        "GlobalKnownHostsFile": "none", "ConnectTimeout": "20", "ServerAliveInterval": "30", "ServerAliveCountMax": "4",
    }  # fmt: skip
    chosen = [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
    user = ("-l", place.username) if place.username else ()
    return (
        "ssh",
        "-F",
        "none",
        "-i",
        str(key),
        "-p",
        str(place.port or 22),
        *user,
        *chosen,
        place.hostname,
        "-s",
        "sftp",
    )
