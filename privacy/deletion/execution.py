"""Carries deletions out. Killed at any point, it resumes there; two workers at once do no harm and nothing twice."""

import logging
import time
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from django.conf import settings
from django.db import Error, transaction
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from accounts import audit, mail
from accounts.actor import Actor
from accounts.audit.events import AuditEvent
from accounts.errors import Refusal
from accounts.models import Client, User
from accounts.personal_data import source
from privacy import vault
from privacy.deletion import erasing, ledger, receipts, requesting
from privacy.models import DeletionRequest

log = logging.getLogger(__name__)

State, Scope = DeletionRequest.State, DeletionRequest.Scope


class Done(NamedTuple):
    """A deletion that was carried out."""

    receipt: dict[str, Any]
    """The contents of the receipt."""
    token: str
    """The random end of the receipt's link."""


class Failed(NamedTuple):
    """What failed; the next round retries it."""

    what: str
    why: str
    """The class of the error; its text may contain values."""


def every_due(now: datetime) -> Iterator[Done | Failed]:
    """Carry out every deletion that is due or was interrupted; yield the outcome of each."""
    due = DeletionRequest.objects.filter(Q(state=State.EXECUTING) | Q(state=State.CONFIRMED, due_at__lte=now))
    for pk in list(due.order_by("due_at").values_list("pk", flat=True)):
        try:
            done = resume(pk)
        except (Error, OSError, vault.VaultError) as error:
            log.error("A deletion stopped and will be resumed: %s", type(error).__name__)
            yield Failed("a deletion", type(error).__name__)
        else:
            if done:
                yield done


def attempt(pk: UUID, *, for_at_most: timedelta) -> Done | None:
    """Carry a deletion out while a user waits; a failure is logged, and the next round resumes it."""
    try:
        return resume(pk, for_at_most=for_at_most)
    except (OSError, vault.Unfinished) as error:
        log.error("A deletion stopped and will be resumed: %s", type(error).__name__)
        return None


def resume(pk: UUID, *, for_at_most: timedelta | None = None) -> Done | None:
    """Carry a deletion out, or resume it; return None when it is not due, cancelled, done, or takes longer.

    Raises OSError when the ledger cannot be written (nothing is deleted then), vault.Unfinished when the keyring is too
    busy, and database errors: a later call resumes.
    """
    ends = time.monotonic() + for_at_most.total_seconds() if for_at_most else float("inf")
    request = _begin(pk)
    if request is None:
        return None
    erasure = _erasure_of(request)
    # Before anything is deleted: a backup may be restored at any moment.
    ledger.append(
        ledger.LedgerEntry(pk, erasure.scope, erasure.client.pk, erasure.until, erasure.user, erasure.iban_index)
    )
    if erasure.scope == Scope.ACCOUNT:
        vault.destroy(erasure.client.pk)
    steps = erasing.erase(erasure)
    while _step(pk, steps):
        if time.monotonic() > ends:
            return None
    return _finish(pk)


def _begin(pk: UUID) -> DeletionRequest | None:
    """Start a deletion that is due, after which nobody can cancel it; return None for one that is not, or no longer."""
    found = DeletionRequest.objects.filter(pk=pk).first()
    if found is None:
        return None
    with transaction.atomic():
        try:
            request = requesting.lock_deletion(found)
        except Refusal:
            return None
        now = timezone.now()
        if request.state == State.CONFIRMED and request.due_at is not None and request.due_at <= now:
            request.state, request.begun_at, request.until = State.EXECUTING, now, now.replace(microsecond=0)
            request.save()
            request.client.state = Client.State.GONE
            request.client.save(update_fields=["state"])
        return request if request.state == State.EXECUTING else None


def _erasure_of(request: DeletionRequest) -> erasing.ErasureRequest:
    until = request.until or request.requested_at
    iban_index = bytes(request.iban_index) if request.iban_index else None
    return erasing.ErasureRequest(request.client, request.scope, until, user=request.user, iban_index=iban_index)


def _step(pk: UUID, steps: Iterator[dict[str, int]]) -> bool:
    """Delete some rows and count them, in one transaction; return False when none is left."""
    with transaction.atomic():
        # Two workers on one deletion take turns here, and each counts the rows it has deleted itself.
        request = DeletionRequest.objects.select_for_update().filter(pk=pk).first()
        gone = next(steps, None) if request else None
        if request is None or gone is None:
            return False
        if gone:
            request.erased = Counter(request.erased) + Counter(gone)
            request.save(update_fields=["erased"])
    return True


def _finish(pk: UUID) -> Done | None:
    """Finish it, including rows written at the last moment: one transaction, which also creates the receipt."""
    found = DeletionRequest.objects.filter(pk=pk).first()
    if found is None:
        return None
    with transaction.atomic():
        try:
            request = requesting.lock_deletion(found)
        except Refusal:
            return None  # Another worker has finished it.
        client, erased, key = request.client, Counter(request.erased), None
        for late in erasing.erase(_erasure_of(request)):
            erased.update(late)
        if request.scope == Scope.ACCOUNT:
            key = vault.tombstone(client.pk)
            # The rows that this step itself deletes.
            requests = DeletionRequest.objects.filter(client=client).count()
            erased.update(users=User.objects.filter(client=client).count(), account=1, deletions=requests)
        receipt = receipts.create(receipts.ReceiptFacts(request, erased, key))
        done = Done(receipt, receipts.token(pk))
        if request.scope == Scope.ACCOUNT:
            _mail_owners(request, done)
            source.delete_account(client)
        else:
            records = str(sum(receipt["erased"].values()))
            detail = {"scope": str(request.scope), "records": records, "receipt": receipt["number"]}
            by = Actor(request.requested_by)
            request.delete()
            audit.record(AuditEvent.DELETION_EXECUTED, client=client, by=by, detail=detail)
    return done


def _mail_owners(request: DeletionRequest, done: Done) -> None:
    context = {
        "receipt": done.receipt,
        "unreadable": _time(done.receipt["unreadable_everywhere_from"]),
        "last_trace": _time(done.receipt["last_trace_gone_from"]),
        "link": settings.SITE_URL + reverse("deletion:receipt", args=[done.token]),
    }
    mail.send_to_owners_on_commit(request.client, "deletion_executed", context=context)


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)
