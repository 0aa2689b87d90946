"""Deletion requests, from an owner's request until the deletion is carried out or cancelled.

    from        action    to                              by
    –           request   requested                       an owner with a recent login
    requested   confirm   confirmed, the client closing   anyone with a mail that went to the owners
    requested   cancel    –                               an owner, or anyone with such a mail
    requested   (3 days)  –                               the link expires
    confirmed   cancel    –, the client as before         an owner, or anyone with such a mail
    confirmed   begin     executing, the client gone      execution.py, after the grace period
    –           erase     executing                       an owner with a recent login: parts only
    executing   (end)     –, a receipt                    execution.py

Every action locks the client's row and reads the request again: of two clicks at once, or a cancellation and the start
of the execution, one comes first and the other sees its result. An action that is done already changes nothing.
"""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.conf import settings
from django.core import signing
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from accounts import audit, batch, mail
from accounts.actor import SYSTEM, Actor
from accounts.audit.events import AuditEvent
from accounts.errors import Refusal
from accounts.models import Client, User
from accounts.permissions import Permission
from privacy.check_logging import cutoff
from privacy.deletion import receipts
from privacy.models import DeletionRequest

DEFAULT_GRACE_DAYS: Final = 7
MOST_GRACE_DAYS: Final = 30
LINK_VALID: Final = timedelta(days=3)
_CONFIRM: Final = "privacy.deletion.confirm"
_CANCEL: Final = "privacy.deletion.cancel"

State, Scope = DeletionRequest.State, DeletionRequest.Scope


def request_deletion(client: Client, *, grace_days: int, by: Actor) -> DeletionRequest:
    """Request the deletion of the whole account and mail all owners; nothing is deleted before one of them confirms.

    A request in progress is returned, and nobody is mailed again. Raises Refusal `not_an_owner`, and ValueError for a
    grace period that is not offered.
    """
    if not 0 <= grace_days <= MOST_GRACE_DAYS:
        raise ValueError("The grace period is 0 to 30 days.")
    with transaction.atomic():
        client = Client.objects.lock(client)
        if not by.still_may(Permission.ACCOUNT_DELETE, client):
            raise Refusal("not_an_owner")
        forget_unconfirmed(timezone.now())
        in_progress = deletion_of(client)
        if in_progress is not None:
            return in_progress
        deletion = DeletionRequest.objects.create(
            client=client, scope=Scope.ACCOUNT, requested_by=by.user, grace_days=grace_days
        )
        detail = {"days": str(grace_days)}
        audit.record(AuditEvent.DELETION_REQUESTED, client=client, by=by, detail=detail)
        _mail_owners(deletion, "deletion_requested", confirm_link=_link("deletion:confirm", deletion, _CONFIRM))
    return deletion


def confirm(found: DeletionRequest) -> DeletionRequest:
    """Start the grace period and refuse all API keys; a second call changes nothing.

    Raises Refusal `deletion_over` when it was cancelled meanwhile.
    """
    with transaction.atomic():
        deletion = lock_deletion(found)
        if deletion.state != State.REQUESTED:
            return deletion
        deletion.state = State.CONFIRMED
        deletion.confirmed_at = timezone.now()
        deletion.due_at = deletion.confirmed_at + timedelta(days=deletion.grace_days)
        deletion.save()
        _set_state(deletion.client, Client.State.CLOSING)
        detail = {"days": str(deletion.grace_days)}
        audit.record(AuditEvent.DELETION_CONFIRMED, client=deletion.client, by=SYSTEM, detail=detail)
        receipt = settings.SITE_URL + reverse("deletion:receipt", args=[receipts.token(deletion.pk)])
        _mail_owners(deletion, "deletion_confirmed", receipt_link=receipt)
    return deletion


def cancel(found: DeletionRequest, *, by: Actor = SYSTEM) -> None:
    """Cancel it; the client continues as before, suspended if it was.

    Raises Refusal `deletion_over` or `deletion_begun`.
    """
    with transaction.atomic():
        deletion = lock_deletion(found)
        if deletion.state == State.EXECUTING:
            raise Refusal("deletion_begun")
        client = deletion.client
        deletion.delete()
        if client.state == Client.State.CLOSING:
            _set_state(client, Client.State.SUSPENDED if client.suspended_at else Client.State.ACTIVE)
        audit.record(AuditEvent.DELETION_CANCELLED, client=client, by=by)


def start_erasure(  # noqa: PLR0913 - a scope has one target or none, each by its name
    client: Client,
    scope: str,
    *,
    by: Actor,
    user: UUID | None = None,
    iban_index: bytes | None = None,
    until: datetime | None = None,
) -> DeletionRequest:
    """Start the deletion of a part of the account; the same one in progress is returned.

    Check records and details that are newer than the second `until` (default: now) remain. Raises Refusal
    `not_an_owner`, `yourself`, or `gone` for a user whom the client does not have.
    """
    with transaction.atomic():
        client = Client.objects.lock(client)
        if not by.still_may(Permission.ACCOUNT_DELETE, client):
            raise Refusal("not_an_owner")
        in_progress = DeletionRequest.objects.filter(
            client=client, scope=scope, user=user, iban_index=iban_index
        ).first()
        if in_progress is not None:
            return in_progress
        if scope == Scope.USER:
            _refuse_user(client, user, by)
        now = timezone.now()
        until = (until or now).replace(microsecond=0)
        deletion = DeletionRequest.objects.create(
            client=client, scope=scope, state=State.EXECUTING, requested_by=by.user, confirmed_at=now, due_at=now,
            begun_at=now, until=until, user=user, iban_index=iban_index,
        )  # fmt: skip
        if scope in (Scope.LOG, Scope.NUMBER):
            cutoff.set_cutoff(client, until, iban_index=iban_index)
        if scope != Scope.NUMBER:  # There may be many; each is in the audit log once it is done.
            audit.record(AuditEvent.DELETION_BEGUN, client=client, by=by, detail={"scope": str(scope)})
    return deletion


def deletion_of(client: Client) -> DeletionRequest | None:
    """Return the deletion of the whole account that is in progress."""
    since = timezone.now() - LINK_VALID
    found = DeletionRequest.objects.filter(client=client, scope=Scope.ACCOUNT)
    return found.exclude(state=State.REQUESTED, requested_at__lt=since).select_related("client", "requested_by").first()


def to_confirm(token: str) -> DeletionRequest | None:
    """Return the deletion that a mailed link confirms, or None when it is over or the link is not valid."""
    return _found(token, _CONFIRM, LINK_VALID)


def to_cancel(token: str) -> DeletionRequest | None:
    """Return the deletion that a mailed link cancels, or None when it is over or the link is not valid."""
    return _found(token, _CANCEL, LINK_VALID + timedelta(days=MOST_GRACE_DAYS + 1))


def forget_unconfirmed(now: datetime) -> int:
    """Delete requests that nobody has confirmed while the link was valid; return how many."""
    return batch.delete(DeletionRequest.objects.filter(state=State.REQUESTED, requested_at__lt=now - LINK_VALID))


def lock_deletion(found: DeletionRequest) -> DeletionRequest:
    """Lock the client's row until the transaction ends, and return the deletion as it is now.

    Raises Refusal `deletion_over` when it does not exist any more.
    """
    client = Client.objects.select_for_update().filter(pk=found.client_id).first()
    current = DeletionRequest.objects.select_for_update().filter(pk=found.pk).first() if client else None
    if client is None or current is None:
        raise Refusal("deletion_over")
    current.client = client
    return current


def _found(token: str, salt: str, valid: timedelta) -> DeletionRequest | None:
    try:
        key = signing.loads(token, salt=salt, max_age=valid)
    except signing.BadSignature:
        return None
    return DeletionRequest.objects.filter(pk=key).select_related("client", "requested_by").first()


def _refuse_user(client: Client, user: UUID | None, by: Actor) -> None:
    if user == by.pk:
        raise Refusal("yourself")
    if user is None or not User.objects.filter(client=client, pk=user).exists():
        raise Refusal("gone")


def _set_state(client: Client, state: Client.State) -> None:
    client.state = state
    client.save(update_fields=["state"])


def _link(page: str, deletion: DeletionRequest, salt: str) -> str:
    return settings.SITE_URL + reverse(page, args=[signing.dumps(str(deletion.pk), salt=salt)])


def _mail_owners(deletion: DeletionRequest, template: str, **links: str) -> None:
    context: dict[str, object] = {
        "deletion": deletion,
        "by": deletion.requested_by.email if deletion.requested_by else "",
        "cancel_link": _link("deletion:cancel", deletion, _CANCEL),
        "export_link": settings.SITE_URL + reverse("privacy:export"),
        **links,
    }
    mail.send_to_owners_on_commit(deletion.client, template, context=context)
