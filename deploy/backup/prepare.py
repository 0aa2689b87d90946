"""Makes, once, what backups need: passwords, an SSH key, the two repositories, and the passwords for the safe.

Nothing secret is printed: it goes into files of mode 0600, and what is said is where they must go.
"""

import os
import secrets
import tempfile
from pathlib import Path
from typing import Final

from deploy.backup import programs
from deploy.backup.programs import Failed, say
from deploy.backup.restic import Restic
from deploy.backup.settings import Repository, Settings, Source, load

PASSWORDS: Final = ("IBANSE_BACKUP_PASSWORD", "IBANSE_BACKUP_KEYRING_PASSWORD")
SSH_KEY: Final = "IBANSE_BACKUP_SSH_KEY"

_FOR_THE_SAFE: Final = """\
Recovery passwords of ibanse's backups. Bring this file to your safe (a password manager, and a print on paper), then
remove it from the server. Each opens its repository from any machine with restic, without the server:

    restic -r REPOSITORY snapshots

main     {main}
         password: {main_password}
keyring  {keyring}
         password: {keyring_password}

Into the same safe, but into another entry than these passwords, go the files IBANSE_MASTER_KEYS, IBANSE_PEPPERS,
IBANSE_SIGNING_KEYS and IBANSE_SECRET_KEY of /etc/ibanse/credentials: they are in no backup, and without the master keys
nothing that is sealed opens again.
"""


def prepare(source: Source, *, is_new_recovery: bool = False) -> None:
    """Make what is missing; a second run changes nothing. Raises Failed, and goes on where it stopped the next time.

    With `is_new_recovery` another pair for the safe is made; old ones stay valid until `restic key remove`.
    """
    folder = source.credentials[-1]
    for name in PASSWORDS:
        if not source.credential(name) and not os.environ.get(name):
            write_secret(folder / name, secrets.token_urlsafe(32))
            say(f"Made {folder / name}.")
    if not source.credential(SSH_KEY):
        # Also for another target: the units ask for the file.
        _make_ssh_key(folder / SSH_KEY)
        if "sftp://" in (source.text("IBANSE_BACKUP_REPOSITORY") + source.text("IBANSE_BACKUP_KEYRING_REPOSITORY")):
            _introduce(folder / SSH_KEY, source)
            return
    settings = load(source)
    restics = [Restic(repository, settings.cache) for repository, _ in settings.sources()]
    missing = [restic for restic in restics if not restic.exists()]
    for restic in missing:
        restic.create()
        say(f"Made the {restic.repository.name} repository at {restic.repository.address}.")
    if missing or is_new_recovery:
        _add_recovery(settings, restics)
    else:
        say("Both repositories are there and open with the passwords of this machine. Nothing was changed.")


def write_secret(path: Path, content: str) -> None:
    """Write a file that only its owner can read, from its first byte on. Raises Failed when there is one already."""
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(content + "\n")
    except FileExistsError:
        raise Failed("Preparing", f"{path} is there already", "bring it to the safe, or remove it, first") from None
    except OSError as error:
        raise Failed("Preparing", f"{path}: {error.strerror}", "run this as root, after deploy/install") from None


def _make_ssh_key(path: Path) -> None:
    made = programs.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "ibanse-backup", "-f", path], {})
    if made.returncode:
        raise Failed("Making the SSH key", programs.last_line(made.stderr), "run this as root, after deploy/install")
    say(f"Made {path}.")


def _introduce(path: Path, source: Source) -> None:
    known = source.text("IBANSE_BACKUP_KNOWN_HOSTS", "/etc/ibanse/backup_known_hosts")
    say("Two things are yours to do before this can go on:")
    say(f"1. Let the Storage Box know the key:  ssh -p 23 USER@HOST install-ssh-key < {path}.pub")
    say(f"2. Let this machine know the Storage Box:  ssh-keyscan -p 23 HOST > {known}")
    say(f"   and compare `ssh-keygen -lf {known}` with the fingerprints on the provider's page.")
    say("Then run `ibanse-backup prepare` again.")


def _add_recovery(settings: Settings, restics: list[Restic]) -> None:
    passwords = [secrets.token_urlsafe(32) for _ in restics]
    main, keyring = (restic.repository for restic in restics)
    # First the file: a password that opens a repository and is written nowhere helps nobody.
    write_secret(settings.recovery_file, _safe_words(main, keyring, passwords))
    for restic, password in zip(restics, passwords, strict=True):
        with tempfile.NamedTemporaryFile("w", encoding="utf-8") as file:  # Made with mode 0600.
            file.write(password)
            file.flush()
            restic.add_password(Path(file.name))
    say(f"Made {settings.recovery_file}, the passwords for your safe. Now, from your own computer:")
    say(f"  scp root@THIS-SERVER:{settings.recovery_file} .    # into a password manager, and once on paper")
    say(f"  ssh root@THIS-SERVER shred -u {settings.recovery_file}")
    say("As long as it lies here, `ibanse-backup check` raises the alarm.")


def _safe_words(main: Repository, keyring: Repository, passwords: list[str]) -> str:
    return _FOR_THE_SAFE.format(
        main=main.address, keyring=keyring.address, main_password=passwords[0], keyring_password=passwords[1]
    ).rstrip()
