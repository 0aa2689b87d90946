"""What is done again and again without anybody asking: one table of jobs, and the thread that does its share of them.

In production a timer of systemd runs what needs another user of the machine, an hour of the day or its own process. The
embedded mode has no timers, so there the thread does what cannot wait for one. Nothing is lost when either ends or is
killed: whatever it does is done by the next one, in this process or another.
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
"""Whether the process ends and the rest is for others."""

LOOK_EVERY: Final = timedelta(seconds=2)
DAY: Final = timedelta(days=1)
MONTH: Final = timedelta(days=31)
"""The longest."""


@dataclass(frozen=True)
class Job:
    """Something that is done again and again."""

    name: str
    """Of a timer's job: the unit is called ibanse-<name>.timer."""
    interval: timedelta
    runner: Literal["thread", "timer"]
    """A thread of every worker in both modes, or a timer in production."""
    run: Callable[[IsEnding], None] | None = None
    """What the thread calls."""
    command: str = ""
    """What the timer's unit runs: a command of manage.py, or a module and its command."""
    embedded_interval: timedelta | None = None
    """How often the thread does a timer's job in the embedded mode; None: not at all."""

    def thread_interval(self) -> timedelta | None:
        """Return how often the thread does it in the mode that we are in; None: not at all."""
        if self.runner == "thread":
            return self.interval
        return self.embedded_interval if settings.EMBEDDED else None


def prune(now: datetime) -> Iterator[tuple[str, int]]:
    """Delete what has reached its end: personal data, then metrics and segments of the process log.

    Yields the name of each table with how many rows of it were deleted.
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
    for done in rounds.run_round(timezone.now()):
        log.info("A deletion: %s", type(done).__name__)


def _collect_metrics(_is_ending: IsEnding) -> None:
    for failure in sampling.collect(timezone.now()):
        log.warning("Not measured: %s (%s)", failure.collector, failure.error)


def _prune_exports(_is_ending: IsEnding) -> None:
    exports.prune(timezone.now())


def _prune_everything(is_ending: IsEnding) -> None:
    for _table, _rows in prune(timezone.now()):
        if is_ending():
            return


# In this order, since an export of a large account takes a while. Every worker looks: where one is at work, the others
# find nothing.
JOBS: Final = (
    Job("flush-counters", LOOK_EVERY, "thread", _flush_counters),
    Job("mail-wrong-passwords", LOOK_EVERY, "thread", _mail_owners_of_wrong_passwords),
    Job("make-exports", LOOK_EVERY, "thread", _make_exports),
    Job("mail-messages", LOOK_EVERY, "thread", _mail_messages),
    # As a user who may delete, which the service is not.
    Job(
        "execute-deletions", timedelta(minutes=10), "timer", _execute_deletions,
        command="execute_deletions", embedded_interval=timedelta(seconds=10),
    ),
    Job(
        "collect-metrics", SAMPLING_INTERVAL, "timer", _collect_metrics,
        command="collect_metrics", embedded_interval=SAMPLING_INTERVAL,
    ),
    # Those that were offered long enough.
    Job("prune-exports", timedelta(minutes=1), "thread", _prune_exports),
    # Twice: by the hour for what ends by the hour, and daily in case that no worker runs.
    Job("prune-hourly", timedelta(hours=1), "thread", _prune_everything),
    Job("prune", DAY, "timer", command="prune_expired"),
    Job("warn-expiring-keys", DAY, "timer", command="warn_expiring_keys"),
    Job("certificate", DAY, "timer", command="check_certificate"),
    Job("compact-tables", MONTH, "timer", command="compact_tables"),
    Job("backup", DAY, "timer", command="deploy.backup run"),
    Job("backup-check", DAY, "timer", command="deploy.backup check"),
)  # fmt: skip


class Runner:
    """The thread of one process."""

    def __init__(self) -> None:
        self._stop = threading.Event()
        self._begun_at = dict.fromkeys((job.name for job in JOBS), float("-inf"))
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
        while not self._stop.wait(LOOK_EVERY.total_seconds()):
            self.run_due()

    def run_due(self) -> None:
        """Do what is due, one job after the other; one that fails keeps none of the others from its turn."""
        for job in JOBS:
            interval = job.thread_interval()
            now = time.monotonic()
            if job.run is None or interval is None or now - self._begun_at[job.name] < interval.total_seconds():
                continue
            self._begun_at[job.name] = now
            try:
                job.run(self._stop.is_set)
            except (Error, OSError, vault.VaultError) as error:
                # Not the exception itself: its text may hold values.
                log.warning("What is to be done in the background waits: %s (%s)", job.name, type(error).__name__)
            finally:
                # A broken one would break the next job as well.
                close_old_connections()


_runner: Runner | None = None


def start() -> None:
    """Start this process's thread: in every worker, after it was forked."""
    global _runner
    _runner = Runner()
    _runner.start()


def stop() -> None:
    """End it; without one, do nothing."""
    if _runner is not None:
        _runner.stop()
