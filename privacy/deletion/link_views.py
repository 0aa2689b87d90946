"""Pages behind mailed links: confirm or cancel a deletion. Only a POST changes anything."""

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.errors import Refusal
from privacy import messages as privacy_messages
from privacy.deletion import requesting
from privacy.models import DeletionRequest

read_or_send = require_http_methods(["GET", "HEAD", "POST"])


@read_or_send
@login_not_required
@never_cache
def confirm(request: HttpRequest, token: str) -> HttpResponse:
    """Show what will be deleted and when; a POST starts the grace period."""
    found = requesting.to_confirm(token)
    if found is None:
        return _expired(request)
    if request.method == "POST":
        try:
            found = requesting.confirm(found)
        except Refusal:
            return _expired(request)
    return render(request, "privacy/deletion/confirm.html", {"deletion": found, "is_confirmed": _is_confirmed(found)})


@read_or_send
@login_not_required
@never_cache
def cancel(request: HttpRequest, token: str) -> HttpResponse:
    """Show what will be deleted and when; a POST cancels it."""
    found = requesting.to_cancel(token)
    if found is None:
        return _expired(request)
    if request.method == "POST":
        try:
            requesting.cancel(found)
        except Refusal as refusal:
            messages.error(request, privacy_messages.refusal(refusal))
            return _expired(request)
        messages.success(request, _("The deletion has been cancelled. Everything works as before."))
        return redirect("validation:check")
    return render(request, "privacy/deletion/cancel.html", {"deletion": found, "is_confirmed": _is_confirmed(found)})


def _is_confirmed(found: DeletionRequest) -> bool:
    return found.state != DeletionRequest.State.REQUESTED


def _expired(request: HttpRequest) -> HttpResponse:
    return render(request, "privacy/deletion/over.html", status=410)
