"""How many checks a client makes per day: counts only, never an IBAN.

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
class DayCounts:
    """The checks of one day (UTC)."""

    day: date
    valid: int = 0
    invalid: int = 0
    units: int = 0
    """Their cost in units of the month's quota."""

    @property
    def total(self) -> int:
        """All checks of the day."""
        return self.valid + self.invalid


@dataclass(frozen=True, slots=True)
class MonthUsage:
    """The checks of the calendar month (UTC) so far, and what remains of its quota."""

    valid: int
    invalid: int
    used: int
    """Units of the quota; a check on the page costs none."""
    quota: int

    @property
    def remaining(self) -> int:
        """What is left of the quota, never negative."""
        return max(0, self.quota - self.used)


RETENTION_MONTHS: Final = 25
"""Counts are what is invoiced: the current month and the two years before it can be looked up."""


def retained_since(now: datetime) -> date:
    """Return the first day (UTC) whose counts are retained."""
    utc = now.astimezone(UTC)
    months = utc.year * 12 + utc.month - RETENTION_MONTHS
    return date(months // 12, months % 12 + 1, 1)


def today() -> date:
    """Return the day in UTC, in which usage is counted for every client."""
    return datetime.now(UTC).date()


class CheckCounts(NamedTuple):
    """CheckCounts to count, and what they cost of the quota."""

    valid: int = 0
    invalid: int = 0
    units: int = 0

    def plus(self, other: "CheckCounts") -> "CheckCounts":
        """Return the sum of both."""
        return CheckCounts(*(first + second for first, second in zip(self, other, strict=True)))


def add(counts: Mapping[tuple[UUID, date, str], CheckCounts]) -> None:
    """Count checks by client, day (UTC) and source; safe with concurrent writers."""
    upsert.add(UsageDay, ("client", "day", "source"), CheckCounts._fields, counts.items())


def count(client: Client, source: str, *, valid: bool) -> None:
    """Count one free check, now."""
    add({(client.pk, today(), source): CheckCounts(valid=int(valid), invalid=int(not valid))})


def days(client: Client, count: int = 30) -> list[DayCounts]:
    """Return the last `count` days up to today, oldest first, including those without a check."""
    first = today() - timedelta(days=count - 1)
    rows = UsageDay.objects.filter(client=client, day__gte=first).values_list("day")
    sums = rows.annotate(Sum("valid"), Sum("invalid"), Sum("units"))
    counted = {day: DayCounts(day, *totals) for day, *totals in sums}
    dates = [first + timedelta(days=offset) for offset in range(count)]
    return [counted.get(day, DayCounts(day)) for day in dates]


def by_source(client: Client, count: int = 30) -> list[tuple[str, int]]:
    """Return the label of each source and its checks in the last `count` days up to today."""
    first = today() - timedelta(days=count - 1)
    rows = UsageDay.objects.filter(client=client, day__gte=first).values_list("source")
    counted = dict(rows.annotate(checks=Sum("valid") + Sum("invalid")))
    return [(str(source.label), counted.get(source.value, 0)) for source in UsageDay.Source]


def month(client: Client) -> MonthUsage:
    """Return what the client has used of the current month."""
    rows = UsageDay.objects.filter(client=client, day__gte=today().replace(day=1))
    sums = rows.aggregate(
        valid=Sum("valid", default=0), invalid=Sum("invalid", default=0), used=Sum("units", default=0)
    )
    return MonthUsage(**sums, quota=client.monthly_quota)
