"""The list of sessions."""

from ipaddress import ip_address, ip_network
from uuid import UUID

from allauth.usersessions.models import UserSession
from django.contrib import admin
from django.utils.translation import gettext, gettext_lazy

from accounts.auth import browsers
from ibanse.backoffice import masking
from ibanse.backoffice.model_admin import StaffAdmin, short


class SessionAdmin(StaffAdmin):
    """Who is signed in where; the key of a session is never shown, and the IP address is shortened."""

    names = (gettext_lazy("session"), gettext_lazy("sessions"))

    list_display = ("last_seen_at", "masked_email", "client_or_staff", "browser", "network", "created_at")
    search_fields = ("user", "user__email")
    search_help_text = gettext_lazy("Search by full user number or full e-mail address.")
    ordering = ("-last_seen_at",)
    list_select_related = ("user",)
    fields = ("user_id", "client_or_staff", "browser", "network", "created_at", "last_seen_at")
    of_client = "user__client"
    narrowed_by = ("user",)

    def owner_of(self, row: UserSession) -> UUID | None:
        """Return the client of the user whose session it is."""
        owner: UUID | None = row.user.client_id
        return owner

    @admin.display(description=gettext_lazy("user"))
    def user_id(self, row: UserSession) -> str:
        """Return the id of the user."""
        return str(row.user_id)

    @admin.display(description=gettext_lazy("e-mail address"))
    def masked_email(self, row: UserSession) -> str:
        """Return the user's masked e-mail address."""
        return masking.email(row.user.email)

    @admin.display(description=gettext_lazy("client"))
    def client_or_staff(self, row: UserSession) -> str:
        """Return the client of the user, or that the user is staff."""
        return short(row.user.client_id) if row.user.client_id else gettext("staff")

    @admin.display(description=gettext_lazy("browser"))
    def browser(self, row: UserSession) -> str:
        """Return the name of the browser."""
        return browsers.name(row.user_agent)

    @admin.display(description=gettext_lazy("network"))
    def network(self, row: UserSession) -> str:
        """Return the network around the IP address."""
        return str(ip_network((row.ip, 24 if ip_address(row.ip).version == 4 else 48), strict=False))
