"""Creates, once, what backups need: passwords, an SSH key, the two repositories, and the recovery passwords.

No secret is printed: secrets go to files of mode 0600, and the output says where to move them.
"""

import os
import secrets
import tempfile
from pathlib import Path
from typing import Final

from deploy.backup import programs
from deploy.backup.programs import StepFailed, report
from deploy.backup.restic import Restic
from deploy.backup.settings import Repository, Settings, Source, load

PASSWORDS: Final = ("IBANSE_BACKUP_PASSWORD", "IBANSE_BACKUP_KEYRING_PASSWORD")
SSH_KEY: Final = "IBANSE_BACKUP_SSH_KEY"

_RECOVERY_TEXT: Final = """\
Recovery passwords of ibanse's backups. Move this file to your safe (a password manager, and a printout), then
remove it from the server. Each opens its repository from any machine with restic, without the server:

    restic -r REPOSITORY snapshots

main     {main}
         password: {main_password}
keyring  {keyring}
         password: {keyring_password}

Save the files IBANSE_MASTER_KEYS, IBANSE_PEPPERS, IBANSE_SIGNING_KEYS and IBANSE_SECRET_KEY of /etc/ibanse/credentials
in the same safe, but in another entry: they are in no backup, and without the master keys nothing encrypted can be read
again.
"""


def prepare(source: Source, *, is_new_recovery: bool = False) -> None:
    """Create what is missing; a second run changes nothing. Raises StepFailed; the next run continues from there.

    With `is_new_recovery` create another pair of recovery passwords; old ones stay valid until `restic key remove`.
    """
    folder = source.credentials[-1]
    for name in PASSWORDS:
        if not source.credential(name) and not os.environ.get(name):
            write_secret(folder / name, secrets.token_urlsafe(32))
            report(f"Created {folder / name}.")
    if not source.credential(SSH_KEY):
        # Also for other targets, since the units load the file.
        _make_ssh_key(folder / SSH_KEY)
        if "sftp://" in (source.text("IBANSE_BACKUP_REPOSITORY") + source.text("IBANSE_BACKUP_KEYRING_REPOSITORY")):
            _explain_registration(folder / SSH_KEY, source)
            return
    settings = load(source)
    restics = [Restic(repository, settings.cache) for repository, _ in settings.sources()]
    missing = [restic for restic in restics if not restic.exists()]
    for restic in missing:
        restic.create()
        report(f"Created the {restic.repository.name} repository at {restic.repository.address}.")
    if missing or is_new_recovery:
        _add_recovery(settings, restics)
    else:
        report("Both repositories exist and open with the passwords of this machine. Nothing was changed.")


def write_secret(path: Path, content: str) -> None:
    """Write a file that only its owner can ever read. Raises StepFailed when it exists already."""
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(content + "\n")
    except FileExistsError:
        raise StepFailed("Preparing", f"{path} exists already", "move it to the safe, or remove it, first") from None
    except OSError as error:
        raise StepFailed("Preparing", f"{path}: {error.strerror}", "run this as root, after deploy/install") from None


def _make_ssh_key(path: Path) -> None:
    keygen = programs.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "ibanse-backup", "-f", path], {})
    if keygen.returncode:
        raise StepFailed(
            "Creating the SSH key", programs.last_line(keygen.stderr), "run this as root, after deploy/install"
        )
    report(f"Created {path}.")


def _explain_registration(path: Path, source: Source) -> None:
    known = source.text("IBANSE_BACKUP_KNOWN_HOSTS", "/etc/ibanse/backup_known_hosts")
    report("Do two things before this can continue:")
    report(f"1. Register the key with the Storage Box:  ssh -p 23 USER@HOST install-ssh-key < {path}.pub")
    report(f"2. Save the host key of the Storage Box:  ssh-keyscan -p 23 HOST > {known}")
    report(f"   and compare `ssh-keygen -lf {known}` with the fingerprints on the provider's page.")
    report("Then run `ibanse-backup prepare` again.")


def _add_recovery(settings: Settings, restics: list[Restic]) -> None:
    passwords = [secrets.token_urlsafe(32) for _ in restics]
    main, keyring = (restic.repository for restic in restics)
    # The file first: a password that was added but not written down would be useless.
    write_secret(settings.recovery_file, _recovery_text(main, keyring, passwords))
    for restic, password in zip(restics, passwords, strict=True):
        with tempfile.NamedTemporaryFile("w", encoding="utf-8") as file:  # Has mode 0600.
            file.write(password)
            file.flush()
            restic.add_password(Path(file.name))
    report(f"Created {settings.recovery_file}, the recovery passwords. Now, on your own computer:")
    report(f"  scp root@THIS-SERVER:{settings.recovery_file} .    # into a password manager, and printed once")
    report(f"  ssh root@THIS-SERVER shred -u {settings.recovery_file}")
    report("As long as it is here, `ibanse-backup check` raises an alarm.")


def _recovery_text(main: Repository, keyring: Repository, passwords: list[str]) -> str:
    return _RECOVERY_TEXT.format(
        main=main.address, keyring=keyring.address, main_password=passwords[0], keyring_password=passwords[1]
    ).rstrip()
