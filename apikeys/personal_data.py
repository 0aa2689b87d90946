"""What is stored about a client's API keys: never a key, only its name, its permissions and what it was used for."""

from datetime import UTC, datetime, time
from typing import Final

from django.db.models import Q
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from accounts import batch
from accounts.personal_data import summaries
from accounts.personal_data.declaration import (
    CLEAR,
    HASH,
    SEALED,
    Export,
    PersonalDataSource,
    StorageSummary,
    StoredTable,
    stored,
)
from accounts.personal_data.schema import Column
from accounts.personal_data.tables import COUNTED_FOR, OWNING, REFERENCED, email_of
from accounts.usage import counts
from apikeys import keys
from apikeys.models import AllowedNetwork, ApiKey, KeyUsageDay, QuotaLease, QuotaMonth

_KEYS: Final = StorageSummary(
    _("API keys: first characters, scopes, allowed IP addresses, dates"),
    _("Not encrypted."),
    format_lazy(
        _("As long as the key works and {months} months after that; then deleted with the last count of its use."),
        months=counts.RETENTION_MONTHS,
    ),
    frozenset({CLEAR}),
)
_KEY_HASHES: Final = StorageSummary(
    _("The API keys themselves"),
    _("Never stored; only a hash (HMAC-SHA256) used to verify a key."),
    _("Same as the line above."),
    frozenset({HASH}),
)

TABLES: Final[tuple[StoredTable, ...]] = (
    StoredTable(
        ApiKey,
        f"{counts.RETENTION_MONTHS} months after its end, or with the account",
        (
            stored("id", CLEAR, "random ID", REFERENCED),
            stored("client", CLEAR, "account", OWNING),
            stored(
                "identifier",
                CLEAR,
                "how the key begins",
                "finds the key",
                Column("prefix", _("Beginning of the key")),
            ),
            stored(
                "sealed_name",
                SEALED,
                "name",
                "how owners recognise the key",
                Column("name", _("Name"), keys.name),
                summary=summaries.TEXTS,
            ),
            stored("is_test", CLEAR, "test key", "costs nothing", _("Whether it is a test key")),
            stored("digest", HASH, "HMAC-SHA256 of the key under a pepper", "verifies the key", summary=_KEY_HASHES),
            stored("pepper", CLEAR, "version of the pepper", "verifies the key", summary=_KEY_HASHES),
            stored(
                "next_pepper", CLEAR, "version of the pepper that replaces it", "verifies the key", summary=_KEY_HASHES
            ),
            stored(
                "scopes",
                CLEAR,
                "what it may do",
                "limit",
                Column("scopes", _("Permissions"), lambda key: list(key.scopes)),
            ),
            stored(
                "any_address", CLEAR, "works from any IP address", "limit", _("Whether it works from any IP address")
            ),
            stored("rate_per_minute", CLEAR, "calls per minute", "limit", _("Calls per minute")),
            stored("created_at", CLEAR, "time", "shown to owners", _("When it was created")),
            stored(
                "created_by",
                CLEAR,
                "user",
                "shown to owners",
                Column(
                    "created_by",
                    _("E-mail address of the person who created it"),
                    lambda key: email_of(key.created_by),
                ),
            ),
            stored("expires_at", CLEAR, "time", "end", _("When it ends")),
            stored("revoked_at", CLEAR, "time", "end", _("When it was revoked")),
            stored("last_used_on", CLEAR, "day of the last call", "shown to owners", _("Day (UTC) of the last call")),
            stored(
                "replaced_by",
                CLEAR,
                "the key that replaced it",
                "rotation",
                Column(
                    "replaced_by",
                    _("Beginning of the key that replaced it"),
                    lambda key: key.replaced_by.prefix if key.replaced_by else "",
                ),
            ),
            stored(
                "warned_days",
                CLEAR,
                "days before its end of the last reminder",
                "no reminder is sent twice",
                _("How many days before its end the owners were last reminded"),
            ),
        ),
        _KEYS,
        Export(
            "api_keys",
            _("API keys, including revoked and expired ones; the keys themselves are not stored anywhere"),
            lambda client: (
                ApiKey.objects.filter(client=client)
                .select_related("created_by", "replaced_by")
                .order_by("created_at", "pk")
            ),
        ),
    ),
    StoredTable(
        AllowedNetwork,
        "when removed, or with its key",
        (
            stored("id", CLEAR, "number", REFERENCED),
            stored("key", CLEAR, "key", OWNING, Column("key", _("Beginning of the key"), lambda row: row.key.prefix)),
            stored("network", CLEAR, "IP address or network the key works from", "limit", _("IP address or network")),
            stored(
                "sealed_note",
                SEALED,
                "note",
                "how owners recognise the network",
                Column("note", _("Note"), keys.note),
                summary=summaries.TEXTS,
            ),
            stored("added_at", CLEAR, "time", "shown to owners", _("When it was added")),
        ),
        _KEYS,
        Export(
            "allowed_networks",
            _("IP addresses that keys work from"),
            lambda client: AllowedNetwork.objects.filter(key__client=client).select_related("key").order_by("pk"),
        ),
    ),
    StoredTable(
        KeyUsageDay,
        f"{COUNTED_FOR}, or with its key",
        (
            stored("id", CLEAR, "number", REFERENCED),
            stored("key", CLEAR, "key", OWNING, Column("key", _("Beginning of the key"), lambda row: row.key.prefix)),
            stored("day", CLEAR, "day (UTC)", "billing", _("Day (UTC)")),
            stored("calls", CLEAR, "how many calls", "billing", _("Calls")),
            stored("valid", CLEAR, "how many valid IBANs", "billing", _("Valid numbers")),
            stored("invalid", CLEAR, "how many IBANs that are not valid", "billing", _("Invalid numbers")),
            stored(
                "units", CLEAR, "checks counted against the quota", "billing", _("Checks counted against the quota")
            ),
        ),
        summaries.COUNTS,
        Export(
            "key_usage",
            _("What each key was used for, by day: counts only"),
            lambda client: KeyUsageDay.objects.filter(key__client=client).select_related("key").order_by("day", "pk"),
        ),
    ),
    StoredTable(
        QuotaMonth,
        f"{COUNTED_FOR}, or with the account",
        (
            stored("id", CLEAR, "number", REFERENCED),
            stored("client", CLEAR, "account", OWNING),
            stored("month", CLEAR, "month", "limit", _("First day of the month (UTC)")),
            stored("taken", CLEAR, "checks deducted", "limit", _("Checks deducted")),
        ),
        summaries.COUNTS,
        Export(
            "quota_months",
            _("How much of the quota was used in each month"),
            lambda client: QuotaMonth.objects.filter(client=client).order_by("month"),
        ),
    ),
    StoredTable(
        QuotaLease,
        "when the worker returns it, at its end at the latest",
        (
            stored("id", CLEAR, "number", REFERENCED),
            stored("holder", CLEAR, "worker, by the random ID of its spool", "limit"),
            stored("client", CLEAR, "account", OWNING),
            stored("month", CLEAR, "month", "limit", _("First day of the month (UTC)")),
            stored("units", CLEAR, "checks reserved for upcoming calls", "limit", _("Checks")),
        ),
        summaries.COUNTS,
        Export(
            "quota_leases",
            _("Checks that a server has reserved for upcoming calls and releases if they are not used"),
            lambda client: QuotaLease.objects.filter(client=client).order_by("pk"),
        ),
    ),
)


class ApiKeyData(PersonalDataSource):
    """API keys, their allowed networks, their usage and the quota."""

    tables = TABLES

    def prune(self, now: datetime) -> dict[str, int]:
        """Delete counts that no invoice needs any more, and keys that ended before the oldest retained count.

        An ended key is retained that long, so that the audit log and the counts can name it.
        """
        since = counts.retained_since(now)
        start = datetime.combine(since, time(), UTC)
        ended = ApiKey.objects.filter(Q(revoked_at__lt=start) | Q(expires_at__lt=start))
        return {
            "usage of keys": batch.delete(KeyUsageDay.objects.filter(day__lt=since)),
            "quotas": batch.delete(QuotaMonth.objects.filter(month__lt=since)),
            "ended keys": batch.delete(ended),
        }
