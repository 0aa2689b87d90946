"""What the accounts hold of a client: its users and how they come in, its details, counts and history."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from allauth.account.models import EmailAddress, EmailConfirmation
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.db.models import Model

from accounts import chunks, history, usage
from accounts.guard import blocks
from accounts.identity import presence
from accounts.models import (
    BillingDetails,
    Client,
    ContactDetails,
    HistoryDetail,
    HistoryEntry,
    Invitation,
    OwnerRecovery,
    UsageDay,
    User,
)
from accounts.shelves import SHELVES
from privacy.tables import Table

INVITATIONS_KEPT: Final = timedelta(days=30)
"""After their end, so that an owner sees who has not come."""

CONFIRMATIONS_KEPT: Final = timedelta(days=3)
"""As long as their links work."""

HOLDS: Final[tuple[type[Model], ...]] = (
    Client,
    User,
    Invitation,
    OwnerRecovery,
    ContactDetails,
    BillingDetails,
    UsageDay,
    HistoryEntry,
    HistoryDetail,
    EmailAddress,
    EmailConfirmation,
    Authenticator,
    UserSession,
    # It names nobody in clear: whose it is lies sealed in it. It goes when its UserSession is ended, or by itself.
    Session,
)


def count(client: Client) -> dict[str, int]:
    """Return how many rows each table that `export` yields has, by its name."""
    return {shelf.name: shelf.rows(client).count() for shelf in SHELVES}


def export(client: Client) -> Iterator[Table]:
    """Yield what the accounts hold of a client, with what is sealed opened."""
    return (shelf.table(client) for shelf in SHELVES)


def prune(now: datetime) -> dict[str, int]:
    """Delete what is past its end: see deploy/data.md."""
    return {
        "history addresses": history.forget_addresses(now),
        "sessions": presence.forget_ended(now),
        "invitations": chunks.delete(Invitation.objects.filter(expires_at__lt=now - INVITATIONS_KEPT)),
        "confirmations": chunks.delete(EmailConfirmation.objects.filter(sent__lt=now - CONFIRMATIONS_KEPT)),
        "usage": chunks.delete(UsageDay.objects.filter(day__lt=usage.kept_since(now))),
        "blocks": blocks.forget_expired(now),
    }
