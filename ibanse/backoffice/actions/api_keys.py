"""The pages on which staff revoke a key that became known: find it by what was sent to them, then say why."""

from typing import Final
from uuid import UUID

from django import forms
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from accounts import messages
from accounts.errors import Refusal
from accounts.forms.base import BaseForm
from accounts.models import Client
from apikeys import leaked_keys
from apikeys.models import ApiKey
from ibanse.backoffice import pages
from ibanse.backoffice.model_admin import Page, StaffRequest
from ibanse.backoffice.pages import Fact, StaffAction, Words


class _Forgotten(forms.PasswordInput):
    """Shows what is typed, and like a password never what was sent."""

    input_type = "text"


class FindForm(BaseForm):
    """What was sent to us. It is not shown again, whatever is wrong with it."""

    text = forms.CharField(
        label=_("Beginning of the key, or the whole key"),
        max_length=2_000,
        help_text=_(
            "For example ibanse_live_4f9Kq2Lm7T. If you enter a whole key, only the beginning is used; the "
            "rest is not stored."
        ),
        widget=_Forgotten(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters("text")
def find(request: StaffRequest) -> HttpResponseBase:
    """Find the key that begins like this; a post leads to the page that revokes it."""
    form = FindForm(request.POST or None)
    if request.method != "POST":
        return _page(request, form)
    if not form.is_valid():
        return _page(request, form, status=422)
    try:
        key = leaked_keys.find(form.cleaned_data["text"])
    except Refusal as refusal:
        form.add_error("text", messages.operator_refusal(refusal))
        return _page(request, form, status=422)
    if key is None:
        form.add_error("text", str(messages.OPERATOR_REFUSALS["no_key"]))
        return _page(request, form, status=422)
    return redirect("admin:revoke_key", key.pk)


def _page(request: StaffRequest, form: FindForm, status: int = 200) -> HttpResponse:
    return render(request, "admin/find_key.html", {"form": form}, status=status)


def _key(pk: UUID) -> ApiKey | None:
    return ApiKey.objects.select_related("client").filter(pk=pk).first()


def _facts(key: ApiKey) -> list[Fact]:
    return [
        (_("Key"), f"{key.prefix}…"),
        (_("Client"), key.client_id),
        (_("Created"), key.created_at.date().isoformat()),
        (_("Last used"), key.last_used_on.isoformat() if key.last_used_on else _("never")),
        (_("Expires"), key.expires_at.date().isoformat()),
    ]


_WORDS: Final = Words(
    link=_("Revoke permanently"),
    question=_("Revoke this key?"),
    meaning=(
        _("Within two seconds, every program that uses it is refused. This cannot be undone."),
        _("All owners are told by e-mail what to do next and find the same information in the audit log."),
    ),
    done=_("The key has been revoked."),
    already=_("The key has already been revoked. No changes were made."),
    is_grave=True,
)


def _objection(key: ApiKey) -> Promise | None:
    if key.revoked_at:
        return _WORDS.already
    return messages.OPERATOR_REFUSALS["client_gone"] if key.client.state == Client.State.GONE else None


REVOKE: Final = StaffAction(
    words=_WORDS,
    find=_key,
    client_of=lambda key: key.client_id,
    facts=_facts,
    objection=_objection,
    back=lambda key: reverse("admin:accounts_client_change", args=[key.client_id]),
    carry_out=lambda key, justification, _form: leaked_keys.revoke(key, justification),
)

PAGES: Final = (
    Page(
        "find_leaked_key", "keys/revoke/", find, "apikeys.revoke_by_prefix", _("Revoke a leaked key"),
        changes=True, section="security",
    ),
    Page(
        "revoke_key", "keys/<uuid:pk>/revoke/", pages.view(REVOKE), "apikeys.revoke_by_prefix", REVOKE.words.link,
        changes=True, on=ApiKey, is_offered=lambda key: key.revoked_at is None,
    ),
)  # fmt: skip
