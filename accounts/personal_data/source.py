"""What accounts stores about a client, and how it is erased and pruned: users, details, counts and the audit logs."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from uuid import UUID

from allauth.account.models import EmailAddress, EmailConfirmation
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.db import transaction

from accounts import batch
from accounts.audit import client_log, staff_log
from accounts.auth import presence
from accounts.guard import blocks
from accounts.models import BillingDetails, Client, ContactDetails, Invitation, OwnerRecovery, UsageDay, User
from accounts.personal_data.declaration import Erased, PersonalDataSource
from accounts.personal_data.retention import CONFIRMATION_RETENTION, INVITATION_RETENTION
from accounts.personal_data.tables import IMPERSONAL, TABLES, end_sessions
from accounts.staff import notes, unmasking
from accounts.usage import counts


class AccountData(PersonalDataSource):
    """Everything but the client's row and its owners is erased here; those go in the last step, `delete_account`."""

    tables = TABLES
    impersonal = IMPERSONAL

    def erase(self, client: Client) -> Erased:
        """Sign everybody out first; then erase table by table."""
        yield from end_sessions(UserSession.objects.filter(user__client=client))
        yield from super().erase(client)

    def prune(self, now: datetime) -> dict[str, int]:
        """Delete what is past its retention: see deploy/data.md."""
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


def delete_account(client: Client) -> None:
    """Delete the owners and the client's row, with whatever still refers to them: the very last step."""
    with transaction.atomic():
        User.objects.filter(client=client).delete()
        client.delete()


def erase_contact(client: Client, until: datetime) -> Erased:
    """Delete the contact details, unless they were changed after that second."""
    return batch.drain(ContactDetails.objects.filter(client=client, changed_at__lt=_next_second(until)), "contact")


def erase_billing(client: Client, until: datetime) -> Erased:
    """Delete the billing details, unless they were changed after that second."""
    return batch.drain(BillingDetails.objects.filter(client=client, changed_at__lt=_next_second(until)), "billing")


def _next_second(until: datetime) -> datetime:
    return until + timedelta(seconds=1)


def erase_user(client: Client, pk: UUID) -> Iterator[dict[str, int]]:
    """Delete a user, and from the audit logs the personal details of what they did and of what was done to them.

    The chain of the audit log stays complete: it retains when something was done, and the user's random ID.
    """
    user = User.objects.filter(client=client, pk=pk).first()
    if user is None:
        return
    yield from end_sessions(UserSession.objects.filter(user=user))
    for erased in client_log.forget_user(user):
        yield {"history": erased}
    for _erased in staff_log.forget_user(user):
        yield {}  # Reasons of staff that name the user are no row of the client's.
    for erased in notes.forget_user(user):
        yield {"notes": erased}
    yield from batch.drain(Authenticator.objects.filter(user=user), "second_factors")
    yield from batch.drain(EmailConfirmation.objects.filter(email_address__user=user), "email_confirmations")
    yield from batch.drain(EmailAddress.objects.filter(user=user), "email_addresses")
    yield from batch.drain(Invitation.objects.filter(client=client, email=user.email), "invitations")
    yield from batch.drain(OwnerRecovery.objects.filter(user=user), "owner_requests")
    yield from batch.drain(User.objects.filter(pk=user.pk), "users")
