"""Where the links of mails about a deletion lead: to its confirmation, or away from it. Only a post does something."""

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
    """Say what will be deleted and when; a post lets it begin."""
    found = requesting.to_confirm(token)
    if found is None:
        return _over(request)
    if request.method == "POST":
        try:
            found = requesting.confirm(found)
        except Refusal:
            return _over(request)
    return render(request, "privacy/deletion/confirm.html", {"deletion": found, "is_confirmed": _waits(found)})


@read_or_send
@login_not_required
@never_cache
def cancel(request: HttpRequest, token: str) -> HttpResponse:
    """Say what will be deleted and when; a post stops it."""
    found = requesting.to_cancel(token)
    if found is None:
        return _over(request)
    if request.method == "POST":
        try:
            requesting.cancel(found)
        except Refusal as refusal:
            messages.error(request, privacy_messages.refusal(refusal))
            return _over(request)
        messages.success(request, _("The deletion has been cancelled. Everything works as before."))
        return redirect("validation:check")
    return render(request, "privacy/deletion/cancel.html", {"deletion": found, "is_confirmed": _waits(found)})


def _waits(found: DeletionRequest) -> bool:
    return found.state != DeletionRequest.State.REQUESTED


def _over(request: HttpRequest) -> HttpResponse:
    return render(request, "privacy/deletion/over.html", status=410)
