"""The personal details of a client in the back-office: masked, and in clear while an unmasking is open.

Nothing personal of a client stands on any other page of the back-office.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any, Final
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts import messages as account_messages
from accounts.errors import Refusal
from accounts.models import Client, Invitation, User
from accounts.profile import countries, details
from accounts.staff import support_access, unmasking
from ibanse.backoffice import masking
from ibanse.backoffice.forms import ActionForm
from ibanse.backoffice.model_admin import BackOfficePage, StaffRequest, found

MOST_ROWS: Final = 200
_PAGE: Final = "client_details"

MASKS: Final[Mapping[str, Callable[[str], str]]] = {
    "company": masking.name,
    "person": masking.name,
    "organisation_number": masking.words,
    "phone": masking.phone,
    "street": masking.words,
    "postcode": masking.words,
    "city": masking.words,
    "country": countries.name,
    "vat_number": masking.vat_number,
    "reference": masking.words,
    "invoice_email": masking.email,
}
"""Field of the contact or billing details → what is shown of it while it is masked: of the country all."""


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def client_details(request: StaffRequest, pk: UUID) -> HttpResponseBase:
    """Show a client's details, as far as this person's groups go; a post opens them, or masks them again."""
    client = found(request, pk)
    if request.method == "POST":
        return _ACTIONS.get(request.POST.get("action", ""), _unmask)(request, client)
    return _page(request, client, ActionForm())


def _unmask(request: StaffRequest, client: Client) -> HttpResponse:
    form = ActionForm(request.POST)
    if not form.is_valid():
        return _page(request, client, form, status=422)
    try:
        unmasking.open(client, form.justification(request.actor), form=request.POST.get("number", ""))
    except Refusal as refusal:
        return _page(request, client, form, problem=account_messages.operator_refusal(refusal), status=409)
    return redirect(f"admin:{_PAGE}", pk=client.pk)


def _look(request: StaffRequest, client: Client) -> HttpResponse:
    try:
        unmasking.open_as_granted(client, by=request.actor)
    except Refusal as refusal:
        return _page(request, client, ActionForm(), problem=account_messages.operator_refusal(refusal), status=409)
    return redirect(f"admin:{_PAGE}", pk=client.pk)


def _mask(request: StaffRequest, client: Client) -> HttpResponse:
    if unmasking.end(client, by=request.actor):
        messages.success(request, _("The details are masked again."))
    return redirect(f"admin:{_PAGE}", pk=client.pk)


_ACTIONS: Final[dict[str, Callable[[StaffRequest, Client], HttpResponse]]] = {"look": _look, "mask": _mask}


def _page(
    request: StaffRequest, client: Client, form: ActionForm, *, problem: str = "", status: int = 200
) -> HttpResponse:
    is_gone = client.state == Client.State.GONE  # Its key is destroyed, or is about to be: nothing can be opened.
    opened = None if is_gone else unmasking.current(request.user, client.pk)
    sections = [] if is_gone else unmasking.sections_of(request.user)
    context = {
        "row": client,
        "is_gone": is_gone,
        "opened": opened,
        "access": support_access.current(client.pk),
        "form": form,
        "number": unmasking.form_token(client, request.user),
        "problem": problem,
        "shown": {section: _SHOWN[section](client, is_clear=opened is not None) for section in sections},
    }
    response = render(request, "admin/client_details.html", context, status=status)
    if opened:
        seconds_left = max(1, int((opened.until - timezone.now()).total_seconds()) + 1)
        response.headers["Refresh"] = str(seconds_left)  # So that the screen too is masked when it is over.
    return response


Facts = list[tuple[Promise, str]]


def _facts(values: dict[str, str], *, is_clear: bool) -> Facts:
    return [
        (account_messages.FIELD_NAMES[field], value if is_clear and field != "country" else MASKS[field](value))
        for field, value in values.items()
        if value
    ]


def _contact(client: Client, *, is_clear: bool) -> Facts:
    return _facts(asdict(details.contact(client)), is_clear=is_clear)


def _billing(client: Client, *, is_clear: bool) -> Facts:
    return _facts(asdict(details.billing(client)), is_clear=is_clear)


def _users(client: Client, *, is_clear: bool) -> dict[str, Any]:
    users = User.objects.filter(client=client).order_by("joined_at", "pk")[:MOST_ROWS]
    invited = Invitation.objects.filter(client=client).order_by("sent_at", "pk")[:MOST_ROWS]
    email, name = (str, str) if is_clear else (masking.email, masking.name)
    return {
        "users": [(user, name(details.name(user)), email(user.email)) for user in users],
        "invitations": [(invitation, email(invitation.email)) for invitation in invited],
    }


_SHOWN: Final[dict[str, Callable[..., object]]] = {"contact": _contact, "billing": _billing, "users": _users}


PAGES: Final = (
    BackOfficePage(
        "client_details",
        "clients/<uuid:pk>/details/",
        client_details,
        unmasking.PERMISSION,
        gettext_lazy("Personal details"),
        on=Client,
        changes=True,
    ),
)
