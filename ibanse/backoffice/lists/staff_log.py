"""The list of the staff audit log."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any, ClassVar
from uuid import UUID

from django.contrib import admin
from django.db.models import OuterRef, Q, QuerySet, Subquery, Value
from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext, gettext_lazy

from accounts.audit import staff_log
from accounts.audit.events import StaffEvent, staff_event_text
from accounts.models import StaffEntry, User
from accounts.permissions import StaffPermission
from ibanse.backoffice import masking
from ibanse.backoffice.lists.client_log import ClientEventFilter
from ibanse.backoffice.model_admin import StaffAdmin


class StaffEventFilter(ClientEventFilter):
    """Narrows the staff audit log likewise."""

    KINDS: ClassVar[dict[str, tuple[Promise, tuple[str, ...]]]] = {
        "looks": (gettext_lazy("pages opened"), (StaffEvent.PAGE_VIEWED,)),
        "changes": (gettext_lazy("forms submitted"), (StaffEvent.FORM_SENT,)),
        "refusals": (gettext_lazy("refused"), (StaffEvent.PAGE_REFUSED,)),
        "misuse": (gettext_lazy("deliberate"), (StaffEvent.BACKOFFICE_MISUSED,)),
        "unmaskings": (
            gettext_lazy("masked details opened"),
            (
                StaffEvent.CLIENT_UNMASKED,
                StaffEvent.CLIENT_VIEWED_BY_SUPPORT,
                StaffEvent.CLIENT_MASKED,
                StaffEvent.UNMASKING_REFUSED,
            ),
        ),
        "actions": (
            gettext_lazy("actions"),
            (
                StaffEvent.CLIENT_SUSPENDED,
                StaffEvent.CLIENT_REOPENED,
                StaffEvent.CLIENT_NOTED,
                *(event for event in StaffEvent if event.startswith(("quota.", "users.", "keys.", "blocks."))),
            ),
        ),
        "staff": (
            gettext_lazy("staff themselves"),
            tuple(event for event in StaffEvent if event.startswith("staff.")),
        ),
    }


class TimeFilter(admin.SimpleListFilter):
    """Narrows the staff audit log to recent entries."""

    title = gettext_lazy("time")
    parameter_name = "within"
    DAYS: ClassVar[dict[str, tuple[Promise, int]]] = {
        "day": (gettext_lazy("the last 24 hours"), 1),
        "week": (gettext_lazy("the last 7 days"), 7),
        "month": (gettext_lazy("the last 30 days"), 30),
    }

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        """Return the periods."""
        return [(name, str(label)) for name, (label, _days) in self.DAYS.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Return the entries of the chosen period."""
        _label, days = self.DAYS.get(self.value() or "", ("", 0))
        return queryset.filter(at__gte=timezone.now() - timedelta(days=days)) if days else queryset


class StaffLogAdmin(StaffAdmin):
    """What staff viewed and did; the details of what concerns a client only for those who may see clients."""

    list_display = ("at", "action", "page", "who", "short_client", "network")
    list_filter = (StaffEventFilter, TimeFilter)
    search_fields = ("actor", "client", "number")
    search_help_text = gettext_lazy(
        "Search by full client or staff number, or by the full e-mail address of a staff member."
    )
    ordering = ("-number",)
    fields = ("at", "number", "who", "action", "client", "network", "details")

    def owner_of(self, row: StaffEntry) -> UUID | None:
        """Return the client it concerned."""
        return row.client

    def get_queryset(self, request: HttpRequest) -> QuerySet[StaffEntry]:
        """Return the entries with the e-mail addresses of those who are still staff."""
        staff = User.objects.filter(pk=OuterRef("actor"), client=None)
        found: QuerySet[StaffEntry] = super().get_queryset(request).select_related("detail")
        may_see = request.user.has_perm(StaffPermission.VIEW_CLIENT)
        return found.annotate(email=Subquery(staff.values("email")), has_visible_details=Value(may_see))

    def exactly(self, term: str) -> Q:
        """Return the condition for the fields, or for the member of staff with this e-mail address."""
        staff = User.objects.filter(email=term.lower(), client=None)
        return super().exactly(term) | Q(actor__in=staff.values("pk"))

    @admin.display(description=gettext_lazy("by"))
    def who(self, entry: Any) -> str:
        """Return who did it."""
        return entry.email or str(entry.actor or gettext("the service"))

    @admin.display(description=gettext_lazy("action"))
    def action(self, entry: StaffEntry) -> str:
        """Return the description of the event."""
        return staff_event_text(entry.tag)

    @admin.display(description=gettext_lazy("page"))
    def page(self, entry: StaffEntry) -> str:
        """Return the name of the page that was opened or refused."""
        return staff_log.chain().details_of(entry).get("page", "")

    @admin.display(description=gettext_lazy("details"))
    def details(self, entry: Any) -> str:
        """Return the details, e-mail addresses masked; of a client's only with the permission to see clients."""
        if entry.client and not entry.has_visible_details:
            return ""
        details = staff_log.chain().details_of(entry)
        if "@" in details.get("searched", ""):
            details["searched"] = masking.email(details["searched"])
        return "\n".join(f"{name}: {value}" for name, value in details.items())
