"""Lists of API keys and quotas: see ibanse/backoffice/model_admin.py. Never a key or its digest."""

from typing import Any

from django.contrib import admin
from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy, pgettext

from apikeys import scopes
from apikeys.models import AllowedNetwork, ApiKey, QuotaMonth
from ibanse.backoffice.model_admin import StaffAdmin


class ApiKeyAdmin(StaffAdmin):
    """API keys: prefix, scopes and state."""

    list_display = (
        "prefix",
        "short_client",
        "state_label",
        "scope_names",
        "network_count",
        "last_used_on",
        "expires_at",
    )
    list_filter = ("is_test",)
    search_fields = ("pk", "identifier")
    search_help_text = gettext_lazy("Search by key prefix, such as ibanse_live_a1B2c3D4e5.")
    ordering = ("-created_at",)
    fields = (
        "prefix",
        "state_label",
        "scope_names",
        "network_count",
        "rate_per_minute",
        "created_at",
        "expires_at",
        "revoked_at",
        "last_used_on",
    )

    def called(self, row: ApiKey) -> str:
        """Return the prefix of the key."""
        return row.prefix

    def get_queryset(self, request: HttpRequest) -> QuerySet[ApiKey]:
        """Return the keys with the number of their networks, and without what could prove a key."""
        found: QuerySet[ApiKey] = super().get_queryset(request).defer("digest", "sealed_name")
        networks = AllowedNetwork.objects.filter(key=OuterRef("pk")).order_by().values("key")
        return found.annotate(entries=Subquery(networks.annotate(count=Count("pk")).values("count")))

    def exactly(self, term: str) -> Q:
        """Return the condition for the beginning of a key, with or without its secret behind it."""
        parts = term.split("_")
        return super().exactly(parts[2] if len(parts) > 2 and parts[0] == "ibanse" else term)

    @admin.display(description=gettext_lazy("state"))
    def state_label(self, key: ApiKey) -> str:
        """Return whether it works."""
        if key.revoked_at:
            return pgettext("key", "revoked")
        return pgettext("key", "expired") if key.expires_at <= timezone.now() else pgettext("key", "active")

    @admin.display(description=gettext_lazy("scopes"))
    def scope_names(self, key: ApiKey) -> str:
        """Return its scopes."""
        return ", ".join(str(scopes.SCOPES[word].name) for word in key.scopes if word in scopes.SCOPES)

    @admin.display(description=gettext_lazy("networks"))
    def network_count(self, key: Any) -> str:
        """Return how many networks it works from; which ones, only the client sees."""
        return gettext("any IP address") if key.any_address else str(key.entries or 0)


class QuotaMonthAdmin(StaffAdmin):
    """How much of its quota a client used in a month."""

    list_display = ("month", "short_client", "taken", "quota")
    search_fields = ("client",)
    search_help_text = gettext_lazy("Search by full client number.")
    list_select_related = ("client",)
    fields = ("month", "taken", "quota")

    @admin.display(description=gettext_lazy("checks per month"))
    def quota(self, row: QuotaMonth) -> int:
        """Return the present quota."""
        return row.client.monthly_quota
