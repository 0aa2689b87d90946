"""Lists of clients, their contact and billing details and their usage: nothing personal in clear."""

from typing import Any, ClassVar
from uuid import UUID

from django.contrib import admin
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from django.utils.translation import gettext, gettext_lazy

from accounts.models import Client, User
from accounts.permissions import StaffPermission
from accounts.usage import counts
from ibanse.backoffice.model_admin import StaffAdmin, flag


class StateFilter(admin.ChoicesFieldListFilter):
    """Narrows the clients by their state; the field itself has no title."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.title = gettext("state")


class ClientAdmin(StaffAdmin):
    """Clients: their state and limits. What belongs to each is linked from its page."""

    list_display = ("short_number", "state_label", "user_count", "monthly_quota", "created_at", "demo")
    list_filter = (("state", StateFilter), "needs_second_factor", "is_demo")
    search_fields = ("pk", "users__email")
    search_help_text = gettext_lazy("Search by full client number, or by the full e-mail address of one of its users.")
    ordering = ("-created_at",)
    sortable_by = ("created_at", "monthly_quota")
    fields = (
        "state_label",
        "suspended_at",
        "created_at",
        "user_count",
        "user_limit",
        "monthly_quota",
        "second_factor",
        "demo",
    )
    more_fields: ClassVar[dict[str, tuple[str, ...]]] = {StaffPermission.VIEW_USAGE: ("checked", "used")}
    of_client = ""

    demo = flag("is_demo", gettext_lazy("created for demonstration"))
    second_factor = flag("needs_second_factor", gettext_lazy("two-factor authentication required for all users"))

    def owner_of(self, row: Client) -> UUID:
        """Return the client's own id."""
        return row.pk

    def get_queryset(self, request: HttpRequest) -> QuerySet[Client]:
        """Return the clients with the number of their users."""
        users = User.objects.filter(client=OuterRef("pk")).order_by().values("client").annotate(count=Count("pk"))
        found: QuerySet[Client] = super().get_queryset(request).annotate(user_total=Subquery(users.values("count")))
        return found

    @admin.display(description=gettext_lazy("state"))
    def state_label(self, client: Client) -> str:
        """Return its state."""
        return client.get_state_display()

    @admin.display(description=gettext_lazy("users"))
    def user_count(self, client: Any) -> int:
        """Return how many users it has."""
        return client.user_total or 0

    @admin.display(description=gettext_lazy("checks this month"))
    def checked(self, client: Client) -> int:
        """Return how many checks it made in this calendar month (UTC)."""
        month = counts.month(client)
        return month.valid + month.invalid

    @admin.display(description=gettext_lazy("checks counted against the quota this month"))
    def used(self, client: Client) -> int:
        """Return how much of its quota it has used."""
        return counts.month(client).used


class ContactAdmin(StaffAdmin):
    """How to reach a client."""

    list_display = ("short_number", "changed_at")
    search_fields = ("pk",)
    search_help_text = gettext_lazy("Search by full client number.")
    ordering = ("-changed_at",)
    fields = ("changed_at",)


class BillingAdmin(ContactAdmin):
    """Whom to invoice."""


class UsageAdmin(StaffAdmin):
    """How many checks a client made on a day."""

    list_display = ("day", "short_client", "source", "valid", "invalid", "units")
    list_filter = ("source",)
    search_fields = ("client",)
    search_help_text = gettext_lazy("Search by full client number.")
    narrowed_by = ("day",)
    fields = ("day", "source", "valid", "invalid", "units")
