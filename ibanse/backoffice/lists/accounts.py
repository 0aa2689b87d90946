"""What of clients, their people and the staff the back-office shows: see back_office.py. Nothing personal in clear.

Who sees which of these is the table in staff.py.
"""

from collections.abc import Iterable
from datetime import timedelta
from ipaddress import ip_address, ip_network
from typing import Any, ClassVar
from uuid import UUID

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib import admin
from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Subquery, Value
from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext, gettext_lazy, pgettext

from accounts.audit import client_log, staff_log
from accounts.audit.events import StaffEvent, client_event_text, staff_event_text
from accounts.auth import browsers
from accounts.models import Client, HistoryEntry, Invitation, StaffEntry, User
from accounts.usage import counts
from ibanse.backoffice import masking
from ibanse.backoffice.model_admin import StaffAdmin, as_number, flag, short
from privacy import vault


class StateFilter(admin.ChoicesFieldListFilter):
    """Narrows the clients by their state, and has a name for it, which the field has not."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.title = gettext("state")


class ClientAdmin(StaffAdmin):
    """Clients: their state and limits. What hangs on each is linked from its page."""

    list_display = ("short_number", "standing", "people", "monthly_quota", "created_at", "demo")
    list_filter = (("state", StateFilter), "needs_second_factor", "is_demo")
    search_fields = ("pk", "users__email")
    search_help_text = gettext_lazy("Search by full client number, or by the full e-mail address of one of its users.")
    ordering = ("-created_at",)
    sortable_by = ("created_at", "monthly_quota")
    fields = (
        "standing", "suspended_at", "created_at", "people", "user_limit", "monthly_quota", "second_factor", "demo",
    )  # fmt: skip
    more_fields: ClassVar[dict[str, tuple[str, ...]]] = {"accounts.view_usageday": ("checked", "used")}
    of_client = ""

    demo = flag("is_demo", gettext_lazy("created for demonstration"))
    second_factor = flag("needs_second_factor", gettext_lazy("two-factor authentication required for all users"))

    def owner_of(self, row: Client) -> UUID:
        """Return the client's own id."""
        return row.pk

    def get_queryset(self, request: HttpRequest) -> QuerySet[Client]:
        """Return the clients with the number of their users."""
        users = User.objects.filter(client=OuterRef("pk")).order_by().values("client").annotate(number=Count("pk"))
        found: QuerySet[Client] = super().get_queryset(request).annotate(people=Subquery(users.values("number")))
        return found

    @admin.display(description=gettext_lazy("state"))
    def standing(self, client: Client) -> str:
        """Return its state, in words."""
        return client.get_state_display()

    @admin.display(description=gettext_lazy("users"))
    def people(self, client: Any) -> int:
        """Return how many users it has."""
        return client.people or 0

    @admin.display(description=gettext_lazy("checks this month"))
    def checked(self, client: Client) -> int:
        """Return how many checks it made in this calendar month (UTC)."""
        month = counts.month(client)
        return month.valid + month.invalid

    @admin.display(description=gettext_lazy("checks counted against the quota this month"))
    def used(self, client: Client) -> int:
        """Return how much of its quota it has used."""
        return counts.month(client).used


class UserAdmin(StaffAdmin):
    """Users of clients, their state and how they come in."""

    list_display = ("short_number", "address", "short_client", "role", "active", "has_factor", "last_login")
    list_filter = ("role", "is_active")
    search_fields = ("pk", "email")
    search_help_text = gettext_lazy("Search by full user number or full e-mail address.")
    ordering = ("-joined_at",)
    fields = ("address", "role", "active", "has_factor", "joined_at", "last_login", "language")

    active = flag("is_active", gettext_lazy("may sign in"))
    has_factor = flag("factor", gettext_lazy("two-factor authentication"))

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        """Return those who belong to a client: the staff have a page of their own."""
        theirs = Authenticator.objects.filter(user=OuterRef("pk"))
        found: QuerySet[User] = super().get_queryset(request).filter(client__isnull=False)
        return found.select_related("client").annotate(factor=Exists(theirs))

    @admin.display(description=gettext_lazy("e-mail address"))
    def address(self, user: User) -> str:
        """Return what is left of the address when it is masked: in clear it is on one page only, for a reason."""
        return masking.email(user.email)


class InvitationAdmin(StaffAdmin):
    """Invitations on their way."""

    list_display = ("short_number", "address", "short_client", "sent_at", "expires_at", "standing")
    search_fields = ("pk", "email")
    search_help_text = gettext_lazy("Search by full invitation number, or by the full e-mail address it was sent to.")
    ordering = ("-sent_at",)
    fields = ("address", "sent_at", "expires_at", "standing")

    @admin.display(description=gettext_lazy("e-mail address"))
    def address(self, invitation: Invitation) -> str:
        """Return what is left of the address when it is masked."""
        return masking.email(invitation.email)

    @admin.display(description=gettext_lazy("state"))
    def standing(self, invitation: Any) -> str:
        """Return whether its link still works."""
        over = invitation.expires_at < timezone.now()
        return pgettext("invitation", "expired") if over else pgettext("invitation", "open")


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
    """How many checks a client made on a day, by which door."""

    list_display = ("day", "short_client", "source", "valid", "invalid", "units")
    list_filter = ("source",)
    search_fields = ("client",)
    search_help_text = gettext_lazy("Search by full client number.")
    narrowed_by = ("day",)
    fields = ("day", "source", "valid", "invalid", "units")


class EventFilter(admin.SimpleListFilter):
    """Narrows a history to a few kinds of deeds that somebody looks for."""

    title = gettext_lazy("action")
    parameter_name = "kind"
    KINDS: ClassVar[dict[str, tuple[Promise, tuple[str, ...]]]] = {
        "calls": (gettext_lazy("refused calls"), ("keys.refused",)),
        "pages": (gettext_lazy("refused page requests"), ("users.refused",)),
        "sign-ins": (gettext_lazy("sign-ins"), ("users.signed_in",)),
        "factors": (
            gettext_lazy("passwords and two-factor authentication"),
            ("users.password_changed", "users.email_changed", "users.factors_reset", "factors.totp_removed"),
        ),
        "owners": (gettext_lazy("ownership"), ("users.ownership_given", "users.ownership_taken", "owners.recovered")),
    }

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        """Return the kinds there are."""
        return [(kind, str(words)) for kind, (words, _tags) in self.KINDS.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Return the entries of the kind that was chosen."""
        kind = self.KINDS.get(self.value() or "")
        return queryset.filter(tag__in=kind[1]) if kind else queryset


class HistoryAdmin(StaffAdmin):
    """The clients' histories: that something was done, when and from where; of what was said only refused calls."""

    list_display = ("at", "action", "short_client", "number", "doer", "network")
    list_filter = (EventFilter,)
    search_fields = ("client",)
    search_help_text = gettext_lazy("Search by full client number, or by the full number of the user who did it.")
    fields = ("at", "number", "action", "actor", "network", "call")
    ordering = ("-pk",)

    def exactly(self, term: str) -> Q:
        """Return the condition of the client, or that a user of a client did it: by both, as the index has it."""
        users = User.objects.filter(client__isnull=False)
        user = users.filter(pk=number).first() if (number := as_number(term)) else None
        return super().exactly(term) | (Q(client=user.client_id, actor=user.pk) if user else Q(pk__in=[]))

    @admin.display(description=gettext_lazy("action"))
    def action(self, entry: HistoryEntry) -> str:
        """Return the deed's sentence."""
        return client_event_text(entry.tag)

    @admin.display(description=gettext_lazy("by"))
    def doer(self, entry: HistoryEntry) -> str:
        """Return the beginning of the number of the user who did it."""
        return short(entry.actor) if entry.actor else gettext("the service")

    @admin.display(description=gettext_lazy("refused call"))
    def call(self, entry: HistoryEntry) -> str:
        """Return which key was refused, and why: a key's beginning and a word, nothing of a person."""
        if entry.tag != "keys.refused":
            return ""
        try:
            [told] = client_log.told(entry.client, [entry])
        except vault.VaultError:  # The client is being deleted: its key is gone, and its rows are going.
            return ""
        return " · ".join(told.details.get(name, "") for name in ("key", "reason"))


class SessionAdmin(StaffAdmin):
    """Who is signed in where; the key of a session is nowhere, and the address is shortened."""

    names = (gettext_lazy("session"), gettext_lazy("sessions"))

    list_display = ("last_seen_at", "address", "whose", "browser", "network", "created_at")
    search_fields = ("user", "user__email")
    search_help_text = gettext_lazy("Search by full user number or full e-mail address.")
    ordering = ("-last_seen_at",)
    list_select_related = ("user",)
    fields = ("user_id", "whose", "browser", "network", "created_at", "last_seen_at")
    of_client = "user__client"
    narrowed_by = ("user",)

    def owner_of(self, row: UserSession) -> UUID | None:
        """Return the client of the user whose session it is."""
        owner: UUID | None = row.user.client_id
        return owner

    @admin.display(description=gettext_lazy("user"))
    def user_id(self, row: UserSession) -> str:
        """Return the number of the user."""
        return str(row.user_id)

    @admin.display(description=gettext_lazy("e-mail address"))
    def address(self, row: UserSession) -> str:
        """Return what is left of the user's address when it is masked."""
        return masking.email(row.user.email)

    @admin.display(description=gettext_lazy("client"))
    def whose(self, row: UserSession) -> str:
        """Return the client of the user, or that it is one of the staff's."""
        return short(row.user.client_id) if row.user.client_id else gettext("staff")

    @admin.display(description=gettext_lazy("browser"))
    def browser(self, row: UserSession) -> str:
        """Return the browser's name in words."""
        return browsers.name(row.user_agent)

    @admin.display(description=gettext_lazy("network"))
    def network(self, row: UserSession) -> str:
        """Return the network around the address."""
        return str(ip_network((row.ip, 24 if ip_address(row.ip).version == 4 else 48), strict=False))


class BlockAdmin(StaffAdmin):
    """Addresses that are let in nowhere."""

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
        """Return nobody: an address belongs to no client."""


class KindOfLook(EventFilter):
    """Narrows the history of the staff likewise."""

    KINDS: ClassVar[dict[str, tuple[Promise, tuple[str, ...]]]] = {
        "looks": (gettext_lazy("pages opened"), ("office.viewed",)),
        "changes": (gettext_lazy("forms submitted"), ("office.changed",)),
        "refusals": (gettext_lazy("refused"), ("office.refused",)),
        "misuse": (gettext_lazy("deliberate"), ("office.misused",)),
        "unmaskings": (
            gettext_lazy("masked details opened"),
            ("client.unmasked", "client.looked_at", "client.masked", "client.unmasking_refused"),
        ),
        "actions": (
            gettext_lazy("actions"),
            (
                "client.suspended",
                "client.reopened",
                "client.noted",
                *(tag for tag in StaffEvent if tag.startswith(("quota.", "users.", "keys.", "blocks."))),
            ),
        ),
        "staff": (
            gettext_lazy("staff themselves"),
            tuple(tag for tag in StaffEvent if tag.startswith("staff.")),
        ),
    }


class TimeOfLook(admin.SimpleListFilter):
    """Narrows the history of the staff to what was lately."""

    title = gettext_lazy("time")
    parameter_name = "within"
    DAYS: ClassVar[dict[str, tuple[Promise, int]]] = {
        "day": (gettext_lazy("the last 24 hours"), 1),
        "week": (gettext_lazy("the last 7 days"), 7),
        "month": (gettext_lazy("the last 30 days"), 30),
    }

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        """Return the spans there are."""
        return [(name, str(words)) for name, (words, _days) in self.DAYS.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Return the entries of the span that was chosen."""
        _words, days = self.DAYS.get(self.value() or "", ("", 0))
        return queryset.filter(at__gte=timezone.now() - timedelta(days=days)) if days else queryset


class StaffHistoryAdmin(StaffAdmin):
    """What the staff looked at and did; why, of a client, only for those who may see clients."""

    list_display = ("at", "action", "page", "who", "short_client", "network")
    list_filter = (KindOfLook, TimeOfLook)
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
        """Return the entries with the addresses of those of the staff who are still there."""
        staff = User.objects.filter(pk=OuterRef("actor"), client=None)
        found: QuerySet[StaffEntry] = super().get_queryset(request).select_related("detail")
        may = request.user.has_perm("accounts.view_client")
        return found.annotate(email=Subquery(staff.values("email")), is_told=Value(may))

    def exactly(self, term: str) -> Q:
        """Return the condition of the fields, or that one of the staff with this address did it."""
        staff = User.objects.filter(email=term.lower(), client=None)
        return super().exactly(term) | Q(actor__in=staff.values("pk"))

    @admin.display(description=gettext_lazy("by"))
    def who(self, entry: Any) -> str:
        """Return whose deed it was."""
        return entry.email or str(entry.actor or gettext("the service"))

    @admin.display(description=gettext_lazy("action"))
    def action(self, entry: StaffEntry) -> str:
        """Return the deed's sentence."""
        return staff_event_text(entry.tag)

    @admin.display(description=gettext_lazy("page"))
    def page(self, entry: StaffEntry) -> str:
        """Return the name of the page that was looked at or refused."""
        return staff_log.trail().said(entry).get("page", "")

    @admin.display(description=gettext_lazy("details"))
    def details(self, entry: Any) -> str:
        """Return what was said of it, with addresses masked; of a client nothing to who may not see clients."""
        if entry.client and not entry.is_told:
            return ""
        said = staff_log.trail().said(entry)
        if "@" in said.get("searched", ""):
            said["searched"] = masking.email(said["searched"])
        return "\n".join(f"{name}: {value}" for name, value in said.items())
