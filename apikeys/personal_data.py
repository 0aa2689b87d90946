"""What is held of a client's API keys: never a key, only what one is called, may do and was used for."""

from collections.abc import Iterator
from datetime import UTC, datetime, time
from typing import Final

from django.db.models import Model, Q
from django.utils.translation import gettext_lazy as _

from accounts import batch
from accounts.models import Client
from accounts.personal_data import schema
from accounts.personal_data.schema import Column, ExportTable, Table, day, plain
from accounts.usage import counts
from apikeys import keys
from apikeys.models import AllowedNetwork, ApiKey, KeyUsageDay, QuotaLease, QuotaMonth

HOLDS: Final[tuple[type[Model], ...]] = (ApiKey, AllowedNetwork, KeyUsageDay, QuotaMonth, QuotaLease)


def _email(key: ApiKey) -> str:
    return key.created_by.email if key.created_by else ""


def _successor(key: ApiKey) -> str:
    return key.replaced_by.prefix if key.replaced_by else ""


EXPORT_TABLES: Final = (
    ExportTable(
        "api_keys",
        _("API keys, including revoked and expired ones; the keys themselves are not stored anywhere"),
        lambda client: (
            ApiKey.objects.filter(client=client)
            .select_related("created_by", "replaced_by")
            .order_by("created_at", "pk")
        ),
        (
            plain("prefix", _("Beginning of the key")),
            Column("name", _("Name"), keys.name),
            plain("is_test", _("Whether it is a test key")),
            Column("scopes", _("Permissions"), lambda key: list(key.scopes)),
            plain("any_address", _("Whether it works from any IP address")),
            plain("rate_per_minute", _("Calls per minute")),
            schema.time("created_at", _("When it was created")),
            Column("created_by", _("E-mail address of the person who created it"), _email),
            schema.time("expires_at", _("When it ends")),
            schema.time("revoked_at", _("When it was revoked")),
            day("last_used_on", _("Day (UTC) of the last call")),
            Column("replaced_by", _("Beginning of the key that replaced it"), _successor),
            plain("warned_days", _("How many days before its end the owners were last reminded")),
        ),
    ),
    ExportTable(
        "allowed_networks",
        _("IP addresses that keys work from"),
        lambda client: AllowedNetwork.objects.filter(key__client=client).select_related("key").order_by("pk"),
        (
            Column("key", _("Beginning of the key"), lambda entry: entry.key.prefix),
            plain("network", _("IP address or network")),
            Column("note", _("Note"), keys.note),
            schema.time("added_at", _("When it was added")),
        ),
    ),
    ExportTable(
        "key_usage",
        _("What each key was used for, by day: counts only"),
        lambda client: KeyUsageDay.objects.filter(key__client=client).select_related("key").order_by("day", "pk"),
        (
            Column("key", _("Beginning of the key"), lambda row: row.key.prefix),
            day("day", _("Day (UTC)")),
            plain("calls", _("Calls")),
            plain("valid", _("Valid numbers")),
            plain("invalid", _("Invalid numbers")),
            plain("units", _("Checks counted against the quota")),
        ),
    ),
    ExportTable(
        "quota_months",
        _("How much of the quota was used in each month"),
        lambda client: QuotaMonth.objects.filter(client=client).order_by("month"),
        (day("month", _("First day of the month (UTC)")), plain("taken", _("Checks deducted"))),
    ),
    ExportTable(
        "quota_leases",
        _("Checks that a server has reserved for upcoming calls and releases if they are not used"),
        lambda client: QuotaLease.objects.filter(client=client).order_by("pk"),
        (day("month", _("First day of the month (UTC)")), plain("units", _("Checks"))),
    ),
)


def count(client: Client) -> dict[str, int]:
    """Return how many rows each table that `export` yields has, by its name."""
    return {table.name: table.rows(client).count() for table in EXPORT_TABLES}


def export(client: Client) -> Iterator[Table]:
    """Yield what is held of a client's keys, with what is sealed opened."""
    return (table.table(client) for table in EXPORT_TABLES)


def erase(client: Client) -> Iterator[dict[str, int]]:
    """Delete all of it, at most 1,000 rows at each step; yield how many of which table."""
    yield from batch.drain(KeyUsageDay.objects.filter(key__client=client), "key_usage")
    yield from batch.drain(AllowedNetwork.objects.filter(key__client=client), "allowed_networks")
    yield from batch.drain(ApiKey.objects.filter(client=client), "api_keys")
    yield from batch.drain(QuotaLease.objects.filter(client=client), "quota_leases")
    yield from batch.drain(QuotaMonth.objects.filter(client=client), "quota_months")


def prune(now: datetime) -> dict[str, int]:
    """Delete counts that no invoice needs any more, and the keys that ended before the first count that is kept.

    A key that has ended stays that long, so that the history and the counts can name it.
    """
    since = counts.retained_since(now)
    start = datetime.combine(since, time(), UTC)
    ended = ApiKey.objects.filter(Q(revoked_at__lt=start) | Q(expires_at__lt=start))
    return {
        "usage of keys": batch.delete(KeyUsageDay.objects.filter(day__lt=since)),
        "quotas": batch.delete(QuotaMonth.objects.filter(month__lt=since)),
        "ended keys": batch.delete(ended),
    }
