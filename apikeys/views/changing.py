"""The pages on which a key is edited and revoked."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.access import MemberRequest, allowed, recent_login
from accounts.errors import Refusal
from accounts.permissions import Permission
from apikeys import keys
from apikeys import messages as apikey_messages
from apikeys.models import ApiKey
from apikeys.views import listing
from apikeys.views.forms import KeyForm

read_or_send = require_http_methods(["GET", "HEAD", "POST"])


@allowed(Permission.KEYS_CHANGE)
@read_or_send
@recent_login
def edit(request: MemberRequest, pk: UUID) -> HttpResponseBase:
    """Show what can be changed; a POST changes it."""
    key = listing.find(request, pk)
    if request.method != "POST":
        initial = {
            "name": keys.name(key),
            "scopes": key.scopes,
            "expires_on": timezone.localdate(key.expires_at),
            "rate_per_minute": key.rate_per_minute,
        }
        return _form_page(request, key, KeyForm(key=key, initial=initial))
    form = KeyForm(request.POST, key=key)
    if not form.is_valid():
        return _form_page(request, key, form)
    try:
        keys.edit(key, form.draft(), by=request.actor)
    except Refusal as refusal:
        form.refuse(refusal)
        return _form_page(request, key, form)
    messages.success(request, _("The key has been saved."))
    return redirect("apikeys:key", pk=pk)


@allowed(Permission.KEYS_CHANGE)
@read_or_send
@recent_login
def revoke(request: MemberRequest, pk: UUID) -> HttpResponseBase:
    """Explain what revoking means; a POST revokes the key."""
    key = listing.find(request, pk)
    row = listing.row_of(key, timezone.now(), entries=0)
    if request.method != "POST":
        return render(request, "apikeys/revoke.html", {"row": row})
    try:
        keys.revoke(key, by=request.actor)
    except Refusal as refusal:
        messages.error(request, apikey_messages.refusal(refusal))
        return redirect("apikeys:keys")
    messages.success(request, _("The key “%(name)s” has been revoked.") % {"name": row.name})
    return redirect("apikeys:keys")


def _form_page(request: MemberRequest, key: ApiKey, form: KeyForm) -> HttpResponse:
    context = {"form": form, "row": listing.row_of(key, timezone.now(), entries=0)}
    return render(request, "apikeys/edit.html", context, status=422 if form.errors else 200)
