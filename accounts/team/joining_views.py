"""Where the links of mails lead: into a client as an invited colleague, or away from an owner's recovery."""

from allauth.account.utils import perform_login
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts import messages as account_messages
from accounts.actor import Actor
from accounts.auth.allauth_internals import record_authentication
from accounts.errors import Refusal
from accounts.models import Invitation, User
from accounts.team import invitations, owner_recovery
from accounts.team.forms import JoinForm

read_or_send = require_http_methods(["GET", "HEAD", "POST"])


@read_or_send
@login_not_required
@never_cache
def accept(request: HttpRequest, token: str) -> HttpResponse:
    """Ask an invited colleague for a name and a password; a post lets them in. Only a post uses the link up."""
    if isinstance(request.user, User):
        return _refused(request, Refusal("invitation_signed_in", email=request.user.email), status=409)
    try:
        return _join(request, invitations.find(token))
    except Refusal as refusal:
        return _refused(request, refusal, status=410)


def _refused(request: HttpRequest, refusal: Refusal, *, status: int) -> HttpResponse:
    context = {"problem": account_messages.refusal(refusal), "code": refusal.code}
    return render(request, "accounts/team/invitation_over.html", context, status=status)


def _join(request: HttpRequest, invitation: Invitation) -> HttpResponse:
    form = JoinForm(request.POST if request.method == "POST" else None, email=invitation.email)
    if not form.is_valid():
        context = {"form": form, "invitation": invitation, "by": invitation.invited_by}
        return render(request, "accounts/team/join.html", context, status=422 if form.errors else 200)
    chosen = form.cleaned_data
    user = invitations.accept(invitation, name=chosen["name"], password=chosen["password"], by=Actor.of(request))
    messages.success(request, _("Welcome! You can now check IBANs."))
    record_authentication(request, user, method="password")
    response: HttpResponse = perform_login(request, user, email=user.email, signup=True)
    return response


@read_or_send
@login_not_required
@never_cache
def cancel_recovery(request: HttpRequest, token: str) -> HttpResponse:
    """Say what the operator was asked for; a post stops it."""
    found = owner_recovery.find(token)
    if found is None:
        return render(request, "accounts/team/recovery_over.html", status=410)
    if request.method != "POST":
        context = {"email": found.user.email, "due_at": owner_recovery.due_at(found)}
        return render(request, "accounts/team/cancel_recovery.html", context)
    owner_recovery.cancel(found)
    messages.success(request, _("The request has been stopped. The account owners will be notified."))
    return redirect("validation:check")
