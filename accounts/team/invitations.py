"""Invitations: an owner invites a colleague, who accepts and becomes a member.

The owner never learns whether an e-mail address already belongs to a user of another client: the page and the list
look the same, and only the mail differs. The link is signed and works once; each mail invalidates the links before it.
"""

import hashlib
from dataclasses import replace
from datetime import timedelta
from typing import Final

from allauth.account.models import EmailAddress
from django.conf import settings
from django.core import signing
from django.core.cache import cache
from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language

from accounts import audit, mail
from accounts.actor import Actor
from accounts.audit.events import AuditEvent
from accounts.errors import Refusal
from accounts.models import Client, Invitation, User
from accounts.permissions import Permission
from accounts.profile import details
from accounts.team import members

VALID_FOR: Final = timedelta(days=7)
QUIET: Final = timedelta(minutes=1)
"""Within this time an invitation is not mailed again: a second click must not invalidate the first mail's link."""

MAILS_PER_DAY: Final = 100
_DAY_SECONDS: Final = 24 * 3600
_SALT: Final = "accounts.invitations"


def invite(client: Client, email: str, *, by: Actor) -> Invitation:
    """Invite a colleague as a member and mail them the link; inviting twice renews the first invitation.

    A user of another client is mailed, once a day at most, that they already have an account. Raises Refusal
    `already_here` for a user of this client, `user_limit_reached`, `too_many_invitations`, `no_longer_owner`.
    """
    email = email.strip().lower()
    with transaction.atomic():
        client = by.lock(client, Permission.MEMBERS_CHANGE)  # Two clicks at once must not pass the limit together.
        if client.users.filter(email=email).exists():
            raise Refusal("already_here", email=email)
        found = client.invitations.filter(email=email).first()
        if found is not None:
            return _renewed(client, found, by=by)
        members.refuse_if_full(client)
        _limit_mails(client)
        invitation = Invitation.objects.create(
            client=client, email=email, invited_by=by.user, expires_at=timezone.now() + VALID_FOR
        )
        audit.record(AuditEvent.MEMBER_INVITED, client=client, by=by, detail={"email": email})
        _send(invitation, language=get_language() or "")
    return invitation


def resend(invitation: Invitation, *, by: Actor) -> Invitation:
    """Mail an invitation again, valid for seven days from now; the older link ends.

    Raises Refusal `invitation_over` when it was used or withdrawn meanwhile, `user_limit_reached`,
    `too_many_invitations`, `no_longer_owner`.
    """
    with transaction.atomic():
        client = by.lock(invitation.client, Permission.MEMBERS_CHANGE)
        found = client.invitations.filter(pk=invitation.pk).first()
        if found is None:
            raise Refusal("invitation_over")
        return _renewed(client, found, by=by)


def withdraw(invitation: Invitation, *, by: Actor) -> None:
    """Withdraw an invitation, which ends its link. A second time changes nothing. Raises Refusal `no_longer_owner`."""
    with transaction.atomic():
        client = by.lock(invitation.client, Permission.MEMBERS_CHANGE)
        deleted, _by_model = client.invitations.filter(pk=invitation.pk).delete()
        if deleted:
            detail = {"email": invitation.email}
            audit.record(AuditEvent.INVITATION_WITHDRAWN, client=client, by=by, detail=detail)


def token(invitation: Invitation) -> str:
    """Return the signed token of the mailed link: the invitation and the nonce of its latest mail."""
    return signing.dumps([invitation.pk.hex, invitation.nonce.hex], salt=_SALT)


def find(token: str) -> Invitation:
    """Return the open invitation of a mailed link.

    Raises Refusal `invitation_foreign` for a forged or changed link, `invitation_over` for one that was used,
    withdrawn or replaced by a newer mail, `invitation_expired`.
    """
    try:
        key, nonce = signing.loads(token, salt=_SALT)
    except signing.BadSignature:
        raise Refusal("invitation_foreign") from None
    invitation = Invitation.objects.filter(pk=key, nonce=nonce).select_related("client", "invited_by").first()
    if invitation is None or invitation.client.state != Client.State.ACTIVE:
        raise Refusal("invitation_over")
    if invitation.expires_at <= timezone.now():
        raise Refusal("invitation_expired")
    return invitation


def accept(invitation: Invitation, *, name: str, password: str, by: Actor) -> User:
    """Make the invited colleague a member and end the invitation; the mailed link has verified the e-mail address.

    The caller signs them in. Raises Refusal `invitation_over` when it was used or withdrawn or the client is not
    active, `invitation_has_account` when the address now belongs to a user, `client_full` when the client is full.
    """
    with transaction.atomic():
        client = Client.objects.lock(invitation.client)
        if client.state != Client.State.ACTIVE:
            raise Refusal("invitation_over")
        deleted, _by_model = client.invitations.filter(pk=invitation.pk, nonce=invitation.nonce).delete()
        if not deleted:
            raise Refusal("invitation_over")
        if User.objects.filter(email=invitation.email).exists():
            raise Refusal("invitation_has_account")
        if client.users.filter(is_active=True).count() >= client.user_limit:
            raise Refusal("client_full")
        user = User.objects.create_user(
            invitation.email, password, client=client, role=User.Role.MEMBER, language=get_language() or ""
        )
        details.save_name(user, name)
        EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
        audit.record(AuditEvent.MEMBER_JOINED, client=client, by=replace(by, user=user), detail={"user": user.email})
    return user


def renew(client: Client, invitation: Invitation, *, by: User | None = None) -> bool:
    """Mail an invitation again while the client is locked; return False when it was mailed less than a minute ago.

    Without `by` it is sent in the name of the member who invited. The caller records it. Raises Refusal
    `user_limit_reached`, `too_many_invitations`.
    """
    now = timezone.now()
    if invitation.sent_at > now - QUIET:
        return False
    if invitation.expires_at <= now:  # An expired invitation takes no seat; from here on it takes one again.
        members.refuse_if_full(client)
    _limit_mails(client)
    fresh = Invitation(client=client, expires_at=now + VALID_FOR)
    invitation.nonce, invitation.sent_at, invitation.expires_at = fresh.nonce, now, fresh.expires_at
    invitation.invited_by = by or invitation.invited_by or client.users.filter(role=User.Role.OWNER).first()
    invitation.save(update_fields=["nonce", "sent_at", "expires_at", "invited_by"])
    _send(invitation, language="" if by is None else get_language() or "")
    return True


def _renewed(client: Client, invitation: Invitation, *, by: Actor) -> Invitation:
    if renew(client, invitation, by=by.user):
        detail = {"email": invitation.email}
        audit.record(AuditEvent.INVITATION_RESENT, client=client, by=by, detail=detail)
    return invitation


def _send(invitation: Invitation, *, language: str) -> None:
    """Mail the link, or to an existing user that they have an account. Nothing the owner typed is repeated.

    Without a language the mail is in the language of the member who invited.
    """
    by = invitation.invited_by
    user = User.objects.filter(email=invitation.email).first()
    if user is None:
        context = {
            "by": by.email if by else "",
            "link": settings.SITE_URL + reverse("accounts:accept", args=[token(invitation)]),
            "expires_at": invitation.expires_at,
        }
        language = language or (by.language if by else "")
        mail.send_on_commit("invitation", to=invitation.email, language=language, context=context)
    elif _once_a_day(invitation.email):
        context = {"by": by.email if by else "", "link": settings.SITE_URL + reverse(settings.LOGIN_URL)}
        mail.send_on_commit("already_a_user", to=user.email, language=user.language, context=context)


def _once_a_day(email: str) -> bool:
    # Only a hash of the e-mail address goes into the cache, which may be on another machine.
    name = hashlib.sha256(email.encode()).hexdigest()
    return cache.add(f"already_a_user:{name}", 1, timeout=_DAY_SECONDS)


def _limit_mails(client: Client) -> None:
    counter = f"invitation_mails:{client.pk}"
    cache.add(counter, 0, timeout=_DAY_SECONDS)
    if cache.incr(counter) > MAILS_PER_DAY:
        raise Refusal("too_many_invitations", limit=MAILS_PER_DAY)
