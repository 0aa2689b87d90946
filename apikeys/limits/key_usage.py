"""What each key was used for, by the day: counts only, never a number that was checked."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import NamedTuple
from uuid import UUID

from django.db.models import Q, Sum

from accounts.models import Client
from accounts.usage import counts as usage_counts
from accounts.usage import upsert
from apikeys.models import ApiKey, KeyUsageDay


class Used(NamedTuple):
    """What a key was used for: calls, and the numbers and units in them."""

    calls: int = 0
    valid: int = 0
    invalid: int = 0
    units: int = 0

    def plus(self, other: "Used") -> "Used":
        """Return both together."""
        return Used(*(mine + theirs for mine, theirs in zip(self, other, strict=True)))


def add(counts: Mapping[tuple[UUID, date], Used]) -> None:
    """Add what keys were used for on their days (UTC), and note that they were used."""
    upsert.add(KeyUsageDay, ("key", "day"), Used._fields, counts.items())
    for day in {day for _, day in counts}:
        keys = {key for key, on in counts if on == day}
        unnoted = Q(last_used_on=None) | Q(last_used_on__lt=day)
        ApiKey.objects.filter(unnoted, pk__in=keys).update(last_used_on=day)


def days(key: ApiKey, number: int = 30) -> dict[date, Used]:
    """Return the last `number` days up to today on which the key was used, oldest first."""
    first = usage_counts.today() - timedelta(days=number - 1)
    rows = key.usage.filter(day__gte=first).order_by("day")
    return {row.day: Used(row.calls, row.valid, row.invalid, row.units) for row in rows}


def month(client: Client) -> dict[UUID, Used]:
    """Return what each key of a client was used for in the current calendar month (UTC)."""
    rows = KeyUsageDay.objects.filter(key__client=client, day__gte=usage_counts.today().replace(day=1))
    sums = rows.values_list("key").annotate(*(Sum(name) for name in Used._fields))
    return {key: Used(*numbers) for key, *numbers in sums}
