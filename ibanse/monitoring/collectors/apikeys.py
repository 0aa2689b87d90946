"""Metrics of the API keys: how many calls were answered."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta

from django.db.models import Sum

from accounts.counters import hour_of
from apikeys.models import KeyUsageDay
from ibanse.monitoring.collectors import MetricSample
from ibanse.monitoring.series import HOUR


def calls(now: datetime) -> Iterator[MetricSample]:
    """Yield the calls answered today (UTC) so far; those of an hour are the difference to the hour before.

    In the first hour of a day also the total of the day before, since the calls of its last minutes came after the last
    collection.
    """
    hour = hour_of(now)
    if hour.hour == 0:
        yield MetricSample("calls", _calls_on(hour.date() - timedelta(days=1)), at=hour - HOUR)
    yield MetricSample("calls", _calls_on(hour.date()))


def _calls_on(day: date) -> int:
    # By the keys that were used since: the table's index begins with the key, and there is none on the day.
    used = KeyUsageDay.objects.filter(key__last_used_on__gte=day, day=day)
    return int(used.aggregate(calls=Sum("calls", default=0))["calls"])
