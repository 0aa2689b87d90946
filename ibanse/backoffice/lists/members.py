"""Lists of clients' users and of invitations: e-mail addresses are masked."""

from typing import Any

from allauth.mfa.models import Authenticator
from django.contrib import admin
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy, pgettext

from accounts.models import Invitation, User
from ibanse.backoffice import masking
from ibanse.backoffice.model_admin import StaffAdmin, flag


class UserAdmin(StaffAdmin):
    """Users of clients and their state."""

    list_display = ("short_number", "masked_email", "short_client", "role", "active", "has_factor", "last_login")
    list_filter = ("role", "is_active")
    search_fields = ("pk", "email")
    search_help_text = gettext_lazy("Search by full user number or full e-mail address.")
    ordering = ("-joined_at",)
    fields = ("masked_email", "role", "active", "has_factor", "joined_at", "last_login", "language")

    active = flag("is_active", gettext_lazy("may sign in"))
    has_factor = flag("factor", gettext_lazy("two-factor authentication"))

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        """Return those who belong to a client: staff have a page of their own."""
        theirs = Authenticator.objects.filter(user=OuterRef("pk"))
        found: QuerySet[User] = super().get_queryset(request).filter(client__isnull=False)
        return found.select_related("client").annotate(factor=Exists(theirs))

    @admin.display(description=gettext_lazy("e-mail address"))
    def masked_email(self, user: User) -> str:
        """Return the masked address: in clear it is shown on one page only, for a stated reason."""
        return masking.email(user.email)


class InvitationAdmin(StaffAdmin):
    """Open and expired invitations."""

    list_display = ("short_number", "masked_email", "short_client", "sent_at", "expires_at", "state_label")
    search_fields = ("pk", "email")
    search_help_text = gettext_lazy("Search by full invitation number, or by the full e-mail address it was sent to.")
    ordering = ("-sent_at",)
    fields = ("masked_email", "sent_at", "expires_at", "state_label")

    @admin.display(description=gettext_lazy("e-mail address"))
    def masked_email(self, invitation: Invitation) -> str:
        """Return the masked address."""
        return masking.email(invitation.email)

    @admin.display(description=gettext_lazy("state"))
    def state_label(self, invitation: Any) -> str:
        """Return whether its link still works."""
        is_expired = invitation.expires_at < timezone.now()
        return pgettext("invitation", "expired") if is_expired else pgettext("invitation", "open")
