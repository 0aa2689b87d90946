"""What is done in the background: a thread of each worker looks every few seconds whether there is something to do.

Nothing is lost when it ends or is killed: whatever it does is done by the next one, in this process or another.
"""

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from typing import Final

from django.conf import settings
from django.db import Error, close_old_connections
from django.utils import timezone

from accounts import counters
from accounts.auth import wrong_passwords
from accounts.reconnect import retry_with_new_connections
from ibanse.logging import handler
from ibanse.monitoring import sampling
from ibanse.monitoring.series import PERIOD
from privacy import vault
from privacy.contact import messages
from privacy.deletion import rounds
from privacy.export import exports
from privacy.retention import pruning

log = logging.getLogger(__name__)

LOOK_EVERY_SECONDS: Final = 2.0
PRUNE_EVERY_SECONDS: Final = 60.0
"""Copies that were offered long enough."""
DELETE_EVERY_SECONDS: Final = 10.0
RETAIN_EVERY_SECONDS: Final = 3600
"""Everything else that has reached its end. Every worker looks: where one is at work, the others find nothing."""


def prune(now: datetime) -> Iterator[tuple[str, int]]:
    """Delete what has reached its end: personal data, then metrics and segments of the process log.

    Yields the name of each table with how many rows of it were deleted.
    """
    yield from pruning.prune(now)
    yield "readings", sampling.prune(now)
    yield "segments of the log", handler.prune(settings.LOG_DIR, now)


class Runner:
    """The thread of one process."""

    def __init__(self) -> None:
        self._stop = threading.Event()
        self._retained_at = self._deleted_at = self._read_at = float("-inf")
        self._thread = threading.Thread(target=self._run, name="background", daemon=True)

    def start(self) -> None:
        """Begin to look for work."""
        self._thread.start()

    def stop(self) -> None:
        """Give back what is not done, write down what was counted, mail what waits, and end."""
        self._stop.set()
        self._thread.join(timeout=10)
        with suppress(Error):
            retry_with_new_connections(counters.flush)
            retry_with_new_connections(wrong_passwords.mail_owners)

    def _run(self) -> None:
        pruned_at = float("-inf")
        while not self._stop.wait(LOOK_EVERY_SECONDS):
            try:
                # First: a copy of a large account takes a while.
                counters.flush()
                wrong_passwords.mail_owners()
                while exports.work(timezone.now(), is_ending=self._stop.is_set) and not self._stop.is_set():
                    pass
                messages.mail_waiting(timezone.now())
                if settings.EMBEDDED:
                    self._delete()
                    self._read()
                if time.monotonic() - pruned_at > PRUNE_EVERY_SECONDS:
                    exports.prune(timezone.now())
                    pruned_at = time.monotonic()
                    self._prune_everything()
            except (Error, OSError, vault.VaultError) as error:
                # Not the exception itself: its text may hold values.
                log.warning("What is to be done in the background waits: %s", type(error).__name__)
            finally:
                close_old_connections()

    def _delete(self) -> None:
        """Carry deletions out, where no timer does: in production that is another user of the machine."""
        if time.monotonic() - self._deleted_at > DELETE_EVERY_SECONDS:
            self._deleted_at = time.monotonic()
            for done in rounds.go(timezone.now()):
                log.info("A deletion: %s", type(done).__name__)

    def _read(self) -> None:
        """Take readings, where no timer does."""
        if time.monotonic() - self._read_at >= PERIOD.total_seconds():
            self._read_at = time.monotonic()
            for failure in sampling.take(timezone.now()):
                log.warning("Not measured: %s (%s)", failure.measure, failure.error)

    def _prune_everything(self) -> None:
        if time.monotonic() - self._retained_at < RETAIN_EVERY_SECONDS:
            return
        self._retained_at = time.monotonic()
        for _table, _rows in prune(timezone.now()):
            if self._stop.is_set():
                return


_runner: Runner | None = None


def start() -> None:
    """Start this process's thread: in every worker, after it was forked."""
    global _runner  # noqa: PLW0603 - one thread per process
    _runner = Runner()
    _runner.start()


def stop() -> None:
    """End it; without one, do nothing."""
    if _runner is not None:
        _runner.stop()
