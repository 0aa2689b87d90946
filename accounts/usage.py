"""How many checks a client makes, by the day: counts only, never a number that was checked.

The checks of the page are counted here as they happen; those of the API by the durable writer (validation/writer.py).
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import F, Sum

from accounts.models import Client, UsageDay


@dataclass(frozen=True, slots=True)
class Day:
    """The checks of one day (UTC)."""

    day: date
    valid: int = 0
    invalid: int = 0

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


def today() -> date:
    """Return the day in UTC, by which usage is counted whatever the client's time zone."""
    return datetime.now(UTC).date()


def count(client: Client, source: str, *, valid: bool) -> None:
    """Count one check, whoever else counts at the same moment."""
    column = "valid" if valid else "invalid"
    row = UsageDay.objects.filter(client=client, day=today(), source=source)
    if row.update(**{column: F(column) + 1}):
        return
    try:
        with transaction.atomic():
            UsageDay.objects.create(client=client, day=today(), source=source, **{column: 1})
    except IntegrityError:  # Somebody else made the day's row between our two statements.
        row.update(**{column: F(column) + 1})


def days(client: Client, number: int = 30) -> list[Day]:
    """Return the last `number` days up to today, oldest first, those without a check too."""
    first = today() - timedelta(days=number - 1)
    rows = UsageDay.objects.filter(client=client, day__gte=first).values("day").annotate(Sum("valid"), Sum("invalid"))
    counted = {row["day"]: Day(row["day"], row["valid__sum"], row["invalid__sum"]) for row in rows}
    dates = [first + timedelta(days=offset) for offset in range(number)]
    return [counted.get(day, Day(day)) for day in dates]


def month(client: Client) -> Month:
    """Return what the client has used of the current month."""
    rows = UsageDay.objects.filter(client=client, day__gte=today().replace(day=1))
    sums = rows.aggregate(
        valid=Sum("valid", default=0), invalid=Sum("invalid", default=0), used=Sum("units", default=0)
    )
    return Month(**sums, quota=client.monthly_quota)
