"""Hourly counters, such as refused calls and failed sign-ins, without caller, IP address or client.

Counts are collected in memory; a background thread adds them to the database every few seconds
(ibanse/scheduler.py), and so does a process that exits normally. A killed process loses its latest counts.
"""

import threading
from collections import Counter
from datetime import UTC, datetime
from typing import Final, NamedTuple

from django.db import Error

from accounts.models import Metric
from accounts.usage import upsert


def hour_of(moment: datetime) -> datetime:
    """Return the beginning of the hour (UTC) that an aware moment lies in."""
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


class _CounterKey(NamedTuple):
    name: str
    part: str
    node: str
    at: datetime


_LONGEST_PART: Final = 40
_lock: Final = threading.Lock()
_counts: Counter[_CounterKey] = Counter()


def count(name: str, part: str) -> None:
    """Count one more in this hour. Uses no database and never fails."""
    key = _CounterKey(name, part[:_LONGEST_PART], "", hour_of(datetime.now(UTC)))
    with _lock:
        _counts[key] += 1


def flush() -> None:
    """Add the latest counts to the database. Raises a database error; then they are added the next time."""
    global _counts
    with _lock:
        # Replaced as a whole, so that nothing is counted into what is being written.
        taken, _counts = _counts, Counter()
    if not taken:
        return
    try:
        upsert.add(Metric, _CounterKey._fields, ("value",), ((key, (count,)) for key, count in taken.items()))
    except Error:
        with _lock:
            _counts.update(taken)
        raise


def forget() -> None:
    """Drop counts that are not written yet: for tests, whose database is reset as well."""
    with _lock:
        _counts.clear()
