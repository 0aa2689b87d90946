"""The members of a client as a whole: seats, and two-factor authentication for all. One member: member_actions.py."""

from collections.abc import Iterable

from allauth.mfa.models import Authenticator
from django.db import transaction
from django.utils import timezone

from accounts import audit
from accounts.actor import Actor
from accounts.audit.events import AuditEvent
from accounts.errors import Refusal
from accounts.models import Client, User
from accounts.permissions import Permission

_FACTORS = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)


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


def _set_second_factor(client: Client, *, needed: bool) -> None:
    client.needs_second_factor = needed
    client.save(update_fields=["needs_second_factor"])
