"""The usage of each key by the day: counts only, never an IBAN."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import NamedTuple
from uuid import UUID

from django.db.models import Q, Sum

from accounts.models import Client
from accounts.usage import counts as usage_counts
from accounts.usage import upsert
from apikeys.models import ApiKey, KeyUsageDay


class KeyUsage(NamedTuple):
    """How often a key was used: calls, the IBANs in them, and what they cost."""

    calls: int = 0
    valid: int = 0
    invalid: int = 0
    units: int = 0

    def plus(self, other: "KeyUsage") -> "KeyUsage":
        """Return both together."""
        return KeyUsage(*(mine + theirs for mine, theirs in zip(self, other, strict=True)))


def add(counts: Mapping[tuple[UUID, date], KeyUsage]) -> None:
    """Add usage of keys on days (UTC), and store that they were used."""
    upsert.add(KeyUsageDay, ("key", "day"), KeyUsage._fields, counts.items())
    for day in {day for _, day in counts}:
        keys = {key for key, on in counts if on == day}
        not_stored = Q(last_used_on=None) | Q(last_used_on__lt=day)
        ApiKey.objects.filter(not_stored, pk__in=keys).update(last_used_on=day)


def days(key: ApiKey, count: int = 30) -> dict[date, KeyUsage]:
    """Return the usage of the last `count` days up to today, oldest first, without days of no use."""
    first = usage_counts.today() - timedelta(days=count - 1)
    rows = key.usage.filter(day__gte=first).order_by("day")
    return {row.day: KeyUsage(row.calls, row.valid, row.invalid, row.units) for row in rows}


def month(client: Client) -> dict[UUID, KeyUsage]:
    """Return the usage of each key of a client in the current calendar month (UTC)."""
    rows = KeyUsageDay.objects.filter(key__client=client, day__gte=usage_counts.today().replace(day=1))
    sums = rows.values_list("key").annotate(*(Sum(name) for name in KeyUsage._fields))
    return {key: KeyUsage(*totals) for key, *totals in sums}
