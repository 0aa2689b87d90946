"""How every worker learns, within two seconds, that something it holds in memory has changed. Knows clocks only.

There is one mark for all that is held: API keys, their networks, clients' states and quotas, blocked addresses. Whoever
changes one of them calls `bump()` in the same transaction; what is held is good for as long as the mark is the same.
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
    """The mark could not be read for two seconds, so nothing that is held may be trusted any more."""


class _Known:
    """The mark as this process last read it. Threads share it; a tuple is exchanged whole."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.read: tuple[float, uuid.UUID | None] = (float("-inf"), None)


_known = _Known()


def bump() -> None:
    """Tell every worker, when the transaction commits, that what it holds may be out of date; this one at once."""
    from accounts.guard.models import Revision  # noqa: PLC0415 - the package is imported before models may be

    if not Revision.objects.update(mark=uuid.uuid4()):
        Revision.objects.get_or_create(pk=1)
    forget()
    transaction.on_commit(forget)


def forget() -> None:
    """Read the mark anew at the next use."""
    _known.read = (float("-inf"), None)


def current() -> uuid.UUID:
    """Return the mark as it was at most two seconds ago; the database is asked once a second, by whoever comes first.

    Raises Unreadable when the database has not answered for two seconds.
    """
    read_at, mark = _known.read
    age = time.monotonic() - read_at
    if age < READ_EVERY_SECONDS and mark is not None:
        return mark
    # While the mark may still be trusted nobody waits for whoever is reading it already.
    waits = age >= TRUSTED_FOR_SECONDS
    if _known.lock.acquire(blocking=waits, timeout=_WAIT_SECONDS if waits else -1):
        try:
            _read()
        finally:
            _known.lock.release()
    read_at, mark = _known.read
    if mark is None or time.monotonic() - read_at >= TRUSTED_FOR_SECONDS:
        raise Unreadable
    return mark


def _read() -> None:
    from accounts.guard.models import Revision  # noqa: PLC0415 - the package is imported before models may be

    began = time.monotonic()
    if began - _known.read[0] < READ_EVERY_SECONDS:
        return  # Somebody else has just read it, while we waited for the lock.
    try:
        mark = Revision.objects.values_list("mark", flat=True).first() or _NOTHING_CHANGED_YET
    except Error as error:
        # Not the exception itself: its text may hold what was asked.
        log.warning("The mark of changes could not be read: %s", type(error).__name__)
        return
    _known.read = (began, mark)
