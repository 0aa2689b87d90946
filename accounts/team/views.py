"""A client's members: the owners' page, and the pages that links in mails lead to."""

from dataclasses import dataclass
from uuid import UUID

from allauth.account.utils import perform_login
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from accounts import messages as account_messages
from accounts.access import MemberRequest, allowed, recent_login
from accounts.actor import Actor
from accounts.auth.allauth_internals import record_authentication
from accounts.errors import Refusal
from accounts.models import Client, Invitation, User
from accounts.permissions import Permission
from accounts.profile import details
from accounts.team import invitations, members, owner_recovery
from accounts.team.forms import InvitationForm, JoinForm
from accounts.team.member_actions import ACTIONS, MemberAction, MemberState

read_or_send = require_http_methods(["GET", "HEAD", "POST"])


@dataclass(frozen=True, slots=True)
class MemberRow:
    """One member in the list."""

    state: MemberState
    name: str
    actions: list[MemberAction]


@allowed(Permission.MEMBERS_VIEW)
@require_safe
def users(request: MemberRequest) -> HttpResponse:
    """Show the client's members and open invitations, and the form to invite another."""
    return _users_page(request, InvitationForm())


@allowed(Permission.MEMBERS_INVITE)
@read_or_send
@recent_login
def invite(request: MemberRequest) -> HttpResponseBase:
    """Invite a colleague by POST; the GET that follows a renewed sign-in leads back to the list."""
    if request.method != "POST":
        return redirect("accounts:users")
    form = InvitationForm(request.POST)
    if not form.is_valid():
        return _users_page(request, form)
    try:
        invitation = invitations.invite(request.client, form.cleaned_data["email"], by=request.actor)
    except Refusal as refusal:
        form.refuse(refusal, "email")
        return _users_page(request, form)
    messages.success(request, _("We have sent an invitation to %(email)s.") % {"email": invitation.email})
    return redirect("accounts:users")


@allowed(Permission.MEMBERS_INVITE)
@read_or_send
@recent_login
def resend(request: MemberRequest, pk: UUID) -> HttpResponseBase:
    """Mail an invitation again by POST."""
    invitation = get_object_or_404(Invitation, client=request.client, pk=pk)
    if request.method == "POST":
        try:
            invitation = invitations.resend(invitation, by=request.actor)
            messages.success(request, _("We have sent an invitation to %(email)s.") % {"email": invitation.email})
        except Refusal as refusal:
            messages.error(request, account_messages.refusal(refusal))
    return redirect("accounts:users")


@allowed(Permission.MEMBERS_INVITE)
@read_or_send
@recent_login
def withdraw(request: MemberRequest, pk: UUID) -> HttpResponseBase:
    """Withdraw an invitation by POST."""
    invitation = get_object_or_404(Invitation, client=request.client, pk=pk)
    if request.method == "POST":
        try:
            invitations.withdraw(invitation, by=request.actor)
            messages.success(
                request, _("The invitation to %(email)s has been withdrawn.") % {"email": invitation.email}
            )
        except Refusal as refusal:
            messages.error(request, account_messages.refusal(refusal))
    return redirect("accounts:users")


@allowed(Permission.MEMBERS_CHANGE)
@read_or_send
@recent_login
def change(request: MemberRequest, pk: UUID, action: str) -> HttpResponseBase:
    """Ask for confirmation of an action on a member; a POST carries it out."""
    chosen = ACTIONS.get(action)
    member = User.objects.filter(client=request.client, pk=pk).first()
    if chosen is None or member is None:
        raise Http404
    who = {"who": member.email}
    context = {"question": chosen.question % who, "action": chosen, "is_self": member == request.user}
    if request.method != "POST":
        return render(request, "accounts/team/change_user.html", context)
    try:
        chosen.carry_out(member, by=request.actor)
    except Refusal as refusal:
        refused = {**context, "problem": account_messages.refusal(refusal)}
        return render(request, "accounts/team/change_user.html", refused, status=409)
    messages.success(request, chosen.done % who)
    # Owners who gave up their own ownership may not see the members any more.
    request.user.refresh_from_db()
    return redirect("accounts:users" if request.user.may(Permission.MEMBERS_VIEW) else "accounts:profile")


@read_or_send
@login_not_required
@never_cache
def accept(request: HttpRequest, token: str) -> HttpResponse:
    """Ask an invited colleague for a name and a password; a POST uses the link up and signs them in."""
    if isinstance(request.user, User):
        return _invitation_refused(request, Refusal("invitation_signed_in", email=request.user.email), status=409)
    try:
        invitation = invitations.find(token)
        form = JoinForm(request.POST if request.method == "POST" else None, email=invitation.email)
        if not form.is_valid():
            context = {"form": form, "invitation": invitation, "by": invitation.invited_by}
            return render(request, "accounts/team/join.html", context, status=422 if form.errors else 200)
        user = invitations.accept(
            invitation, name=form.cleaned_data["name"], password=form.cleaned_data["password"], by=Actor.of(request)
        )
    except Refusal as refusal:
        return _invitation_refused(request, refusal, status=410)
    messages.success(request, _("Welcome! You can now check IBANs."))
    record_authentication(request, user, method="password")
    response: HttpResponse = perform_login(request, user, email=user.email, signup=True)
    return response


@read_or_send
@login_not_required
@never_cache
def cancel_recovery(request: HttpRequest, token: str) -> HttpResponse:
    """Show which new owner was requested from the operator; a POST cancels the request."""
    recovery = owner_recovery.find(token)
    if recovery is None:
        return render(request, "accounts/team/recovery_over.html", status=410)
    if request.method != "POST":
        context = {"email": recovery.user.email, "due_at": owner_recovery.due_at(recovery)}
        return render(request, "accounts/team/cancel_recovery.html", context)
    owner_recovery.cancel(recovery)
    messages.success(request, _("The request has been stopped. The account owners will be notified."))
    return redirect("validation:check")


def _invitation_refused(request: HttpRequest, refusal: Refusal, *, status: int) -> HttpResponse:
    context = {"problem": account_messages.refusal(refusal), "code": refusal.code}
    return render(request, "accounts/team/invitation_over.html", context, status=status)


def _users_page(request: MemberRequest, form: InvitationForm) -> HttpResponse:
    now = timezone.now()
    taken, limit = members.seats_taken(request.client), request.client.user_limit
    context = {
        "form": form,
        "rows": _member_rows(request.client, request.user),
        # Newest first, each with whether it has expired.
        "invitations": [(row, row.expires_at <= now) for row in request.client.invitations.order_by("-sent_at")],
        "taken": taken,
        "limit": limit,
        "is_full": taken >= limit,
    }
    return render(request, "accounts/team/users.html", context, status=422 if form.errors else 200)


def _member_rows(client: Client, reader: User) -> list[MemberRow]:
    users = list(client.users.order_by("-is_active", "role", "joined_at"))
    secured = members.with_second_factor(users)
    owners = sum(user.is_active and user.role == User.Role.OWNER for user in users)
    rows = []
    for user in users:
        state = MemberState(user, is_self=user.pk == reader.pk, has_second_factor=user.pk in secured, owners=owners)
        offered = [action for action in ACTIONS.values() if action.is_offered(state)]
        rows.append(MemberRow(state=state, name=details.name(user), actions=offered))
    return rows
