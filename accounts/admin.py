"""What of clients and their people the back-office shows: see back_office.py. Nothing personal in clear."""

from typing import Any

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy

from accounts.back_office import StaffAdmin
from accounts.models import Client, User


class ClientAdmin(StaffAdmin):
    """Clients: their state and limits. What hangs on each is linked from its page."""

    list_display = ("id", "state", "people", "monthly_quota", "created_at", "is_demo")
    list_filter = ("state", "needs_second_factor", "is_demo")
    search_fields = ("pk", "users__email")
    search_help_text = gettext_lazy("By the whole number of a client, or the whole e-mail address of one of its users.")
    ordering = ("-created_at",)
    sortable_by = ("created_at", "monthly_quota")
    fields = (
        "id",
        "state",
        "created_at",
        "people",
        "user_limit",
        "monthly_quota",
        "needs_second_factor",
        "is_demo",
    )
    narrowed_by = ()
    owned_by = "id"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Client]:
        """Return the clients with the number of their users."""
        found: QuerySet[Client] = super().get_queryset(request).annotate(people=Count("users"))
        return found

    @admin.display(description=gettext_lazy("users"))
    def people(self, client: Any) -> int:
        """Return how many users it has."""
        return int(client.people)


class UserAdmin(StaffAdmin):
    """Users of clients, their state and how they come in."""

    list_display = ("id", "client", "role", "is_active", "last_login")
    list_filter = ("role", "is_active")
    search_fields = ("pk", "email")
    search_help_text = gettext_lazy("By the whole number of a user, or their whole e-mail address.")
    ordering = ("-joined_at",)
    fields = ("id", "client", "role", "is_active", "joined_at", "last_login", "language", "time_zone")

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        """Return those who belong to a client: the staff have a page of their own."""
        found: QuerySet[User] = super().get_queryset(request).filter(client__isnull=False).select_related("client")
        return found


class InvitationAdmin(StaffAdmin):
    """Invitations on their way."""

    list_display = ("id", "client", "sent_at", "expires_at")
    search_fields = ("pk", "email")
    search_help_text = gettext_lazy("By the whole number of an invitation, or the whole address that it went to.")
    ordering = ("-sent_at",)
    fields = ("id", "client", "sent_at", "expires_at")


class ContactAdmin(StaffAdmin):
    """How to reach a client."""

    list_display = ("client_id", "changed_at")
    search_fields = ("pk",)
    search_help_text = gettext_lazy("By the whole number of a client.")
    ordering = ("-changed_at",)
    fields = ("client", "changed_at")
