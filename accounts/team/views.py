"""The users of a client, as its owners see and change them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts import messages as account_messages
from accounts.access import MemberRequest, allowed, recent_login
from accounts.errors import Refusal
from accounts.models import Client, Invitation, User
from accounts.permissions import Permission
from accounts.profile import details
from accounts.team import invitations, members
from accounts.team.forms import InvitationForm

read_or_send = require_http_methods(["GET", "HEAD", "POST"])

ACTIONS: Final[dict[str, Callable[..., None]]] = {
    "deactivate": members.deactivate,
    "reactivate": members.reactivate,
    "remove": members.remove,
    "reset-factors": members.reset_factors,
    "give-ownership": members.give_ownership,
    "hand-over": members.hand_over,
    "take-ownership": members.take_ownership,
}
"""The last part of the path → the deed."""


@dataclass(frozen=True, slots=True)
class Row:
    """One user of the list."""

    user: User
    name: str
    has_second_factor: bool
    is_self: bool
    actions: list[tuple[str, account_messages.ActionTexts]]


@allowed(Permission.MEMBERS_VIEW)
@require_safe
def users(request: MemberRequest) -> HttpResponse:
    """Show the client's users and open invitations, and the form to invite another."""
    return _users_page(request, InvitationForm())


@allowed(Permission.MEMBERS_INVITE)
@read_or_send
@recent_login
def invite(request: MemberRequest) -> HttpResponseBase:
    """Invite a colleague; only a post does."""
    if request.method != "POST":
        return redirect("accounts:users")
    form = InvitationForm(request.POST)
    if not form.is_valid():
        return _users_page(request, form)
    try:
        found = invitations.invite(request.client, form.cleaned_data["email"], by=request.actor)
    except Refusal as refusal:
        form.refuse(refusal, "email")
        return _users_page(request, form)
    messages.success(request, _("We have sent an invitation to %(email)s.") % {"email": found.email})
    return redirect("accounts:users")


@allowed(Permission.MEMBERS_INVITE)
@read_or_send
@recent_login
def resend(request: MemberRequest, pk: UUID) -> HttpResponseBase:
    """Mail an invitation once more; only a post does."""
    invitation = get_object_or_404(Invitation, client=request.client, pk=pk)
    if request.method == "POST":
        try:
            found = invitations.resend(invitation, by=request.actor)
            messages.success(request, _("We have sent an invitation to %(email)s.") % {"email": found.email})
        except Refusal as refusal:
            messages.error(request, account_messages.refusal(refusal))
    return redirect("accounts:users")


@allowed(Permission.MEMBERS_INVITE)
@read_or_send
@recent_login
def withdraw(request: MemberRequest, pk: UUID) -> HttpResponseBase:
    """Take an invitation back; only a post does."""
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
    """Say what a deed will do to a user; a post does it."""
    do = ACTIONS.get(action)
    member = User.objects.filter(client=request.client, pk=pk).first()
    if do is None or member is None:
        raise Http404
    words = account_messages.MEMBER_ACTIONS[action]
    context = {"question": words.question % {"who": member.email}, "words": words, "is_self": member == request.user}
    if request.method != "POST":
        return render(request, "accounts/team/change_user.html", context)
    try:
        do(member, by=request.actor)
    except Refusal as refusal:
        refused = {**context, "problem": account_messages.refusal(refusal)}
        return render(request, "accounts/team/change_user.html", refused, status=409)
    messages.success(request, words.done % {"who": member.email})
    # Whoever gave up their own ownership may not see the users any more.
    request.user.refresh_from_db()
    return redirect("accounts:users" if request.user.may(Permission.MEMBERS_VIEW) else "accounts:profile")


def _users_page(request: MemberRequest, form: InvitationForm) -> HttpResponse:
    now = timezone.now()
    taken, limit = members.seats_taken(request.client), request.client.user_limit
    context = {
        "form": form,
        "rows": _rows(request.client, request.user),
        "invitations": _invitations(request.client, now),
        "taken": taken,
        "limit": limit,
        "is_full": taken >= limit,
    }
    return render(request, "accounts/team/users.html", context, status=422 if form.errors else 200)


def _rows(client: Client, reader: User) -> list[Row]:
    found = list(client.users.order_by("-is_active", "role", "joined_at"))
    secured = members.with_second_factor(found)
    owners = sum(user.is_active and user.role == User.Role.OWNER for user in found)
    return [
        Row(
            user=user,
            name=details.name(user),
            has_second_factor=user.pk in secured,
            is_self=user.pk == reader.pk,
            actions=_actions(user, is_self=user.pk == reader.pk, secured=user.pk in secured, owners=owners),
        )
        for user in found
    ]


def _actions(
    user: User, *, is_self: bool, secured: bool, owners: int
) -> list[tuple[str, account_messages.ActionTexts]]:
    """Return the deeds to offer for a user; what is not offered is refused all the same."""
    is_owner = user.role == User.Role.OWNER
    offered = {
        "give-ownership": user.is_active and not is_owner,
        "hand-over": user.is_active and not is_owner,
        "take-ownership": is_owner and (owners > 1 or not is_self),
        "reset-factors": secured and not is_self,
        "deactivate": user.is_active and not is_self,
        "reactivate": not user.is_active,
        "remove": not is_self,
    }
    return [(action, words) for action, words in account_messages.MEMBER_ACTIONS.items() if offered[action]]


def _invitations(client: Client, now: datetime) -> list[tuple[Invitation, bool]]:
    """Return every invitation with whether it has expired, the newest first."""
    return [(found, found.expires_at <= now) for found in client.invitations.order_by("-sent_at")]
