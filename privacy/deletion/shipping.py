"""Carries the ledger off this machine, by a command that the operator gives: IBANSE_LEDGER_SHIP.

It is run when the ledger has grown since it last succeeded, and again by the next `execute_deletions` when it failed: a
failure is loud and undoes nothing. The command gets the path of the ledger as its last argument.
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

_PATIENCE: Final = timedelta(minutes=2)


def ship() -> bool:
    """Carry it off if there is something new and a command to do it; return False when that failed."""
    path = ledger.path()
    command = shlex.split(settings.LEDGER_SHIP)
    if not command or not path.exists():
        return True
    size = path.stat().st_size
    if _shipped() == size:
        return True
    try:
        done = subprocess.run([*command, str(path)], timeout=_PATIENCE.total_seconds(), check=False)  # noqa: S603 - the operator's own command
    except (OSError, subprocess.TimeoutExpired) as error:
        log.error("The erasure ledger could not be carried off: %s", type(error).__name__)
        return False
    if done.returncode:
        log.error("The erasure ledger could not be carried off: IBANSE_LEDGER_SHIP ended with %s", done.returncode)
        return False
    _note().write_text(f"{size}\n", encoding="ascii")
    return True


def _note() -> Path:
    return ledger.path().with_name(ledger.path().name + ".shipped")


def _shipped() -> int | None:
    with suppress(FileNotFoundError, ValueError):
        return int(_note().read_text(encoding="ascii"))
    return None
