"""What an unprivileged user puts into the service's folder leads no script of root's astray.

Each path below it is in turn a link, to a file and to a folder of root's, while what install and restore do there is
done for real: as root, on folders of the users that install makes, in a mount namespace that is thrown away.
"""

import ast
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.support import services

pytestmark = pytest.mark.deploy

DEPLOY: Final = services.ROOT / "deploy"
USERS: Final = ("ibanse", "ibanse-backup")
STATE: Final = Path("/var/lib/ibanse")
PATHS: Final = (
    "static", "spool", "exports", "erasures", "keyring", "backups",
    "erasures/ledger", "erasures/ledger.draft", "erasures/ledger.before-1",
    "keyring/keyring.sqlite3", "keyring/keyring.sqlite3-wal", "keyring/keyring.sqlite3-journal",
    "keyring/keyring.sqlite3.restoring", "keyring/keyring.sqlite3.restoring-wal",
    "keyring/keyring.sqlite3.restoring-journal", "backups/backups.json", "backups/backups.json.new",
)  # fmt: skip
"""Every name below STATE that a script of root's knows."""
INSTALL: Final = """
begin
(make_folders)
(share_keyring "$STATE/keyring/keyring.sqlite3")
:
"""
"""What install does below STATE; each in a shell of its own, since refusing ends it."""
RESTORE: Final = """
import sqlite3, time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from deploy.backup import databases, restore, stamp
from deploy.backup.programs import Failed
from deploy.backup.settings import Database
from deploy.backup.targets import SqliteTarget

state = Path("/var/lib/ibanse")
time.time = lambda: 1
settings = SimpleNamespace(ledger=state / "erasures" / "ledger")
keyring = Database(str(state / "keyring" / "keyring.sqlite3"), is_sqlite=True)
target = SqliteTarget("keyring", keyring)
copy = sqlite3.connect(":memory:")
copy.execute("CREATE TABLE vault_datakey (id)")

def backup():
    return b"".join(databases.dump(keyring, is_keyring=True)), b"".join(databases.dump(keyring, is_keyring=False))

for step in (
    lambda: restore._newer_ledger(settings, b""),
    lambda: restore._write_ledger(settings, b"restored"),
    backup,
    target.rows,
    lambda: target.fill([copy.serialize()]),
    target.counts,
    target.take_place,
    target.clear,
    lambda: stamp.write(state / "backups" / "backups.json", {"main": datetime.now(UTC)}),
):
    with suppress(Failed, OSError, sqlite3.Error):
        step()
"""
OUTER: Final = """
set -eu
mount --bind "$1/etc" /etc
for folder in /var /opt; do mount -t tmpfs tmpfs $folder; done
mkdir -p /var/lib /var/log /var/www
exec "$2" "$3" "$1"
"""
"""Behind these mounts there is a machine with our users, whose folders nobody misses."""


def _is_possible() -> bool:
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        return False
    return subprocess.run(["unshare", "--mount", "true"], check=False, capture_output=True).returncode == 0


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Make what the namespace needs: /etc with our users, and install without its last line, which begins it."""
    if not _is_possible():
        pytest.skip(services.missing("root's rights, and a kernel with mount namespaces"))
    folder = tmp_path_factory.mktemp("links")
    shutil.copytree("/etc", folder / "etc", symlinks=True, ignore=shutil.ignore_patterns("ssl", "alternatives"))
    (folder / "etc/ibanse").mkdir(exist_ok=True)
    with (folder / "etc/group").open("a") as groups, (folder / "etc/passwd").open("a") as users:
        groups.write("ibanse:x:64200:\n")
        users.writelines(
            f"{user}:x:{64200 + number}:64200::/nonexistent:/bin/false\n" for number, user in enumerate(USERS)
        )
    (folder / "deploy").mkdir()
    shutil.copy(DEPLOY / "production.sh", folder / "deploy")
    text = (DEPLOY / "install").read_text(encoding="utf-8")
    assert text.endswith('\nmain "$@"\n')
    (folder / "deploy/install").write_text(text.removesuffix('main "$@"\n') + INSTALL, encoding="utf-8")
    (folder / "restore.py").write_text(RESTORE, encoding="utf-8")
    yield folder
    shutil.rmtree(folder)


INNER: Final = """
import os, pathlib, shutil, subprocess, sys
folder, state = pathlib.Path(sys.argv[1]), pathlib.Path("{state}")
told = dict(os.environ, PYTHONPATH="{root}", IBANSE_SITE_USER="ibanse")
installs = ["sh", folder / "deploy/install"]
restores = [sys.executable, folder / "restore.py"]
owners = {{"backups": 64201}}

def does(command):
    return subprocess.run(command, env=told, capture_output=True, text=True)

def fresh():
    shutil.rmtree(state, ignore_errors=True)
    made = does(installs)
    assert made.returncode == 0, made.stderr

def seen(place):
    of = place.lstat()
    inside = sorted(os.listdir(place)) if place.is_dir() else place.read_bytes()
    return of.st_mode, of.st_uid, of.st_gid, inside

fresh()
restored = does(restores)
assert restored.returncode == 0, restored.stderr
assert (state / "erasures/ledger").read_bytes() == b"restored"
found = {{path: path.lstat() for path in state.rglob("*")}}
print("FOUND", {{str(path.relative_to(state)): (oct(of.st_mode & 0o777), of.st_uid) for path, of in found.items()}})
for kind in ("file", "folder"):
    for name in {paths}:
        fresh()
        victim = pathlib.Path("/var/lib/victim")
        shutil.rmtree(victim, ignore_errors=True) if victim.is_dir() else victim.unlink(missing_ok=True)
        if kind == "folder":
            victim.mkdir(mode=0o700)
            (victim / "secret").write_text("of root")
        else:
            victim.touch(mode=0o600)
            victim.write_text("of root")
        place = state / name
        shutil.rmtree(place) if place.is_dir() else place.unlink(missing_ok=True)
        # Also the folder is as the service may have left it: its owner's.
        place.symlink_to(victim)
        os.lchown(place, owners.get(name.partition("/")[0], 64200), 64200)
        before = seen(victim)
        for command in (installs, restores):
            done = does(command)
            if seen(victim) != before or "Traceback" in done.stderr:
                print("ASTRAY", kind, name, command[1].name, seen(victim), done.stderr)
                shutil.rmtree(victim, ignore_errors=True) if victim.is_dir() else victim.unlink()
                break
        told_of = b"of root"
        for path in state.rglob("*"):
            if path.is_file() and not path.is_symlink() and told_of in path.read_bytes():
                print("COPIED", kind, name, path)
"""


@pytest.fixture(scope="module")
def said(machine: Path) -> list[str]:
    """Install and restore, once without a link and once with each; return what went wrong."""
    inner = machine / "inner.py"
    inner.write_text(INNER.format(state=STATE, root=services.ROOT, paths=repr(PATHS)), encoding="utf-8")
    python = shutil.which("python3") or "python3"
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", OUTER, "-", machine, python, inner],
        capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()


class TestLinks:
    def test_no_link_leads_root_astray(self, said: list[str]) -> None:
        assert [line for line in said if line.startswith(("ASTRAY", "COPIED"))] == []

    def test_without_links_everything_is_its_users(self, said: list[str]) -> None:
        [found] = [ast.literal_eval(line.removeprefix("FOUND ")) for line in said if line.startswith("FOUND ")]

        assert found == {
            "static": ("0o755", 64200),
            "spool": ("0o770", 64200),
            "exports": ("0o770", 64200),
            "erasures": ("0o770", 64200),
            "erasures/ledger": ("0o660", 64200),
            "keyring": ("0o770", 64200),
            "keyring/keyring.sqlite3": ("0o660", 64200),
            "backups": ("0o755", 64201),
            "backups/backups.json": ("0o644", 64201),
        }


def scripts() -> Iterator[tuple[str, str]]:
    """Yield each line of a shell script of deploy/, with its file's name; comments are left out."""
    for path in sorted(DEPLOY.rglob("*")):
        if path.is_file() and (path.suffix == ".sh" or path.read_bytes().startswith(b"#!/bin/sh")):
            for line in path.read_text(encoding="utf-8").splitlines():
                if not line.lstrip().startswith("#"):
                    yield path.name, line


class TestTheScripts:
    def test_root_changes_nothing_below_the_state_folder_but_as_its_owner(self) -> None:
        named = re.compile(r"\$STATE/|/var/lib/ibanse/|\$ledger")
        changing = re.compile(r"\b(chown|chmod|chgrp|touch|install|mkdir|cp|mv|rm|ln|tee|dd|truncate)\b|>")
        found = []
        for name, line in scripts():
            commands = re.sub(r'"[^"]*"|2>/dev/null', "", line)
            if named.search(line) and changing.search(commands) and "as_owner" not in line:
                found.append(f"{name}: {line.strip()}")

        assert found == []

    def test_folders_of_postgresql_and_the_cache_are_written_to_as_their_users(self) -> None:
        puts = [re.fullmatch(r' *put \S+ "(\$cluster|\$folder)/\S+" \d+ ?(.*)', line) for _, line in scripts()]
        owners = {(put[1], put[2]) for put in puts if put}

        assert owners == {("$cluster", "postgres"), ("$folder", '"$cache"')}

    def test_backups_change_files_only_in_what_an_owner_runs(self) -> None:
        changing = {
            "chown",
            "chmod",
            "lchown",
            "touch",
            "mkdir",
            "write_text",
            "write_bytes",
            "rename",
            "replace",
            "unlink",
        }
        allowed = {
            "stamp.py": {"_write"},
            "databases.py": {"_copy_by_file"},
            "targets.py": {"_take_place", "_clear"},
            # The cache, root's own; and a copy in a folder of root's own.
            "__main__.py": {"_alone"},
            "restore.py": {"_put_aside", "_prove"},
        }
        for path in sorted((DEPLOY / "backup").glob("*.py")):
            found = set()
            for function in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(function, ast.FunctionDef):
                    calls = {
                        node.func.attr
                        for node in ast.walk(function)
                        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
                    }
                    found |= {function.name} if calls & changing else set()
            assert found <= allowed.get(path.name, set()), path.name
