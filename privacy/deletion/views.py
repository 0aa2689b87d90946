"""Pages on which owners delete: the whole account, after a mail and a grace period, or a part of it, at once."""

from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts import mail
from accounts.access import MemberRequest, allowed, recent_login
from accounts.errors import Refusal
from accounts.models import BillingDetails, Client, ContactDetails, User
from accounts.permissions import Permission
from privacy import messages as privacy_messages
from privacy.deletion import execution, requesting
from privacy.deletion.forms import DeletionForm
from privacy.inventory import registry
from privacy.models import DeletionRequest

DELETES_FOR: Final = timedelta(seconds=10)
"""This long a user waits for the response; the rest continues in the background."""

_PAGE: Final = "privacy:deletion"
_PARTS: Final = (DeletionRequest.Scope.LOG, DeletionRequest.Scope.CONTACT, DeletionRequest.Scope.BILLING)

Scope = DeletionRequest.Scope
read_or_send = require_http_methods(["GET", "HEAD", "POST"])


@allowed(Permission.ACCOUNT_DELETE)
@require_safe
def deletion(request: MemberRequest) -> HttpResponse:
    """Show what would be deleted, table by table, or the state of the deletion."""
    return _page(request, DeletionForm(initial={"days": requesting.DEFAULT_GRACE_DAYS}))


@allowed(Permission.ACCOUNT_DELETE)
@read_or_send
@recent_login
def request_deletion(request: MemberRequest) -> HttpResponseBase:
    """Request the deletion of the account; only on POST."""
    if request.method != "POST":
        return redirect(_PAGE)
    form = DeletionForm(request.POST)
    if not form.is_valid():
        return _page(request, form, status=422)
    try:
        requesting.request_deletion(request.client, grace_days=form.cleaned_data["days"], by=request.actor)
    except Refusal as refusal:
        messages.error(request, privacy_messages.refusal(refusal))
    return redirect(_PAGE)


@allowed(Permission.ACCOUNT_DELETE)
@read_or_send
def cancel(request: MemberRequest) -> HttpResponseBase:
    """Cancel the deletion of the account; only on POST. It needs no recent login: a mistake must be easy to undo."""
    found = requesting.deletion_of(request.client)
    if request.method == "POST" and found is not None:
        try:
            requesting.cancel(found, by=request.actor)
        except Refusal as refusal:
            messages.error(request, privacy_messages.refusal(refusal))
        else:
            messages.success(request, _("The deletion has been cancelled. Everything works as before."))
    return redirect(_PAGE)


@allowed(Permission.ACCOUNT_DELETE)
@read_or_send
@recent_login
def erase_part(request: MemberRequest, scope: str) -> HttpResponseBase:
    """Ask for confirmation; a POST deletes a part of the account."""
    if scope not in _PARTS:
        raise Http404
    return _erase(request, Scope(scope), rows=_stored_rows(request.client)[scope])


@allowed(Permission.ACCOUNT_DELETE)
@read_or_send
@recent_login
def erase_user(request: MemberRequest, pk: UUID) -> HttpResponseBase:
    """Ask for confirmation; a POST deletes a user with all traces."""
    found = User.objects.filter(client=request.client, pk=pk).first()
    if found is None:
        raise Http404
    return _erase(request, Scope.USER, rows=1, user=found)


def _erase(request: MemberRequest, scope: Scope, *, rows: int, user: User | None = None) -> HttpResponseBase:
    context = {"scope": scope.value, "what": privacy_messages.SCOPES[scope.value], "rows": rows, "user": user}
    # While the account is closing its parts are not deleted: its users page is closed as well.
    if request.method != "POST" or request.client.state == Client.State.CLOSING or not rows:
        return render(request, "privacy/deletion/delete_part.html", context)
    try:
        started = requesting.start_erasure(request.client, scope, by=request.actor, user=user.pk if user else None)
        done = execution.attempt(started.pk, for_at_most=DELETES_FOR)
    except Refusal as refusal:
        messages.error(request, privacy_messages.refusal(refusal))
        return redirect(_PAGE)
    if done is None:
        messages.info(
            request,
            _("The deletion is in progress and continues in the background. The audit log shows when it is finished."),
        )
        return redirect(_PAGE)
    return redirect("deletion:receipt", token=done.token)


def _page(request: MemberRequest, form: DeletionForm, status: int = 200) -> HttpResponse:
    found, stored = requesting.deletion_of(request.client), _stored_rows(request.client)
    context: dict[str, Any] = {
        "form": form,
        "deletion": found,
        "owners": [owner.email for owner in mail.active_owners(request.client)],
        "tables": _tables(request.client) if found is None else [],
        "parts": [(scope.value, privacy_messages.SCOPES[scope.value], stored[scope]) for scope in _PARTS],
        "users": User.objects.filter(client=request.client).exclude(pk=request.user.pk).order_by("email"),
        "in_progress": DeletionRequest.objects.filter(client=request.client).exclude(scope=Scope.ACCOUNT),
        "link_days": requesting.LINK_VALID.days,
    }
    return render(request, "privacy/deletion/deletion.html", context, status=status)


def _stored_rows(client: Client) -> dict[str, int]:
    return {
        Scope.LOG: sum(registry.logged(client).values()),
        Scope.CONTACT: ContactDetails.objects.filter(client=client).count(),
        Scope.BILLING: BillingDetails.objects.filter(client=client).count(),
    }


def _tables(client: Client) -> list[tuple[object, int]]:
    """Return the description of each table, and how many rows of it would be deleted now."""
    counted = registry.count(client)
    return [(table.about, counted[table.name]) for table in registry.export(client) if counted[table.name]]
