"""Database work that must be done now, also when every connection at hand has died: what a worker does as it ends.

After a restart of PostgreSQL the pool still holds its old connections and gives them out one after the other. A request
may fail on one and be sent again by whoever made it; a worker that ends has no second chance.
"""

import time
from collections.abc import Callable
from typing import Final

from django.db import InterfaceError, OperationalError, connections

ATTEMPTS: Final = 5
PAUSE_SECONDS: Final = 0.2
RETRY_FOR_SECONDS: Final = 5.0
"""A dead connection fails at once. A database that is away lets us wait, and must not hold up the end of a process."""


def retry_with_new_connections(work: Callable[[], None]) -> None:
    """Do `work`, which must bear being repeated; again on new connections when one breaks.

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
    """Close this thread's connections, and the pools that all threads take theirs from: the next use makes new ones."""
    for connection in connections.all(initialized_only=True):
        # Whoever opened a transaction around us closes its connection.
        if connection.in_atomic_block:
            continue
        connection.close()
        if getattr(connection, "pool", None):
            connection.close_pool()  # type: ignore[attr-defined]  # PostgreSQL's alone
