"""The list of a client's keys, and the page of one key."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db.models import Count
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.access import MemberRequest, allowed
from accounts.guard import addresses
from accounts.permissions import Permission
from accounts.usage import chart
from accounts.usage import counts as usage_counts
from apikeys import keys, networks, scopes
from apikeys.limits import key_usage
from apikeys.models import AllowedNetwork, ApiKey
from apikeys.views.forms import NetworkForm

SOON: Final = timedelta(days=max(keys.WARNINGS_DAYS))
DAYS: Final = 30


@dataclass(frozen=True, slots=True)
class KeyRow:
    """One key of the list."""

    key: ApiKey
    name: str
    state: str
    """`in_use`, `ending` (within 30 days), `replaced` (still works for a while), `expired` or `revoked`."""
    days_left: int
    entries: int
    """Number of networks in its list."""
    calls: int
    """In the current month (UTC)."""

    @property
    def scopes(self) -> list[scopes.KeyScope]:
        """The scopes with their texts."""
        return [scopes.SCOPES[word] for word in self.key.scopes]

    @property
    def is_over(self) -> bool:
        """Whether the key will never work again."""
        return self.state in ("expired", "revoked")


@dataclass(frozen=True, slots=True)
class NetworkRow:
    """One IP address or network in the list of a key."""

    entry: AllowedNetwork
    note: str
    is_wide: bool


@dataclass(frozen=True, slots=True)
class KeyUsageRow:
    """The usage of a key on a day."""

    day: usage_counts.DayCounts
    used: key_usage.KeyUsage


@allowed(Permission.KEYS_VIEW)
@require_safe
def listing(request: MemberRequest) -> HttpResponse:
    """Show the client's keys, with revoked and expired ones folded away."""
    now, used = timezone.now(), key_usage.month(request.client)
    found = ApiKey.objects.filter(client=request.client).annotate(entries=Count("networks")).order_by("-created_at")
    rows = [row_of(key, now, entries=key.entries, calls=used[key.pk].calls if key.pk in used else 0) for key in found]
    in_use = [row for row in rows if not row.is_over]
    context = {
        "rows": in_use,
        "ended": [row for row in rows if row.is_over],
        "limit": keys.MOST_KEYS,
        "is_full": len(in_use) >= keys.MOST_KEYS,
    }
    return render(request, "apikeys/keys.html", context)


@allowed(Permission.KEYS_VIEW)
@require_safe
def key(request: MemberRequest, pk: UUID) -> HttpResponse:
    """Show one key: its settings, its networks and its usage."""
    return key_page(request, find(request, pk), NetworkForm())


def find(request: MemberRequest, pk: UUID) -> ApiKey:
    """Return a key of the client. Raises Http404 for any other, as for one that does not exist."""
    return get_object_or_404(ApiKey.objects.select_related("client", "replaced_by"), client=request.client, pk=pk)


def key_page(request: MemberRequest, key: ApiKey, form: NetworkForm) -> HttpResponse:
    """Return the page of one key, with the form for another network as it was filled in."""
    now = timezone.now()
    days = _days(key)
    entries = [
        NetworkRow(entry, keys.note(entry), networks.is_wide(networks.parse(entry.network)))
        for entry in key.networks.select_related("key").order_by("added_at", "pk")
    ]
    context = {
        "row": row_of(key, now, entries=len(entries)),
        "entries": entries,
        "own_address": addresses.caller(request),
        "form": form,
        "chart": chart.draw([day.day for day in days]),
        "days": [day for day in reversed(days) if day.used.calls],
        "valid": sum(day.used.valid for day in days),
        "invalid": sum(day.used.invalid for day in days),
    }
    return render(request, "apikeys/key.html", context, status=422 if form.errors else 200)


def row_of(key: ApiKey, now: datetime, *, entries: int, calls: int = 0) -> KeyRow:
    """Return what the pages show of a key."""
    # Rounded up: 23 hours and 59 minutes are shown as one day.
    days_left = -((now - key.expires_at) // timedelta(days=1))
    return KeyRow(key, keys.name(key), _state(key, now), days_left, entries, calls)


def _state(key: ApiKey, now: datetime) -> str:
    states = (
        ("revoked", key.revoked_at is not None),
        ("expired", key.expires_at <= now),
        ("replaced", key.replaced_by_id is not None),
        ("ending", key.expires_at <= now + SOON),
    )
    return next((state for state, holds in states if holds), "in_use")


def _days(key: ApiKey) -> list[KeyUsageRow]:
    """Return the usage of the last days, oldest first, days without calls included."""
    used = key_usage.days(key, DAYS)
    first = usage_counts.today() - timedelta(days=DAYS - 1)
    dates = [first + timedelta(days=offset) for offset in range(DAYS)]
    found = [(day, used.get(day, key_usage.KeyUsage())) for day in dates]
    return [KeyUsageRow(usage_counts.DayCounts(day, counts.valid, counts.invalid), counts) for day, counts in found]
