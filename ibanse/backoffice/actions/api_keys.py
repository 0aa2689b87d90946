"""Revoking a leaked API key: find it by what was sent to us, then give a reason."""

from typing import Any
from uuid import UUID

from django import forms
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from accounts import messages
from accounts.errors import Refusal
from accounts.forms.base import BaseForm
from accounts.models import Client
from accounts.permissions import StaffPermission
from accounts.staff.justification import Justification
from apikeys import leaked_keys
from apikeys.models import ApiKey
from ibanse.backoffice.actions.clients import client_page
from ibanse.backoffice.model_admin import BackOfficePage, StaffRequest
from ibanse.backoffice.pages import Fact, StaffActionView


class _WriteOnlyInput(forms.PasswordInput):
    """Shows what is typed, but like a password field never what was sent."""

    input_type = "text"


class FindKeyForm(BaseForm):
    """What was sent to us. It is not shown again, whatever is wrong with it."""

    text = forms.CharField(
        label=_("Beginning of the key, or the whole key"),
        max_length=2_000,
        help_text=_(
            "For example ibanse_live_4f9Kq2Lm7T. If you enter a whole key, only the beginning is used; the "
            "rest is not stored."
        ),
        widget=_WriteOnlyInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters("text")
def find_key(request: StaffRequest) -> HttpResponseBase:
    """Find the key that begins like this; a post leads to the page that revokes it."""
    form = FindKeyForm(request.POST or None)
    if request.method != "POST":
        return _find_page(request, form)
    if not form.is_valid():
        return _find_page(request, form, status=422)
    try:
        key = leaked_keys.find(form.cleaned_data["text"])
    except Refusal as refusal:
        form.add_error("text", messages.operator_refusal(refusal))
        return _find_page(request, form, status=422)
    if key is None:
        form.add_error("text", str(messages.OPERATOR_REFUSALS["no_key"]))
        return _find_page(request, form, status=422)
    return redirect("admin:revoke_key", key.pk)


def _find_page(request: StaffRequest, form: FindKeyForm, status: int = 200) -> HttpResponse:
    return render(request, "admin/find_key.html", {"form": form}, status=status)


class RevokeKey(StaffActionView[ApiKey]):
    """Revoke an API key that has leaked."""

    name, path, permission = "revoke_key", "keys/<uuid:pk>/revoke/", StaffPermission.REVOKE_KEY
    on = ApiKey
    link = _("Revoke permanently")
    question = _("Revoke this key?")
    meaning = (
        _("Within two seconds, every program that uses it is refused. This cannot be undone."),
        _("All owners are told by e-mail what to do next and find the same information in the audit log."),
    )
    done = _("The key has been revoked.")
    already = _("The key has already been revoked. No changes were made.")
    is_grave = True

    def find(self, **place: Any) -> ApiKey:
        """Return the key with its client."""
        return get_object_or_404(ApiKey.objects.select_related("client"), **place)

    def carry_out(self, row: ApiKey, justification: Justification, form: Any) -> bool:
        """Revoke it."""
        return leaked_keys.revoke(row, justification)

    def client_id(self, row: ApiKey) -> UUID:
        """Return the client whose key it is."""
        return row.client_id

    def facts(self, row: ApiKey) -> list[Fact]:
        """Return which key it is, by its beginning, and whether it is used."""
        return [
            (_("Key"), f"{row.prefix}…"),
            (_("Client"), row.client_id),
            (_("Created"), row.created_at.date().isoformat()),
            (_("Last used"), row.last_used_on.isoformat() if row.last_used_on else _("never")),
            (_("Expires"), row.expires_at.date().isoformat()),
        ]

    def objection(self, row: ApiKey) -> Promise | None:
        """Return that it is revoked already, or its client deleted."""
        if row.revoked_at:
            return self.already
        return messages.OPERATOR_REFUSALS["client_gone"] if row.client.state == Client.State.GONE else None

    def back(self, row: ApiKey) -> str:
        """Return to the client."""
        return client_page(row.client_id)

    @staticmethod
    def is_offered(row: Any) -> bool:
        """Offer it for a key that is not revoked."""
        return row.revoked_at is None


PAGES = (
    BackOfficePage(
        "find_leaked_key",
        "keys/revoke/",
        find_key,
        StaffPermission.REVOKE_KEY,
        _("Revoke a leaked key"),
        changes=True,
        section="security",
    ),
    RevokeKey.as_page(),
)
