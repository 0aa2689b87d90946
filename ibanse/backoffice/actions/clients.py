"""Actions on a client: suspend, reopen, set its quota and its user limit."""

from typing import Any, ClassVar
from uuid import UUID

from django import forms
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts import messages
from accounts.models import Client
from accounts.permissions import StaffPermission
from accounts.staff import limits, suspension
from accounts.staff.justification import Justification
from accounts.team import members
from accounts.usage import quota
from ibanse.backoffice.forms import ActionForm
from ibanse.backoffice.pages import RECORDED_FOR_CLIENT, Fact, StaffActionView


def ending(client: Client) -> Promise | None:
    """Return why nothing can be done to a client that is being deleted; None when it is not."""
    if client.state == Client.State.CLOSING:
        return messages.OPERATOR_REFUSALS["client_closing"]
    return messages.OPERATOR_REFUSALS["client_gone"] if client.state == Client.State.GONE else None


def client_page(client: UUID | None) -> str:
    """Return the path of a client's page."""
    return reverse("admin:accounts_client_change", args=[client])


class ClientAction(StaffActionView[Client]):
    """An action on a client."""

    on = Client

    def client_id(self, row: Client) -> UUID:
        """Return the client's own id."""
        return row.pk

    def facts(self, row: Client) -> list[Fact]:
        """Return its state and limits."""
        return [
            (_("Client"), row.pk),
            (_("State"), row.get_state_display()),
            (_("Users and open invitations"), f"{members.seats_taken(row)} / {row.user_limit}"),
            (_("Checks per month"), row.monthly_quota),
        ]

    def objection(self, row: Client) -> Promise | None:
        """Return that it is being deleted."""
        return ending(row)

    def back(self, row: Client) -> str:
        """Return to its page."""
        return client_page(row.pk)

    @staticmethod
    def is_offered(row: Client) -> bool:
        """Offer it unless the client is being deleted."""
        return ending(row) is None


class SuspendClient(ClientAction):
    """Suspend a client."""

    name, path, permission = "suspend_client", "clients/<uuid:pk>/suspend/", StaffPermission.SUSPEND_CLIENT
    link = _("Suspend")
    question = _("Suspend this client?")
    meaning = (
        _(
            "API keys are refused within two seconds. Users can still use the public check page, but "
            "their checks are not recorded."
        ),
        _(
            "Users can sign in and see that the account is suspended. Owners can still read the audit "
            "log and the check log, download their data and delete the account."
        ),
        _("Nothing is deleted."),
        RECORDED_FOR_CLIENT,
    )
    done = _("The client is suspended.")
    already = _("The client is already suspended. No changes were made.")
    is_grave = True

    def carry_out(self, row: Client, justification: Justification, form: Any) -> bool:
        """Suspend it."""
        return suspension.suspend(row, justification)

    def objection(self, row: Client) -> Promise | None:
        """Return that it is suspended already, or being deleted."""
        return self.already if row.state == Client.State.SUSPENDED else ending(row)

    @staticmethod
    def is_offered(row: Client) -> bool:
        """Offer it for an active client."""
        return row.state == Client.State.ACTIVE


class ReopenClient(ClientAction):
    """Reopen a suspended client."""

    name, path, permission = "reopen_client", "clients/<uuid:pk>/reopen/", StaffPermission.REOPEN_CLIENT
    link = _("Reopen")
    question = _("Reopen this client?")
    meaning = (
        _("Users can work again, and within two seconds so can the API keys, except revoked or expired ones."),
        RECORDED_FOR_CLIENT,
    )
    done = _("The client has been reopened.")
    already = _("The client is not suspended. No changes were made.")

    def carry_out(self, row: Client, justification: Justification, form: Any) -> bool:
        """Reopen it."""
        return suspension.reopen(row, justification)

    def objection(self, row: Client) -> Promise | None:
        """Return that it is active, or being deleted."""
        return self.already if row.state == Client.State.ACTIVE else ending(row)

    @staticmethod
    def is_offered(row: Client) -> bool:
        """Offer it for a suspended client."""
        return row.state == Client.State.SUSPENDED


class QuotaForm(ActionForm):
    """Checks per month; `before` is the quota that was shown."""

    before = forms.IntegerField(widget=forms.HiddenInput)
    units = forms.IntegerField(label=_("Checks per month"), min_value=0, max_value=quota.MOST_UNITS)
    field_order = ("before", "units")

    def __init__(self, *args: Any, row: Client, **options: Any) -> None:
        super().__init__(*args, row=row, **options)
        self.initial.update(before=row.monthly_quota, units=row.monthly_quota)


class SetQuota(ClientAction):
    """Set a client's quota."""

    name, path, permission = "set_quota", "clients/<uuid:pk>/quota/", StaffPermission.SET_QUOTA
    link = _("Set quota")
    question = _("Set the monthly quota?")
    meaning = (
        _(
            "It also applies to the current month, within seconds, except for the few checks a worker "
            "process has already reserved."
        ),
        RECORDED_FOR_CLIENT,
    )
    done = _("The quota has been set.")
    already = _("This is already the quota. No changes were made.")
    form_class: ClassVar[type[ActionForm]] = QuotaForm

    def carry_out(self, row: Client, justification: Justification, form: Any) -> bool:
        """Set it, if nobody has changed it meanwhile."""
        typed = form.cleaned_data
        return limits.set_quota(row, typed["units"], justification, before=typed["before"])


class UserLimitForm(ActionForm):
    """Most users; `before` is the limit that was shown."""

    before = forms.IntegerField(widget=forms.HiddenInput)
    most = forms.IntegerField(
        label=_("Maximum number of users, including open invitations"), min_value=1, max_value=limits.MOST_USERS
    )
    field_order = ("before", "most")

    def __init__(self, *args: Any, row: Client, **options: Any) -> None:
        super().__init__(*args, row=row, **options)
        self.initial.update(before=row.user_limit, most=row.user_limit)


class SetUserLimit(ClientAction):
    """Set how many users a client may have."""

    name, path, permission = "set_user_limit", "clients/<uuid:pk>/user-limit/", StaffPermission.SET_USER_LIMIT
    link = _("Set user limit")
    question = _("Set the maximum number of users?")
    meaning = (
        _("Nobody is removed. No one new can be invited while the number of users is at or above the limit."),
        RECORDED_FOR_CLIENT,
    )
    done = _("The user limit has been set.")
    already = _("This is already the limit. No changes were made.")
    form_class: ClassVar[type[ActionForm]] = UserLimitForm

    def carry_out(self, row: Client, justification: Justification, form: Any) -> bool:
        """Set it, if nobody has changed it meanwhile."""
        typed = form.cleaned_data
        return limits.set_user_limit(row, typed["most"], justification, before=typed["before"])


PAGES = (SuspendClient.as_page(), ReopenClient.as_page(), SetQuota.as_page(), SetUserLimit.as_page())
