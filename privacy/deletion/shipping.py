"""Copies the ledger off this machine, with the command in IBANSE_LEDGER_SHIP.

It runs when the ledger has grown since the last success, and again with the next `execute_deletions` after a failure. A
failure is logged as an error and undoes nothing. The command gets the path of the ledger as its last argument.
"""

import logging
import shlex
import subprocess
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Final

from django.conf import settings

from privacy.deletion import ledger

log = logging.getLogger(__name__)

_TIMEOUT: Final = timedelta(minutes=2)


def ship() -> bool:
    """Copy the ledger if it has grown and a command is set; return False when that failed."""
    path = ledger.path()
    command = shlex.split(settings.LEDGER_SHIP)
    if not command or not path.exists():
        return True
    size = path.stat().st_size
    if _shipped() == size:
        return True
    try:
        done = subprocess.run([*command, str(path)], timeout=_TIMEOUT.total_seconds(), check=False)  # noqa: S603 - the operator's own command
    except (OSError, subprocess.TimeoutExpired) as error:
        log.error("The erasure ledger could not be copied off this machine: %s", type(error).__name__)
        return False
    if done.returncode:
        log.error(
            "The erasure ledger could not be copied off this machine: IBANSE_LEDGER_SHIP ended with %s", done.returncode
        )
        return False
    _marker().write_text(f"{size}\n", encoding="ascii")
    return True


def _marker() -> Path:
    return ledger.path().with_name(ledger.path().name + ".shipped")


def _shipped() -> int | None:
    with suppress(FileNotFoundError, ValueError):
        return int(_marker().read_text(encoding="ascii"))
    return None
