"""What happens and is only counted, by the hour: refused calls, failed sign-ins. Knows no caller, address or client.

Counted in memory, which costs nothing where it happens; a background thread adds it to the database every few seconds
(ibanse/scheduler.py), and a process that ends in order does so once more. A killed one loses what it had counted
since.
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


class _Place(NamedTuple):
    name: str
    part: str
    node: str
    at: datetime


_LONGEST_PART: Final = 40
_counting: Final = threading.Lock()
_counts: Counter[_Place] = Counter()


def count(name: str, part: str) -> None:
    """Count one more in this hour. Touches no database and never fails."""
    place = _Place(name, part[:_LONGEST_PART], "", hour_of(datetime.now(UTC)))
    with _counting:
        _counts[place] += 1


def flush() -> None:
    """Add what was counted since the last time to the database. Raises a database error, and keeps it then."""
    global _counts
    with _counting:
        # Exchanged whole, so that nothing is counted into what is being written.
        taken, _counts = _counts, Counter()
    if not taken:
        return
    try:
        upsert.add(Metric, _Place._fields, ("value",), ((place, (number,)) for place, number in taken.items()))
    except Error:
        with _counting:
            _counts.update(taken)
        raise


def forget() -> None:
    """Drop what was counted and not written: for tests, whose database forgets as well."""
    with _counting:
        _counts.clear()
