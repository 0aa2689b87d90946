"""How many checks a client makes, by the day: counts only, never a number that was checked.

The checks of the page and of the API are counted by the durable writer (validation/recording/writer.py).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final, NamedTuple
from uuid import UUID

from django.db.models import Sum

from accounts.models import Client, UsageDay
from accounts.usage import upsert


@dataclass(frozen=True, slots=True)
class Day:
    """The checks of one day (UTC)."""

    day: date
    valid: int = 0
    invalid: int = 0
    units: int = 0
    """What they cost of the month's quota."""

    @property
    def total(self) -> int:
        """All checks of the day."""
        return self.valid + self.invalid


@dataclass(frozen=True, slots=True)
class Month:
    """The checks of the calendar month (UTC) so far, and what remains of its quota."""

    valid: int
    invalid: int
    used: int
    """Units of the quota; a check on the page costs none."""
    quota: int

    @property
    def remaining(self) -> int:
        """What the quota still allows; never less than nothing."""
        return max(0, self.quota - self.used)


RETENTION_MONTHS: Final = 25
"""Counts are what is invoiced: the month under way and the two years before it can be looked up."""


def retained_since(now: datetime) -> date:
    """Return the first day (UTC) whose counts are kept."""
    utc = now.astimezone(UTC)
    months = utc.year * 12 + utc.month - RETENTION_MONTHS
    return date(months // 12, months % 12 + 1, 1)


def today() -> date:
    """Return the day in UTC, by which usage is counted whatever the client's time zone."""
    return datetime.now(UTC).date()


class Checks(NamedTuple):
    """Checks to count, and what they cost of the quota."""

    valid: int = 0
    invalid: int = 0
    units: int = 0

    def plus(self, other: "Checks") -> "Checks":
        """Return both together."""
        return Checks(*(mine + theirs for mine, theirs in zip(self, other, strict=True)))


def add(counts: Mapping[tuple[UUID, date, str], Checks]) -> None:
    """Count checks by client, day (UTC) and source, whoever else counts at the same moment."""
    upsert.add(UsageDay, ("client", "day", "source"), Checks._fields, counts.items())


def count(client: Client, source: str, *, valid: bool) -> None:
    """Count one check that costs nothing, now."""
    add({(client.pk, today(), source): Checks(valid=int(valid), invalid=int(not valid))})


def days(client: Client, number: int = 30) -> list[Day]:
    """Return the last `number` days up to today, oldest first, those without a check too."""
    first = today() - timedelta(days=number - 1)
    rows = UsageDay.objects.filter(client=client, day__gte=first).values_list("day")
    sums = rows.annotate(Sum("valid"), Sum("invalid"), Sum("units"))
    counted = {day: Day(day, *numbers) for day, *numbers in sums}
    dates = [first + timedelta(days=offset) for offset in range(number)]
    return [counted.get(day, Day(day)) for day in dates]


def by_source(client: Client, number: int = 30) -> list[tuple[str, int]]:
    """Return the name of each door and how many checks came through it in the last `number` days up to today."""
    first = today() - timedelta(days=number - 1)
    rows = UsageDay.objects.filter(client=client, day__gte=first).values_list("source")
    counted = dict(rows.annotate(checks=Sum("valid") + Sum("invalid")))
    return [(str(source.label), counted.get(source.value, 0)) for source in UsageDay.Source]


def month(client: Client) -> Month:
    """Return what the client has used of the current month."""
    rows = UsageDay.objects.filter(client=client, day__gte=today().replace(day=1))
    sums = rows.aggregate(
        valid=Sum("valid", default=0), invalid=Sum("invalid", default=0), used=Sum("units", default=0)
    )
    return Month(**sums, quota=client.monthly_quota)
