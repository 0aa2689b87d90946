"""Turns the values stored by the hour into one value for each step of a chart. Knows numbers and hours, no database.

A value is None where nothing was measured: that is a gap, not a zero.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from accounts.counters import hour_of

HOUR: Final = timedelta(hours=1)
DAY: Final = timedelta(days=1)
SAMPLING_INTERVAL: Final = timedelta(minutes=5)
"""Of the timer in deploy/systemd, and of the background thread where there is no timer."""
STALE_AFTER: Final = 3 * SAMPLING_INTERVAL
"""An older value says nothing about now: the collection has stopped."""
RETENTION: Final = timedelta(days=90)
Hours = Mapping[datetime, int]
"""The hour → the value stored for it."""


class ChartPeriod(NamedTuple):
    """How far back a chart goes, and in steps of an hour or a day (UTC)."""

    days: int
    step: timedelta
    row_steps: int
    """How many steps are one row of the table beside the chart."""

    def steps(self, now: datetime) -> list[datetime]:
        """Return the last hour of each step, oldest first; that of the last step is the current hour."""
        current = hour_of(now)
        if self.step == HOUR:
            return [current - index * HOUR for index in reversed(range(self.days * 24))]
        end_of_today = current.replace(hour=23)
        return [min(current, end_of_today - index * DAY) for index in reversed(range(self.days))]


PERIODS: Final = {
    period.days: period for period in (ChartPeriod(1, HOUR, 3), ChartPeriod(7, HOUR, 24), ChartPeriod(90, DAY, 10))
}

Aggregation = Callable[[Hours, Sequence[datetime], timedelta], list[int | None]]


def gauge(hours: Hours, steps: Sequence[datetime], step: timedelta) -> list[int | None]:
    """Return what was measured at the end of each step; of a day whose end was not measured, what was at noon."""
    if step == HOUR:
        return [hours.get(end) for end in steps]
    return [hours.get(end, hours.get(noon(end))) for end in steps]


def noon(end_of_day: datetime) -> datetime:
    """Return the hour in the middle of that day: a machine may be off at night."""
    return end_of_day.replace(hour=11)


def counter(hours: Hours, steps: Sequence[datetime], step: timedelta) -> list[int | None]:
    """Return how often it happened in each step; hours without a measurement add nothing, unless all are so."""
    if step == HOUR:
        return [hours.get(end) for end in steps]
    by_day: dict[datetime, int] = {}
    for hour, value in hours.items():
        day = hour.replace(hour=0)
        by_day[day] = by_day.get(day, 0) + value
    return [by_day.get(end.replace(hour=0)) for end in steps]


def daily_total(hours: Hours, steps: Sequence[datetime], step: timedelta) -> list[int | None]:
    """Return what each step added to a total that starts from zero every day (UTC).

    Never negative: a total shrinks when what it counts is deleted.
    """
    if step == DAY:
        return [hours.get(end) for end in steps]
    return [_added(hours, hour) for hour in steps]


def _added(hours: Hours, hour: datetime) -> int | None:
    total = hours.get(hour)
    before = 0 if hour.hour == 0 else hours.get(hour - HOUR)
    return None if total is None or before is None else max(0, total - before)
