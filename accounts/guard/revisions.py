"""Cache invalidation: every worker notices within two seconds that data it caches in memory has changed.

There is one mark for all of it: API keys, their networks, clients' states and quotas, blocked IP addresses. Code that
changes one of them calls `bump()` in the same transaction; a cache is valid as long as the mark is the same.
"""

import logging
import threading
import time
import uuid
from typing import Final

from django.db import Error, transaction

log = logging.getLogger(__name__)

READ_EVERY_SECONDS: Final = 1.0
TRUSTED_FOR_SECONDS: Final = 2.0
_WAIT_SECONDS: Final = 0.5
_NOTHING_CHANGED_YET: Final = uuid.UUID(int=0)


class Unreadable(Exception):
    """The mark could not be read for two seconds, so no cache may be trusted any more."""


class _LastRead:
    """The mark as this process last read it. Threads share it; the tuple is replaced atomically."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.read: tuple[float, uuid.UUID | None] = (float("-inf"), None)


_last = _LastRead()


def bump() -> None:
    """Invalidate the caches of all workers when the transaction commits, and those of this one at once."""
    from accounts.guard.models import Revision  # noqa: PLC0415 - the package is imported before models may be

    if not Revision.objects.update(mark=uuid.uuid4()):
        Revision.objects.get_or_create(pk=1)
    forget()
    transaction.on_commit(forget)


def forget() -> None:
    """Read the mark again at the next use."""
    _last.read = (float("-inf"), None)


def current() -> uuid.UUID:
    """Return the mark as it was at most two seconds ago; one thread a second reads it from the database.

    Raises Unreadable when the database could not be read for two seconds.
    """
    read_at, mark = _last.read
    age = time.monotonic() - read_at
    if age < READ_EVERY_SECONDS and mark is not None:
        return mark
    # While the mark may still be trusted, no thread waits for the one that is reading it.
    waits = age >= TRUSTED_FOR_SECONDS
    if _last.lock.acquire(blocking=waits, timeout=_WAIT_SECONDS if waits else -1):
        try:
            _read()
        finally:
            _last.lock.release()
    read_at, mark = _last.read
    if mark is None or time.monotonic() - read_at >= TRUSTED_FOR_SECONDS:
        raise Unreadable
    return mark


def _read() -> None:
    from accounts.guard.models import Revision  # noqa: PLC0415 - the package is imported before models may be

    began = time.monotonic()
    if began - _last.read[0] < READ_EVERY_SECONDS:
        return  # Another thread has just read it, while this one waited for the lock.
    try:
        mark = Revision.objects.values_list("mark", flat=True).first() or _NOTHING_CHANGED_YET
    except Error as error:
        # Not the exception itself: its text may contain the query's values.
        log.warning("The mark of changes could not be read: %s", type(error).__name__)
        return
    _last.read = (began, mark)
