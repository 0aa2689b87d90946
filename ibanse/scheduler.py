"""Background jobs: one table of all of them, and the thread that runs its share.

In production a systemd timer runs what needs another user of the machine, a time of day or a process of its own. The
embedded mode has no timers, so the thread runs some of these too. Nothing is lost when either ends or is killed: the
next run, in this process or another, does the work.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from django.conf import settings
from django.db import Error, close_old_connections
from django.utils import timezone

from accounts import counters
from accounts.auth import wrong_passwords
from accounts.reconnect import retry_with_new_connections
from ibanse.logging import handler
from ibanse.monitoring import sampling
from ibanse.monitoring.series import SAMPLING_INTERVAL
from privacy import vault
from privacy.contact import messages
from privacy.deletion import rounds
from privacy.export import exports
from privacy.retention import pruning

log = logging.getLogger(__name__)

IsEnding = Callable[[], bool]
"""Whether the process is ending, and the rest is left to others."""

POLL_INTERVAL: Final = timedelta(seconds=2)
DAY: Final = timedelta(days=1)
MONTH: Final = timedelta(days=31)
"""The longest."""


@dataclass(frozen=True)
class Job:
    """Work that is done at an interval."""

    name: str
    """A timer's unit is called ibanse-<name>.timer."""
    interval: timedelta
    runner: Literal["thread", "timer"]
    """The thread of every worker in both modes, or a timer in production."""
    run: Callable[[IsEnding], None] | None = None
    """What the thread calls."""
    command: str = ""
    """What the timer's unit runs: a command of manage.py, or a module and its command."""
    embedded_interval: timedelta | None = None
    """How often the thread runs a timer's job in the embedded mode; None: never."""

    def thread_interval(self) -> timedelta | None:
        """Return how often the thread runs it in the present mode; None: never."""
        if self.runner == "thread":
            return self.interval
        return self.embedded_interval if settings.EMBEDDED else None


def prune(now: datetime) -> Iterator[tuple[str, int]]:
    """Delete what has expired: personal data, then metrics and segments of the process log.

    Yields the name of each table and how many of its rows were deleted.
    """
    yield from pruning.prune(now)
    yield "metrics", sampling.prune(now)
    yield "segments of the log", handler.prune(settings.LOG_DIR, now)


def _flush_counters(_is_ending: IsEnding) -> None:
    counters.flush()


def _mail_owners_of_wrong_passwords(_is_ending: IsEnding) -> None:
    wrong_passwords.mail_owners()


def _make_exports(is_ending: IsEnding) -> None:
    while exports.work(timezone.now(), is_ending=is_ending) and not is_ending():
        pass


def _mail_messages(_is_ending: IsEnding) -> None:
    messages.mail_waiting(timezone.now())


def _execute_deletions(_is_ending: IsEnding) -> None:
    for outcome in rounds.run_round(timezone.now()):
        log.info("A deletion: %s", type(outcome).__name__)


def _collect_metrics(_is_ending: IsEnding) -> None:
    for failure in sampling.collect(timezone.now()):
        log.warning("Not measured: %s (%s)", failure.collector, failure.error)


def _prune_exports(_is_ending: IsEnding) -> None:
    exports.prune(timezone.now())


def _prune_everything(is_ending: IsEnding) -> None:
    for _table, _rows in prune(timezone.now()):
        if is_ending():
            return


# In this order, since an export of a large account takes a while. Every worker looks for work; what one is doing, the
# others do not find.
JOBS: Final = (
    Job("flush-counters", POLL_INTERVAL, "thread", _flush_counters),
    Job("mail-wrong-passwords", POLL_INTERVAL, "thread", _mail_owners_of_wrong_passwords),
    Job("make-exports", POLL_INTERVAL, "thread", _make_exports),
    Job("mail-messages", POLL_INTERVAL, "thread", _mail_messages),
    # As a user who may delete, which the service is not.
    Job(
        "execute-deletions", timedelta(minutes=10), "timer", _execute_deletions,
        command="execute_deletions", embedded_interval=timedelta(seconds=10),
    ),
    Job(
        "collect-metrics", SAMPLING_INTERVAL, "timer", _collect_metrics,
        command="collect_metrics", embedded_interval=SAMPLING_INTERVAL,
    ),
    # Those whose time to download is over.
    Job("prune-exports", timedelta(minutes=1), "thread", _prune_exports),
    # Twice: hourly for what expires by the hour, and daily in case that no worker runs.
    Job("prune-hourly", timedelta(hours=1), "thread", _prune_everything),
    Job("prune", DAY, "timer", command="prune_expired"),
    Job("warn-expiring-keys", DAY, "timer", command="warn_expiring_keys"),
    Job("certificate", DAY, "timer", command="check_certificate"),
    Job("compact-tables", MONTH, "timer", command="compact_tables"),
    Job("backup", DAY, "timer", command="deploy.backup run"),
    Job("backup-check", DAY, "timer", command="deploy.backup check"),
)  # fmt: skip


class JobThread:
    """The thread of one process."""

    def __init__(self) -> None:
        self._stop = threading.Event()
        self._started_at = dict.fromkeys((job.name for job in JOBS), float("-inf"))
        self._thread = threading.Thread(target=self._run, name="background", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread; then write counters and send mails that wait."""
        self._stop.set()
        self._thread.join(timeout=10)
        with suppress(Error):
            retry_with_new_connections(counters.flush)
            retry_with_new_connections(wrong_passwords.mail_owners)

    def _run(self) -> None:
        while not self._stop.wait(POLL_INTERVAL.total_seconds()):
            self.run_due()

    def run_due(self) -> None:
        """Run the jobs that are due, one after the other; a failure does not stop the others."""
        for job in JOBS:
            interval = job.thread_interval()
            now = time.monotonic()
            if job.run is None or interval is None or now - self._started_at[job.name] < interval.total_seconds():
                continue
            self._started_at[job.name] = now
            try:
                job.run(self._stop.is_set)
            except (Error, OSError, vault.VaultError) as error:
                # Not the exception itself: its text may hold values.
                log.warning("A background job failed and will run again: %s (%s)", job.name, type(error).__name__)
            finally:
                # A broken one would break the next job as well.
                close_old_connections()


_runner: JobThread | None = None


def start() -> None:
    """Start the thread of this process: in every worker, after the fork."""
    global _runner
    _runner = JobThread()
    _runner.start()


def stop() -> None:
    """End it, if there is one."""
    if _runner is not None:
        _runner.stop()
