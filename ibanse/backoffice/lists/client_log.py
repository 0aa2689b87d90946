"""The list of the clients' audit logs: that something was done, when and from where."""

from collections.abc import Iterable
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext, gettext_lazy

from accounts.audit import client_log
from accounts.audit.events import AuditEvent, client_event_text
from accounts.models import HistoryEntry, User
from ibanse.backoffice.model_admin import StaffAdmin, as_uuid, short
from privacy import vault


class ClientEventFilter(admin.SimpleListFilter):
    """Narrows an audit log to a few kinds of events."""

    title = gettext_lazy("action")
    parameter_name = "kind"
    KINDS: ClassVar[dict[str, tuple[Promise, tuple[str, ...]]]] = {
        "calls": (gettext_lazy("refused calls"), (AuditEvent.KEY_REFUSED,)),
        "pages": (gettext_lazy("refused page requests"), (AuditEvent.PAGE_REFUSED,)),
        "sign-ins": (gettext_lazy("sign-ins"), (AuditEvent.SIGNED_IN,)),
        "factors": (
            gettext_lazy("passwords and two-factor authentication"),
            (
                AuditEvent.PASSWORD_CHANGED,
                AuditEvent.EMAIL_CHANGED,
                AuditEvent.MEMBER_FACTORS_RESET,
                AuditEvent.TOTP_REMOVED,
            ),
        ),
        "owners": (
            gettext_lazy("ownership"),
            (AuditEvent.OWNERSHIP_GIVEN, AuditEvent.OWNERSHIP_TAKEN, AuditEvent.OWNER_RECOVERED),
        ),
    }

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        """Return the kinds."""
        return [(kind, str(label)) for kind, (label, _events) in self.KINDS.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Return the entries of the chosen kind."""
        kind = self.KINDS.get(self.value() or "")
        return queryset.filter(tag__in=kind[1]) if kind else queryset


class ClientLogAdmin(StaffAdmin):
    """The clients' audit logs: what was done, when and from where; of the details only those of refused calls."""

    list_display = ("at", "action", "short_client", "number", "actor_id", "network")
    list_filter = (ClientEventFilter,)
    search_fields = ("client",)
    search_help_text = gettext_lazy("Search by full client number, or by the full number of the user who did it.")
    fields = ("at", "number", "action", "actor", "network", "call")
    ordering = ("-pk",)

    def exactly(self, term: str) -> Q:
        """Return the condition for a client, or for the user who did it: by client and user, as the index needs."""
        users = User.objects.filter(client__isnull=False)
        user = users.filter(pk=user_id).first() if (user_id := as_uuid(term)) else None
        return super().exactly(term) | (Q(client=user.client_id, actor=user.pk) if user else Q(pk__in=[]))

    @admin.display(description=gettext_lazy("action"))
    def action(self, entry: HistoryEntry) -> str:
        """Return the description of the event."""
        return client_event_text(entry.tag)

    @admin.display(description=gettext_lazy("by"))
    def actor_id(self, entry: HistoryEntry) -> str:
        """Return the beginning of the id of the user who did it."""
        return short(entry.actor) if entry.actor else gettext("the service")

    @admin.display(description=gettext_lazy("refused call"))
    def call(self, entry: HistoryEntry) -> str:
        """Return which key was refused, and why: the beginning of the key and a code, nothing personal."""
        if entry.tag != AuditEvent.KEY_REFUSED:
            return ""
        try:
            [row] = client_log.open_entries(entry.client, [entry])
        except vault.VaultError:  # The client is being deleted: its key is gone, and its rows are going.
            return ""
        return " · ".join(row.details.get(name, "") for name in ("key", "reason"))
