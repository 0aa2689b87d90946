"""What the API keys measure of themselves: how many calls were answered. See ibanse/monitoring/sampling.py."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Final

from django.db.models import Sum

from accounts.counters import hour_of
from apikeys.models import KeyUsageDay
from ibanse.monitoring.sampling import Measure, Measured
from ibanse.monitoring.series import HOUR


def calls(now: datetime) -> Iterator[Measured]:
    """Yield how many calls were answered today (UTC) so far; the calls of an hour are the difference to the one before.

    In the first hour of a day also how many it were on the day before: those of its last minutes are counted since.
    """
    hour = hour_of(now)
    if hour.hour == 0:
        yield Measured("calls", _of(hour.date() - timedelta(days=1)), at=hour - HOUR)
    yield Measured("calls", _of(hour.date()))


def _of(day: date) -> int:
    # By the keys that were used since: the table of days is found by its keys, and has no other way in.
    used = KeyUsageDay.objects.filter(key__last_used_on__gte=day, day=day)
    return int(used.aggregate(calls=Sum("calls", default=0))["calls"])


MEASURES: Final[tuple[Measure, ...]] = (calls,)
