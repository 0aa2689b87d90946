"""From what was kept of each hour to one value for each step of a period. Knows numbers and hours, and no database.

A value is None where nobody has looked: that is a gap, and no zero.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from accounts.counters import hour_of

HOUR: Final = timedelta(hours=1)
DAY: Final = timedelta(days=1)
PERIOD: Final = timedelta(minutes=5)
"""Between two readings: of the timer in deploy/systemd, and of the background thread where there is no timer."""
STALE_AFTER: Final = 3 * PERIOD
"""Older than this a reading tells nothing about now: whatever takes them has stopped."""
RETENTION: Final = timedelta(days=90)
Hours = Mapping[datetime, int]
"""The hour → the value kept of it."""


class Period(NamedTuple):
    """How far back one looks, and in steps of what: an hour or a day (UTC)."""

    days: int
    step: timedelta
    row_steps: int
    """How many steps are one row of the table beside the drawing."""

    def steps(self, now: datetime) -> list[datetime]:
        """Return the hour at which each step ends its reading, oldest first; the last one is the hour under way."""
        last = hour_of(now)
        if self.step == HOUR:
            return [last - index * HOUR for index in reversed(range(self.days * 24))]
        ends = last.replace(hour=23)
        return [min(last, ends - index * DAY) for index in reversed(range(self.days))]


PERIODS: Final = {period.days: period for period in (Period(1, HOUR, 3), Period(7, HOUR, 24), Period(90, DAY, 10))}


def standing(hours: Hours, steps: Sequence[datetime], step: timedelta) -> list[int | None]:
    """Return what was measured at the end of each step; of a day that nobody saw the end of, what was at noon."""
    if step == HOUR:
        return [hours.get(end) for end in steps]
    return [hours.get(end, hours.get(noon(end))) for end in steps]


def noon(end: datetime) -> datetime:
    """Return the hour in the middle of the day that ends so: a machine may be off at night."""
    return end.replace(hour=11)


def counted(hours: Hours, steps: Sequence[datetime], step: timedelta) -> list[int | None]:
    """Return how often it happened in each step; hours in which nobody looked count nothing, unless all are so."""
    if step == HOUR:
        return [hours.get(end) for end in steps]
    by_day: dict[datetime, int] = {}
    for hour, value in hours.items():
        day = hour.replace(hour=0)
        by_day[day] = by_day.get(day, 0) + value
    return [by_day.get(end.replace(hour=0)) for end in steps]


def running(hours: Hours, steps: Sequence[datetime], step: timedelta) -> list[int | None]:
    """Return what was added in each step to a total that begins at nothing every day (UTC).

    Never less than nothing: a total shrinks when what it counts is deleted.
    """
    if step == DAY:
        return [hours.get(end) for end in steps]
    return [_added(hours, hour) for hour in steps]


def _added(hours: Hours, hour: datetime) -> int | None:
    total = hours.get(hour)
    before = 0 if hour.hour == 0 else hours.get(hour - HOUR)
    return None if total is None or before is None else max(0, total - before)


Reckoning = Callable[[Hours, Sequence[datetime], timedelta], list[int | None]]
