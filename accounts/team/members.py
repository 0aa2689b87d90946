"""Actions of owners on the members of their client.

Every action locks the client's row and then reads the roles again, so that two owners who act on each other at the
same moment cannot leave a client without an owner. An action that is already done changes and records nothing.
"""

from collections.abc import Iterable

from allauth.mfa.models import Authenticator
from django.db import transaction
from django.utils import timezone

from accounts import audit, mail, messages
from accounts.actor import Actor
from accounts.audit.events import AuditEvent
from accounts.auth import presence
from accounts.errors import Refusal
from accounts.models import Client, User
from accounts.permissions import Permission

_FACTORS = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)


def deactivate(member: User, *, by: Actor) -> None:
    """Deactivate a member, sign them out everywhere and mail them. Raises Refusal `yourself` or `no_longer_owner`."""
    with transaction.atomic():
        member = _lock_member(member, by)
        _refuse_oneself(member, by)
        if not member.is_active:
            return
        member.is_active = False
        member.save(update_fields=["is_active"])
        presence.end_all(member)
        _record(AuditEvent.MEMBER_DEACTIVATED, member, by=by)


def reactivate(member: User, *, by: Actor) -> None:
    """Activate a member again and mail them. Raises Refusal `user_limit_reached` or `no_longer_owner`."""
    with transaction.atomic():
        member = _lock_member(member, by)
        if member.is_active:
            return
        refuse_if_full(_client(member))
        member.is_active = True
        member.save(update_fields=["is_active"])
        _record(AuditEvent.MEMBER_REACTIVATED, member, by=by)


def remove(member: User, *, by: Actor) -> None:
    """Delete a member with their password, factors and sessions; the audit log keeps their actions.

    Raises Refusal `yourself` or `no_longer_owner`.
    """
    with transaction.atomic():
        member = _lock_member(member, by)
        _refuse_oneself(member, by)
        presence.end_all(member)
        _record(AuditEvent.MEMBER_REMOVED, member, by=by)
        member.delete()


def reset_factors(member: User, *, by: Actor) -> None:
    """Remove a colleague's passkeys, authenticator app and recovery codes, and sign them out everywhere.

    Both the owners and the colleague are mailed. Raises Refusal `yourself` (one's own factors have a page of their
    own) or `no_longer_owner`.
    """
    with transaction.atomic():
        member = _lock_member(member, by)
        _refuse_oneself(member, by)
        deleted, _by_model = Authenticator.objects.filter(user=member).delete()
        if not deleted:
            return
        presence.end_all(member)
        _record(AuditEvent.MEMBER_FACTORS_RESET, member, by=by)


def give_ownership(member: User, *, by: Actor) -> None:
    """Make a member an additional owner. Raises Refusal `not_a_member` or `no_longer_owner`."""
    with transaction.atomic():
        member = _lock_member(member, by)
        if not member.is_active:
            raise Refusal("not_a_member")
        if member.role == User.Role.OWNER:
            return
        member.role = User.Role.OWNER
        member.save(update_fields=["role"])
        _record(AuditEvent.OWNERSHIP_GIVEN, member, by=by)


def take_ownership(member: User, *, by: Actor) -> None:
    """Make an owner, or oneself, an ordinary member. Raises Refusal `last_owner` or `no_longer_owner`."""
    with transaction.atomic():
        member = _lock_member(member, by)
        if member.role != User.Role.OWNER:
            return
        owners = _client(member).users.filter(role=User.Role.OWNER, is_active=True)
        if not owners.exclude(pk=member.pk).exists():
            raise Refusal("last_owner")
        member.role = User.Role.MEMBER
        member.save(update_fields=["role"])
        _record(AuditEvent.OWNERSHIP_TAKEN, member, by=by)


def hand_over(member: User, *, by: Actor) -> None:
    """Make a member an owner in one's own place. Raises Refusal `not_a_member` or `no_longer_owner`."""
    with transaction.atomic():
        give_ownership(member, by=by)
        if member.pk != by.pk:
            take_ownership(by.signed_in, by=by)


def require_second_factor(client: Client, *, by: Actor) -> None:
    """Require two-factor authentication of all members.

    Raises Refusal `own_factor_first` for an owner who has none: they would lock themselves out.
    """
    with transaction.atomic():
        client = by.lock(client, Permission.MEMBERS_CHANGE)
        if client.needs_second_factor:
            return
        if by.pk not in with_second_factor([by.signed_in]):
            raise Refusal("own_factor_first")
        _set_second_factor(client, needed=True)
        audit.record(AuditEvent.SECOND_FACTOR_REQUIRED, client=client, by=by)


def make_second_factor_optional(client: Client, *, by: Actor) -> None:
    """Make two-factor authentication optional for all members."""
    with transaction.atomic():
        client = by.lock(client, Permission.MEMBERS_CHANGE)
        if not client.needs_second_factor:
            return
        _set_second_factor(client, needed=False)
        audit.record(AuditEvent.SECOND_FACTOR_OPTIONAL, client=client, by=by)


def with_second_factor(users: Iterable[User]) -> set[object]:
    """Return the ids of those users who have a passkey or an authenticator app."""
    keys = [user.pk for user in users]
    return set(Authenticator.objects.filter(user__in=keys, type__in=_FACTORS).values_list("user_id", flat=True))


def seats_taken(client: Client) -> int:
    """Return how many of the client's seats are taken: users who may sign in, and open invitations."""
    invited = client.invitations.filter(expires_at__gt=timezone.now())
    return client.users.filter(is_active=True).count() + invited.count()


def refuse_if_full(client: Client) -> None:
    """Raise Refusal `user_limit_reached` when no seat is free; call it while the client is locked."""
    if seats_taken(client) >= client.user_limit:
        raise Refusal("user_limit_reached", limit=client.user_limit)


def _lock_member(member: User, by: Actor) -> User:
    """Lock the client and return the member with all earlier changes."""
    client = by.lock(_client(member), Permission.MEMBERS_CHANGE)
    found = client.users.filter(pk=member.pk).first()
    if found is None:
        raise Refusal("gone")
    return found


def _client(member: User) -> Client:
    if member.client is None:
        raise Refusal("gone")
    return member.client


def _refuse_oneself(member: User, by: Actor) -> None:
    if member.pk == by.pk:
        raise Refusal("yourself")


def _set_second_factor(client: Client, *, needed: bool) -> None:
    client.needs_second_factor = needed
    client.save(update_fields=["needs_second_factor"])


def _record(event: AuditEvent, member: User, *, by: Actor) -> None:
    """Record the action, which mails the owners, and mail the member concerned."""
    audit.record(event, client=_client(member), by=by, detail={"user": member.email})
    is_mailed_as_owner = member.is_active and member.role == User.Role.OWNER
    if member.pk != by.pk and not is_mailed_as_owner:
        context = {"event": messages.TO_MEMBERS[event], "by": by.email, "at": timezone.now()}
        mail.send_on_commit("about_you", to=member.email, language=member.language, context=context)
