"""No symbolic link in the services' folder leads a script of root's elsewhere.

Each path in it is replaced by a link to a file and to a folder of root's, while install and restore really run: as
root, on folders of the users that install creates, in a mount namespace of the test (tests/support/links/).
"""

import ast
import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from tests.support import services

pytestmark = pytest.mark.deploy

DEPLOY: Final = services.ROOT / "deploy"
PROGRAMS: Final = services.ROOT / "tests" / "support" / "links"
SERVICE_UID, BACKUP_UID = 64200, 64201
"""As in attack.py."""
USERS: Final = {"ibanse": SERVICE_UID, "ibanse-backup": BACKUP_UID}
PATHS: Final = (
    "static", "spool", "exports", "erasures", "keyring", "backups",
    "erasures/ledger", "erasures/ledger.draft", "erasures/ledger.before-1",
    "keyring/keyring.sqlite3", "keyring/keyring.sqlite3-wal", "keyring/keyring.sqlite3-journal",
    "keyring/keyring.sqlite3.restoring", "keyring/keyring.sqlite3.restoring-wal",
    "keyring/keyring.sqlite3.restoring-journal", "backups/backups.json", "backups/backups.json.new",
)  # fmt: skip
"""Every name below /var/lib/ibanse that a script of root's uses."""


def can_unshare() -> bool:
    """Return whether this user may make a mount namespace."""
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        return False
    return subprocess.run(["unshare", "--mount", "true"], check=False, capture_output=True).returncode == 0


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Make what the namespace needs: /etc with our users, and install with folders.sh in place of its last line."""
    if not can_unshare():
        pytest.skip(services.missing("root's rights, and a kernel with mount namespaces"))
    folder = tmp_path_factory.mktemp("links")
    shutil.copytree("/etc", folder / "etc", symlinks=True, ignore=shutil.ignore_patterns("ssl", "alternatives"))
    (folder / "etc/ibanse").mkdir(exist_ok=True)
    with (folder / "etc/group").open("a") as groups, (folder / "etc/passwd").open("a") as users:
        groups.write(f"ibanse:x:{SERVICE_UID}:\n")
        users.writelines(f"{user}:x:{uid}:{SERVICE_UID}::/nonexistent:/bin/false\n" for user, uid in USERS.items())
    (folder / "deploy").mkdir()
    shutil.copy(DEPLOY / "production.sh", folder / "deploy")
    install = (DEPLOY / "install").read_text(encoding="utf-8")
    assert install.endswith('\nmain "$@"\n')
    steps = (PROGRAMS / "folders.sh").read_text(encoding="utf-8")
    (folder / "deploy/install").write_text(install.removesuffix('main "$@"\n') + steps, encoding="utf-8")
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def attacked(machine: Path) -> dict[str, Any]:
    """Run install and restore without a link and with each; return what attack.py prints."""
    python = shutil.which("python3") or "python3"
    attack = [python, str(PROGRAMS / "attack.py"), str(machine), *PATHS]
    done = subprocess.run(
        ["unshare", "--mount", "sh", PROGRAMS / "namespace.sh", machine, *attack],
        capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    results: dict[str, Any] = json.loads(done.stdout)
    return results


class TestLinks:
    def test_no_link_misleads_root(self, attacked: dict[str, Any]) -> None:
        assert (attacked["misled"], attacked["copied"]) == ([], [])

    def test_files_belong_to_their_service(self, attacked: dict[str, Any]) -> None:
        assert attacked["files"] == {
            "static": ["0o755", SERVICE_UID],
            "spool": ["0o770", SERVICE_UID],
            "exports": ["0o770", SERVICE_UID],
            "erasures": ["0o770", SERVICE_UID],
            "erasures/ledger": ["0o660", SERVICE_UID],
            "keyring": ["0o770", SERVICE_UID],
            "keyring/keyring.sqlite3": ["0o660", SERVICE_UID],
            "backups": ["0o755", BACKUP_UID],
            "backups/backups.json": ["0o644", BACKUP_UID],
        }


def scripts() -> Iterator[tuple[str, str]]:
    """Yield the name of each shell script of deploy/ with each of its lines, except comments."""
    for path in sorted(DEPLOY.rglob("*")):
        if path.is_file() and (path.suffix == ".sh" or path.read_bytes().startswith(b"#!/bin/sh")):
            for line in path.read_text(encoding="utf-8").splitlines():
                if not line.lstrip().startswith("#"):
                    yield path.name, line


class TestSources:
    def test_scripts_change_state_as_its_owner_only(self) -> None:
        state = re.compile(r"\$STATE/|/var/lib/ibanse/|\$ledger")
        changing = re.compile(r"\b(chown|chmod|chgrp|touch|install|mkdir|cp|mv|rm|ln|tee|dd|truncate)\b|>")
        found = []
        for name, line in scripts():
            commands = re.sub(r'"[^"]*"|2>/dev/null', "", line)
            if state.search(line) and changing.search(commands) and "as_owner" not in line:
                found.append(f"{name}: {line.strip()}")

        assert found == []

    def test_configuration_is_written_as_the_owner_of_its_folder(self) -> None:
        puts = [re.fullmatch(r' *put \S+ "(\$cluster|\$folder)/\S+" \d+ ?(.*)', line) for _, line in scripts()]
        owners = {(put[1], put[2]) for put in puts if put}

        assert owners == {("$cluster", "postgres"), ("$folder", '"$cache"')}

    def test_backups_change_files_as_their_owner_only(self) -> None:
        changing = {
            "chown", "chmod", "lchown", "touch", "mkdir", "write_text", "write_bytes", "rename", "replace", "unlink",
        }  # fmt: skip
        allowed = {
            "stamp.py": {"_write"},
            "databases.py": {"_copy_by_file"},
            "targets.py": {"_replace_live", "_remove_staging"},
            # The first changes the cache, root's own; _verify writes to a temporary folder of root's.
            "__main__.py": {"_exclusively"},
            "restore.py": {"_rename", "_verify"},
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
