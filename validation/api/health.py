"""Whether the service lives, and whether it can do its work: for whoever watches it, without a key."""

import os
import shutil
from collections.abc import Callable
from typing import Final

from django.conf import settings
from django.db import Error, connections

from validation.api.schemas import Checkup, LiveAnswer, Ready, ReadyAnswer

LEAST_FREE_BYTES: Final = 100 * 1024 * 1024


def live() -> LiveAnswer:
    """Tell that the process answers."""
    return LiveAnswer(live=True)


def ready() -> ReadyAnswer:
    """Try each part that the service needs, and tell which of them work."""
    checks = Checkup(
        database=_tried(lambda: _asks("default")),
        keyring=_tried(lambda: _asks("keyring")),
        spool=_tried(_can_spool),
        disk=_tried(_has_room),
    )
    parts = (checks.database, checks.keyring, checks.spool, checks.disk)
    return ReadyAnswer(ready=all(part == "ok" for part in parts), checks=checks)


def _tried(part: Callable[[], bool]) -> Ready:
    try:
        return "ok" if part() else "failed"
    except (Error, OSError):
        return "failed"


def _asks(database: str) -> bool:
    with connections[database].cursor() as cursor:
        cursor.execute("SELECT 1")
        return bool(cursor.fetchone())


def _can_spool() -> bool:
    settings.SPOOL_DIR.mkdir(parents=True, exist_ok=True, mode=0o700)
    return os.access(settings.SPOOL_DIR, os.R_OK | os.W_OK | os.X_OK)


def _has_room() -> bool:
    return shutil.disk_usage(settings.SPOOL_DIR).free >= LEAST_FREE_BYTES
