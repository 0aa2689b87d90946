"""What the accounts hold of a client: its users and how they come in, its details, counts and history."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from allauth.account.models import EmailAddress, EmailConfirmation
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import Model, QuerySet

from accounts import batch
from accounts.audit import client_log, staff_log
from accounts.auth import presence
from accounts.guard import blocks
from accounts.models import (
    BillingDetails,
    Client,
    ClientNote,
    ContactDetails,
    HistoryDetail,
    HistoryEntry,
    Invitation,
    OwnerRecovery,
    SupportAccess,
    Unmasking,
    UsageDay,
    User,
)
from accounts.personal_data.export_tables import EXPORT_TABLES
from accounts.personal_data.schema import Table
from accounts.staff import notes, unmasking
from accounts.usage import counts

INVITATION_RETENTION: Final = timedelta(days=30)
"""After their end, so that an owner sees who has not come."""

CONFIRMATION_RETENTION: Final = timedelta(days=3)
"""As long as their links work."""

HOLDS: Final[tuple[type[Model], ...]] = (
    Client,
    User,
    Invitation,
    OwnerRecovery,
    ContactDetails,
    BillingDetails,
    ClientNote,
    UsageDay,
    HistoryEntry,
    HistoryDetail,
    SupportAccess,
    Unmasking,
    EmailAddress,
    EmailConfirmation,
    Authenticator,
    UserSession,
    # It names nobody in clear: whose it is lies sealed in it. It goes when its UserSession is ended, or by itself.
    Session,
)


def count(client: Client) -> dict[str, int]:
    """Return how many rows each table that `export` yields has, by its name."""
    return {table.name: table.rows(client).count() for table in EXPORT_TABLES}


def export(client: Client) -> Iterator[Table]:
    """Yield what the accounts hold of a client, with what is sealed opened."""
    return (table.table(client) for table in EXPORT_TABLES)


def erase(client: Client) -> Iterator[dict[str, int]]:
    """Delete all but the client's row and its owners, at most 1,000 rows at each step; yield how many of which table.

    The owners stay to the end, since they are told of it.
    """
    theirs = {"user__client": client}
    yield from _end_sessions(UserSession.objects.filter(**theirs))
    yield from batch.drain(Authenticator.objects.filter(**theirs), "second_factors")
    confirmations = EmailConfirmation.objects.filter(email_address__user__client=client)
    yield from batch.drain(confirmations, "email_confirmations")
    yield from batch.drain(EmailAddress.objects.filter(**theirs), "email_addresses")
    for model, name in _OF_THE_CLIENT:
        yield from batch.drain(model._default_manager.filter(client=client), name)
    for _details in batch.drain(HistoryDetail.objects.filter(entry__client=client), "history"):
        yield {}  # An entry and its detail are one row of the history.
    yield from batch.drain(HistoryEntry.objects.filter(client=client), "history")
    # Of these the reasons go. The entries stay, and name nobody: that staff looked is the operator's to answer for.
    for erased in staff_log.forget_client(client.pk):
        yield {"staff_history": erased}
    yield from batch.drain(User.objects.filter(client=client).exclude(role=User.Role.OWNER), "users")


def _end_sessions(sessions: QuerySet[UserSession]) -> Iterator[dict[str, int]]:
    while found := list(sessions[: batch.ROWS]):
        presence.end(found)
        # Some may have had no session left to end.
        sessions.filter(pk__in=[session.pk for session in found]).delete()
        yield {"sessions": len(found)}


_OF_THE_CLIENT: Final[tuple[tuple[type[Model], str], ...]] = (
    (OwnerRecovery, "owner_requests"),
    (Invitation, "invitations"),
    (ContactDetails, "contact"),
    (BillingDetails, "billing"),
    (ClientNote, "notes"),
    (UsageDay, "usage"),
    (Unmasking, "unmaskings"),
    (SupportAccess, "support_accesses"),
)


def close(client: Client) -> None:
    """Delete the owners and the client's row, with whatever may still hang on them: the very last step."""
    with transaction.atomic():
        User.objects.filter(client=client).delete()
        client.delete()


def erase_contact(client: Client, until: datetime) -> Iterator[dict[str, int]]:
    """Delete the contact details, unless they were changed since; as `erase`."""
    yield from batch.drain(ContactDetails.objects.filter(client=client, changed_at__lt=_after(until)), "contact")


def erase_billing(client: Client, until: datetime) -> Iterator[dict[str, int]]:
    """Delete the billing details, unless they were changed since; as `erase`."""
    yield from batch.drain(BillingDetails.objects.filter(client=client, changed_at__lt=_after(until)), "billing")


def erase_user(client: Client, pk: UUID) -> Iterator[dict[str, int]]:
    """Delete a user, and of the history what is personal in their deeds and in deeds done to them; as `erase`.

    The chain of the history stays whole: it keeps when something was done, and the user's number.
    """
    user = User.objects.filter(client=client, pk=pk).first()
    if user is None:
        return
    yield from _end_sessions(UserSession.objects.filter(user=user))
    for erased in client_log.forget_user(user):
        yield {"history": erased}
    for _erased in staff_log.forget_user(user):
        yield {}  # Reasons of staff that name them; no row of the client's.
    for erased in notes.forget_user(user):
        yield {"notes": erased}
    yield from batch.drain(Authenticator.objects.filter(user=user), "second_factors")
    yield from batch.drain(EmailConfirmation.objects.filter(email_address__user=user), "email_confirmations")
    yield from batch.drain(EmailAddress.objects.filter(user=user), "email_addresses")
    yield from batch.drain(Invitation.objects.filter(client=client, email=user.email), "invitations")
    yield from batch.drain(OwnerRecovery.objects.filter(user=user), "owner_requests")
    yield from batch.drain(User.objects.filter(pk=user.pk), "users")


def _after(until: datetime) -> datetime:
    return until + timedelta(seconds=1)


def prune(now: datetime) -> dict[str, int]:
    """Delete what is past its end: see deploy/data.md."""
    return {
        "history addresses": client_log.forget_addresses(now),
        "staff history details": staff_log.forget_old(now),
        **unmasking.forget_old(now),
        "sessions": presence.forget_ended(now),
        "invitations": batch.delete(Invitation.objects.filter(expires_at__lt=now - INVITATION_RETENTION)),
        "confirmations": batch.delete(EmailConfirmation.objects.filter(sent__lt=now - CONFIRMATION_RETENTION)),
        "notes": notes.forget_old(now),
        "usage": batch.delete(UsageDay.objects.filter(day__lt=counts.retained_since(now))),
        "blocks": blocks.forget_expired(now),
    }
