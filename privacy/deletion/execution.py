"""Carries deletions out. Killed at any point it goes on where it was; two at once do no harm and nothing twice."""

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
    """What stands in the receipt."""
    token: str
    """The end of the receipt's link."""


class Failed(NamedTuple):
    """What stopped; the next time goes on with it."""

    what: str
    why: str
    """The name of an error: its text may hold values."""


def every_due(now: datetime) -> Iterator[Done | Failed]:
    """Carry out every deletion whose day has come or that was interrupted, and yield how each went."""
    due = DeletionRequest.objects.filter(Q(state=State.EXECUTING) | Q(state=State.CONFIRMED, due_at__lte=now))
    for pk in list(due.order_by("due_at").values_list("pk", flat=True)):
        try:
            done = go_on(pk)
        except (Error, OSError, vault.VaultError) as error:
            log.error("A deletion stopped and will go on: %s", type(error).__name__)
            yield Failed("a deletion", type(error).__name__)
        else:
            if done:
                yield done


def attempt(pk: UUID, *, for_at_most: timedelta) -> Done | None:
    """Carry a deletion out for somebody who waits; what stops it is written down, and the next round goes on."""
    try:
        return go_on(pk, for_at_most=for_at_most)
    except (OSError, vault.Unfinished) as error:
        log.error("A deletion stopped and will go on: %s", type(error).__name__)
        return None


def go_on(pk: UUID, *, for_at_most: timedelta | None = None) -> Done | None:
    """Carry a deletion out, or go on with it; return None when it is not due, is cancelled, done, or takes longer.

    Raises OSError when the ledger cannot be written (nothing is deleted then), vault.Unfinished when the keyring was
    too busy, and database errors: the next time goes on.
    """
    ends = time.monotonic() + for_at_most.total_seconds() if for_at_most else float("inf")
    request = _begin(pk)
    if request is None:
        return None
    wish = _wish(request)
    # Before anything is gone: a backup may be restored in the very next moment.
    ledger.append(ledger.LedgerEntry(pk, wish.scope, wish.client.pk, wish.until, wish.user, wish.number))
    if wish.scope == Scope.ACCOUNT:
        vault.destroy(wish.client.pk)
    steps = erasing.erase(wish)
    while _step(pk, steps):
        if time.monotonic() > ends:
            return None
    return _finish(pk)


def _begin(pk: UUID) -> DeletionRequest | None:
    """Let what is due begin, after which nobody can cancel it; return None for what is not, or not any more."""
    found = DeletionRequest.objects.filter(pk=pk).first()
    if found is None:
        return None
    with transaction.atomic():
        try:
            request = requesting.take_turn(found)
        except Refusal:
            return None
        now = timezone.now()
        if request.state == State.CONFIRMED and request.due_at is not None and request.due_at <= now:
            request.state, request.begun_at, request.until = State.EXECUTING, now, now.replace(microsecond=0)
            request.save()
            request.client.state = Client.State.GONE
            request.client.save(update_fields=["state"])
        return request if request.state == State.EXECUTING else None


def _wish(request: DeletionRequest) -> erasing.ErasureRequest:
    until = request.until or request.requested_at
    number = bytes(request.number) if request.number else None
    return erasing.ErasureRequest(request.client, request.scope, until, user=request.user, number=number)


def _step(pk: UUID, steps: Iterator[dict[str, int]]) -> bool:
    """Delete some rows and count them, both or neither; return False when none was left."""
    with transaction.atomic():
        # Two that are at work on one deletion take turns here, and each counts what it has deleted itself.
        request = DeletionRequest.objects.select_for_update().filter(pk=pk).first()
        gone = next(steps, None) if request else None
        if request is None or gone is None:
            return False
        if gone:
            request.erased = Counter(request.erased) + Counter(gone)
            request.save(update_fields=["erased"])
    return True


def _finish(pk: UUID) -> Done | None:
    """End it, with what has come in at the last moment: all in one transaction, which also makes the receipt."""
    found = DeletionRequest.objects.filter(pk=pk).first()
    if found is None:
        return None
    with transaction.atomic():
        try:
            request = requesting.take_turn(found)
        except Refusal:
            return None  # Somebody else was at it as well, and first.
        erased = Counter(request.erased)
        for late in erasing.erase(_wish(request)):
            erased.update(late)
        is_account = request.scope == Scope.ACCOUNT
        key = vault.tombstone(request.client.pk) if is_account else None
        content = receipts.make(receipts.Facts(request, erased + _last(request), key))
        done = Done(content, receipts.token(pk))
        (_close if is_account else _conclude)(request, done)
    return done


def _last(request: DeletionRequest) -> Counter[str]:
    """Return the rows that go with the end itself."""
    if request.scope != Scope.ACCOUNT:
        return Counter()
    owners = User.objects.filter(client=request.client).count()
    return Counter(users=owners, account=1, deletions=DeletionRequest.objects.filter(client=request.client).count())


def _close(request: DeletionRequest, done: Done) -> None:
    _mail_owners(request, done)
    source.delete_account(request.client)


def _conclude(request: DeletionRequest, done: Done) -> None:
    detail = {
        "scope": str(request.scope),
        "records": str(sum(done.receipt["erased"].values())),
        "receipt": done.receipt["number"],
    }
    by = Actor(request.requested_by)
    request.delete()
    audit.record(AuditEvent.DELETION_EXECUTED, client=request.client, by=by, detail=detail)


def _mail_owners(request: DeletionRequest, done: Done) -> None:
    context = {
        "receipt": done.receipt,
        "unreadable": _read(done.receipt["unreadable_everywhere_from"]),
        "last_trace": _read(done.receipt["last_trace_gone_from"]),
        "link": settings.SITE_URL + reverse("deletion:receipt", args=[done.token]),
    }
    mail.send_to_owners_on_commit(request.client, "deletion_executed", context=context)


def _read(text: str) -> datetime:
    return datetime.fromisoformat(text)
