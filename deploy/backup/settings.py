"""Settings of backups: /etc/ibanse/backup.env, and secrets as files beside it. As strict as ibanse/config/env.py.

systemd passes both to the units; by hand this reads the same files. Does not use Django.
"""

import os
import shlex
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl, unquote, urlsplit

from deploy.backup.programs import StepFailed

EXPLAINED: Final = "see deploy/backup/backup.env.example and deploy/backup/README.md"
DAY_HOURS: Final = 24
LATE_HOURS: Final = 26
"""A nightly backup older than this is late: a day, and the random delay of the timer."""
MAX_DAYS: Final = {"main": 35, "keyring": 7}
"""How long a backup may exist; the receipts of deletions state the same."""
_LIBPQ: Final = {"sslmode": "PGSSLMODE", "sslrootcert": "PGSSLROOTCERT", "options": "PGOPTIONS"}


@dataclass(frozen=True)
class Database:
    """A SQLite file, or a PostgreSQL database by libpq's variables."""

    name: str
    """The absolute path of the file, or the name of the database."""
    is_sqlite: bool
    libpq: dict[str, str] = field(default_factory=dict, repr=False)

    def renamed(self, name: str) -> "Database":
        """Return another database on the same PostgreSQL."""
        return Database(name, self.is_sqlite, {**self.libpq, "PGDATABASE": name})


@dataclass(frozen=True)
class Repository:
    """A restic repository, its password, and how many days a snapshot may exist."""

    name: str
    """`main` or `keyring`."""
    address: str
    password: str = field(repr=False)
    days: int
    ssh: tuple[str, ...] = ()
    """The ssh command that connects to an SFTP server, or empty."""


@dataclass(frozen=True)
class Settings:
    """All settings of a backup."""

    main: Repository
    keyring: Repository
    main_database: Database
    keyring_database: Database
    ledger: Path
    recovery_file: Path
    stamp: Path
    """The file with the times of the last backups."""
    cache: Path

    def sources(self) -> tuple[tuple[Repository, Database], ...]:
        """Return each repository with its database; main first, so that the later keyring copy has all its keys."""
        return ((self.main, self.main_database), (self.keyring, self.keyring_database))


class Source:
    """The values: the environment first, then the settings file; secrets also from files named like the variable."""

    def __init__(self) -> None:
        self.file = Path(os.environ.get("IBANSE_BACKUP_SETTINGS", "/etc/ibanse/backup.env"))
        folders = (os.environ.get("CREDENTIALS_DIRECTORY", ""), str(self.file.parent / "credentials"))
        self.credentials = [Path(folder) for folder in folders if folder]
        self._values = {**assignments(self.file), **os.environ}

    def text(self, name: str, default: str | None = None) -> str:
        """Return a value or the default. Raises StepFailed, which names the setting, when there is neither."""
        value = self._values.get(name, "").strip() or default
        if value is None:
            raise StepFailed("Settings", f"{name} is not set", f"set it in {self.file}; {EXPLAINED}")
        return value

    def number(self, name: str, default: int, *, most: int) -> int:
        """Return a whole number from 0 to `most`."""
        value = self.text(name, str(default))
        if not (value.isascii() and value.isdigit() and int(value) <= most):
            raise StepFailed("Settings", f"{name} is {value!r}; it must be a whole number from 0 to {most}", EXPLAINED)
        return int(value)

    def credential(self, name: str) -> Path | None:
        """Return the file of a secret, or None when there is none that this user can read."""
        return next((folder / name for folder in self.credentials if os.access(folder / name, os.R_OK)), None)

    def secret(self, name: str) -> str:
        """Return a secret of at least 20 characters, which never appears in a message. Raises StepFailed."""
        file = self.credential(name)
        value = self._values.get(name, "").strip() or (file.read_text(encoding="utf-8").strip() if file else "")
        if len(value) < 20:
            where = " or ".join(str(folder / name) for folder in self.credentials)
            raise StepFailed(
                "Settings", f"{name} is missing, unreadable here, or shorter than 20 characters",
                f"`deploy/backup/ibanse-backup prepare` creates it; it belongs in {where}",
            )  # fmt: skip
        return value


def load(source: Source | None = None) -> Settings:
    """Read and check all settings. Raises StepFailed, which names what is missing or malformed."""
    source = source or Source()
    # Days for which the target itself retains deleted files count towards the promise.
    target_days = source.number("IBANSE_BACKUP_TARGET_SNAPSHOT_DAYS", 0, most=5)
    main, keyring = (
        Repository(
            name=name,
            address=source.text(f"{prefix}_REPOSITORY"),
            password=source.secret(f"{prefix}_PASSWORD"),
            days=MAX_DAYS[name] - target_days,
            ssh=_ssh(source, source.text(f"{prefix}_REPOSITORY")),
        )
        for name, prefix in (("main", "IBANSE_BACKUP"), ("keyring", "IBANSE_BACKUP_KEYRING"))
    )
    if main.address == keyring.address:
        raise StepFailed(
            "Settings", "IBANSE_BACKUP_REPOSITORY and IBANSE_BACKUP_KEYRING_REPOSITORY are the same",
            "give each its own folder: they have different retention and passwords",
        )  # fmt: skip
    if main.password == keyring.password:
        raise StepFailed("Settings", "both repositories have the same password", "give each its own")
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
    """Return the database of a setting; its password never appears in a message. Raises StepFailed."""
    url = source.text(name)
    parts = urlsplit(url)
    if parts.scheme == "sqlite" and parts.path.startswith("/") and len(parts.path) > 1:
        return Database(unquote(parts.path[1:]), is_sqlite=True)
    if parts.scheme not in ("postgres", "postgresql") or len(parts.path) < 2:
        raise StepFailed(
            "Settings", f"{name} is no address of a database",
            "write postgres://role@host/database, postgres://role@/database for the socket, or sqlite:////whole/path",
        )  # fmt: skip
    variables = {
        "PGHOST": unquote(parts.hostname or ""),
        "PGPORT": str(parts.port or ""),
        "PGUSER": unquote(parts.username or ""),
        "PGPASSWORD": unquote(parts.password or ""),
        "PGDATABASE": unquote(parts.path[1:]),
        "PGCONNECT_TIMEOUT": "20",
        **{_LIBPQ[key]: value for key, value in parse_qsl(parts.query) if key in _LIBPQ},
    }
    return Database(
        variables["PGDATABASE"], is_sqlite=False, libpq={key: value for key, value in variables.items() if value}
    )


def assignments(file: Path) -> dict[str, str]:
    """Return the NAME=value lines of a file as systemd reads them, as far as our files use its syntax."""
    if not os.access(file, os.R_OK):
        return {}
    lines = [line.strip() for line in file.read_text(encoding="utf-8").splitlines()]
    pairs = [line.partition("=") for line in lines if line and not line.startswith("#")]
    return {name.strip(): " ".join(shlex.split(value)) for name, _, value in pairs}


def _ssh(source: Source, address: str) -> tuple[str, ...]:
    """Return the ssh command for an SFTP repository: only our key and known hosts, and no prompts."""
    if not address.startswith("sftp://"):
        return ()
    url = urlsplit(address)
    if not url.hostname:
        raise StepFailed("Settings", "the SFTP repository has no host", "write sftp://user@host:23/folder")
    key = source.credential("IBANSE_BACKUP_SSH_KEY")
    if key is None:
        raise StepFailed(
            "Settings",
            "IBANSE_BACKUP_SSH_KEY is missing or unreadable here",
            f"`deploy/backup/ibanse-backup prepare` creates it; {EXPLAINED}",
        )
    known = source.text("IBANSE_BACKUP_KNOWN_HOSTS", "/etc/ibanse/backup_known_hosts")
    options = {
        "BatchMode": "yes", "IdentitiesOnly": "yes", "StrictHostKeyChecking": "yes", "UserKnownHostsFile": known,
        "GlobalKnownHostsFile": "none", "ConnectTimeout": "20", "ServerAliveInterval": "30", "ServerAliveCountMax": "4",
    }  # fmt: skip
    arguments = [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
    user = ("-l", url.username) if url.username else ()
    return (
        "ssh",
        "-F",
        "none",
        "-i",
        str(key),
        "-p",
        str(url.port or 22),
        *user,
        *arguments,
        url.hostname,
        "-s",
        "sftp",
    )
