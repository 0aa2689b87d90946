"""Puts a link to a file, then to a folder, of root's at each path of a service, and runs install and restore as root.

`attack.py FOLDER PATH…` runs in the mount namespace that namespace.sh makes, for tests.deploy.test_links. It prints as
JSON the modes and owners without links (`files`), and what went wrong with them (`misled`, `copied`).
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
STATE = Path("/var/lib/ibanse")
VICTIM = Path("/var/lib/victim")
CONTENT = "of root"
SERVICE_UID, BACKUP_UID = 64200, 64201


def main(folder: Path, paths: Sequence[str]) -> None:
    """Attack each path, and print the results."""
    commands: list[list[str]] = [
        ["sh", str(folder / "deploy/install")],
        [sys.executable, str(Path(__file__).with_name("restore.py"))],
    ]
    results: dict[str, object] = {"files": files_without_links(commands)}
    attacks = [(kind, path) for kind in ("file", "folder") for path in paths]
    misled, copied = [], []
    for kind, path in attacks:
        create_state(commands[0])
        create_victim(kind)
        put_link(path)
        before = state_of(VICTIM)
        for command in commands:
            done = run(command)
            if state_of(VICTIM) != before or "Traceback" in done.stderr:
                misled.append(f"{Path(command[1]).name} by {path} to a {kind}: {done.stderr}")
                break
        copied += [
            f"{file} by {path} to a {kind}" for file in files_in_state() if CONTENT.encode() in file.read_bytes()
        ]
    print(json.dumps(results | {"misled": misled, "copied": copied}))


def run(command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """Run install or restore of this tree."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "IBANSE_SITE_USER": "ibanse"}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def create_state(install: Sequence[str]) -> None:
    """Let install create the folders of the services again."""
    shutil.rmtree(STATE, ignore_errors=True)
    done = run(install)
    assert done.returncode == 0, done.stderr


def create_victim(kind: str) -> None:
    """Create a file or folder that only root may change."""
    if VICTIM.is_dir():
        shutil.rmtree(VICTIM)
    VICTIM.unlink(missing_ok=True)
    if kind == "folder":
        VICTIM.mkdir(mode=0o700)
        (VICTIM / "secret").write_text(CONTENT, encoding="ascii")
    else:
        VICTIM.touch(mode=0o600)
        VICTIM.write_text(CONTENT, encoding="ascii")


def put_link(path: str) -> None:
    """Replace a path by a link to the victim, as its service can. The link belongs to the service."""
    place = STATE / path
    if place.is_dir():
        shutil.rmtree(place)
    place.unlink(missing_ok=True)
    place.symlink_to(VICTIM)
    os.lchown(place, BACKUP_UID if path.startswith("backups") else SERVICE_UID, SERVICE_UID)


def state_of(path: Path) -> tuple[object, ...]:
    """Return mode, owner and content."""
    status = path.lstat()
    content = sorted(path.iterdir()) if path.is_dir() else path.read_bytes()
    return status.st_mode, status.st_uid, status.st_gid, content


def files_in_state() -> list[Path]:
    """Return the regular files of the services."""
    return [path for path in STATE.rglob("*") if path.is_file() and not path.is_symlink()]


def files_without_links(commands: Sequence[Sequence[str]]) -> dict[str, tuple[str, int]]:
    """Run both without a link; return the mode and owner of everything below the folder of the services."""
    create_state(commands[0])
    restored = run(commands[1])
    assert restored.returncode == 0, restored.stderr
    assert (STATE / "erasures/ledger").read_bytes() == b"restored"
    found = {str(path.relative_to(STATE)): path.lstat() for path in STATE.rglob("*")}
    return {path: (oct(status.st_mode & 0o777), status.st_uid) for path, status in found.items()}


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
