"""Database work that must succeed although all pooled connections may be dead: what a worker does as it exits.

After a restart of PostgreSQL the pool still hands out its old connections one after the other. A failed request can be
sent again by its caller; a worker that exits has no second chance.
"""

import time
from collections.abc import Callable
from typing import Final

from django.db import InterfaceError, OperationalError, connections

ATTEMPTS: Final = 5
PAUSE_SECONDS: Final = 0.2
RETRY_FOR_SECONDS: Final = 5.0
"""A dead connection fails at once. An unreachable database makes us wait, and must not delay the exit of a process."""


def retry_with_new_connections(work: Callable[[], None]) -> None:
    """Run `work`, which must be safe to repeat, and run it again on new connections when one breaks.

    Raises the last database error.
    """
    began = time.monotonic()
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return work()
        except (OperationalError, InterfaceError):
            if attempt == ATTEMPTS or time.monotonic() - began > RETRY_FOR_SECONDS:
                raise
        _drop_connections()
        time.sleep(PAUSE_SECONDS)
    return None


def _drop_connections() -> None:
    """Close this thread's connections and the shared pools: the next use opens new ones."""
    for connection in connections.all(initialized_only=True):
        # A connection in a transaction is left to the code that opened it.
        if connection.in_atomic_block:
            continue
        connection.close()
        if getattr(connection, "pool", None):
            connection.close_pool()  # type: ignore[attr-defined]  # PostgreSQL's alone
