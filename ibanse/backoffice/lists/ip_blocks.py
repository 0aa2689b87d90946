"""The list of blocked IP addresses."""

from typing import Any

from django.utils.translation import gettext_lazy

from ibanse.backoffice.model_admin import StaffAdmin


class BlockAdmin(StaffAdmin):
    """Blocked IP addresses and networks."""

    list_display = ("network", "reason", "created_at", "expires_at")
    search_fields = ("network",)
    search_help_text = gettext_lazy("Search by full network, such as 192.0.2.7/32.")
    ordering = ("-created_at",)
    fields = ("network", "reason", "created_at", "expires_at")
    of_client = ""

    def called(self, row: Any) -> str:
        """Return the network."""
        return str(row.network)

    def owner_of(self, row: Any) -> None:
        """An IP address belongs to no client."""
