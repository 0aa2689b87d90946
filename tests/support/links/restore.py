"""Takes the steps of a restore and a backup that change files in /var/lib/ibanse, for tests.deploy.test_links."""

import sqlite3
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from deploy.backup import databases, restore, stamp
from deploy.backup.programs import StepFailed
from deploy.backup.settings import Database
from deploy.backup.targets import SqliteTarget

STATE = Path("/var/lib/ibanse")


def main() -> None:
    """Take each step; a step may refuse."""
    settings: Any = SimpleNamespace(ledger=STATE / "erasures" / "ledger")
    keyring = Database(str(STATE / "keyring" / "keyring.sqlite3"), is_sqlite=True)
    target = SqliteTarget("keyring", keyring)
    copy = sqlite3.connect(":memory:")
    copy.execute("CREATE TABLE vault_datakey (id)")
    steps = (
        lambda: restore._newer_ledger(settings, b""),
        lambda: restore._write_ledger(settings, b"restored"),
        lambda: (
            b"".join(databases.dump(keyring, is_keyring=True)) + b"".join(databases.dump(keyring, is_keyring=False))
        ),
        target.rows,
        lambda: target.fill([copy.serialize()]),
        target.counts,
        target.replace_live,
        target.remove_staging,
        lambda: stamp.write(STATE / "backups" / "backups.json", {"main": datetime.now(UTC)}),
    )
    # So that the name of a replaced ledger is known in advance.
    with patch.object(time, "time", lambda: 1):
        for step in steps:
            with suppress(StepFailed, OSError, sqlite3.Error):
                step()


if __name__ == "__main__":
    main()
