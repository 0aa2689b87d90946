"""From an owner's wish to a deletion that will be carried out, or is called off in time.

    from        deed      to                              who
    –           request   requested                       an owner who has just proven themselves
    requested   confirm   confirmed, the client closing   whoever has a mail that went to the owners
    requested   cancel    –                               an owner, or whoever has such a mail
    requested   (3 days)  –                               nobody: the link is over
    confirmed   cancel    –, the client as before         an owner, or whoever has such a mail
    confirmed   begin     executing, the client gone      execution.py, when the days of grace are over
    –           erase     executing                       an owner who has just proven themselves: parts only
    executing   (end)     –, a receipt                    execution.py

Every deed takes its turn on the client's row and looks again: of two that press at once, or of who cancels and what
begins, one comes first and the other finds that it did. A deed that is done already changes nothing.
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


def request(client: Client, *, grace_days: int, by: Actor) -> DeletionRequest:
    """Ask for the deletion of the whole account and mail all owners; nothing is deleted before one of them confirms.

    While one is under way it is returned and nobody is mailed again. Raises Refusal `not_an_owner`, ValueError for days
    of grace that are not offered.
    """
    if not 0 <= grace_days <= MOST_GRACE_DAYS:
        raise ValueError("The days of grace are from 0 to 30.")
    with transaction.atomic():
        client = Client.objects.lock(client)
        if not by.still_may(Permission.ACCOUNT_DELETE, client):
            raise Refusal("not_an_owner")
        forget_unconfirmed(timezone.now())
        under_way = of(client)
        if under_way is not None:
            return under_way
        asked = DeletionRequest.objects.create(
            client=client, scope=Scope.ACCOUNT, requested_by=by.user, grace_days=grace_days
        )
        detail = {"days": str(grace_days)}
        audit.record(AuditEvent.DELETION_REQUESTED, client=client, by=by, detail=detail)
        _mail_owners(asked, "deletion_requested", confirm_link=_link("deletion:confirm", asked, _CONFIRM))
    return asked


def confirm(found: DeletionRequest) -> DeletionRequest:
    """Let the days of grace begin and keep all API keys out; doing it twice changes nothing.

    Raises Refusal `deletion_over` when it was cancelled meanwhile.
    """
    with transaction.atomic():
        asked = take_turn(found)
        if asked.state != State.REQUESTED:
            return asked
        asked.state = State.CONFIRMED
        asked.confirmed_at = timezone.now()
        asked.due_at = asked.confirmed_at + timedelta(days=asked.grace_days)
        asked.save()
        _set_state(asked.client, Client.State.CLOSING)
        detail = {"days": str(asked.grace_days)}
        audit.record(AuditEvent.DELETION_CONFIRMED, client=asked.client, by=SYSTEM, detail=detail)
        receipt = settings.SITE_URL + reverse("deletion:receipt", args=[receipts.token(asked.pk)])
        _mail_owners(asked, "deletion_confirmed", receipt_link=receipt)
    return asked


def cancel(found: DeletionRequest, *, by: Actor = SYSTEM) -> None:
    """Call it off and let the client go on as before, suspended if it was.

    Raises Refusal `deletion_over` or `deletion_begun`.
    """
    with transaction.atomic():
        asked = take_turn(found)
        if asked.state == State.EXECUTING:
            raise Refusal("deletion_begun")
        client = asked.client
        asked.delete()
        if client.state == Client.State.CLOSING:
            _set_state(client, Client.State.SUSPENDED if client.suspended_at else Client.State.ACTIVE)
        audit.record(AuditEvent.DELETION_CANCELLED, client=client, by=by)


def erase(  # noqa: PLR0913 - a scope has one target or none, each by its name
    client: Client,
    scope: str,
    *,
    by: Actor,
    user: UUID | None = None,
    number: bytes | None = None,
    until: datetime | None = None,
) -> DeletionRequest:
    """Ask for the deletion of a part of the account, which begins at once; the same one under way is returned.

    What is added to a log or to details after the second `until` stays, which is this one if none is given. Raises
    Refusal `not_an_owner`, `yourself`, or `gone` for a user whom the client does not have.
    """
    with transaction.atomic():
        client = Client.objects.lock(client)
        if not by.still_may(Permission.ACCOUNT_DELETE, client):
            raise Refusal("not_an_owner")
        under_way = DeletionRequest.objects.filter(client=client, scope=scope, user=user, number=number).first()
        if under_way is not None:
            return under_way
        if scope == Scope.USER:
            _refuse_user(client, user, by)
        now = timezone.now()
        until = (until or now).replace(microsecond=0)
        asked = DeletionRequest.objects.create(
            client=client, scope=scope, state=State.EXECUTING, requested_by=by.user, confirmed_at=now, due_at=now,
            begun_at=now, until=until, user=user, number=number,
        )  # fmt: skip
        if scope in (Scope.LOG, Scope.NUMBER):
            cutoff.draw(client, until, number=number)
        if scope != Scope.NUMBER:  # Somebody may delete one after the other; each is in the history when it is done.
            audit.record(AuditEvent.DELETION_BEGUN, client=client, by=by, detail={"scope": str(scope)})
    return asked


def of(client: Client) -> DeletionRequest | None:
    """Return the deletion of the whole account that is under way."""
    since = timezone.now() - LINK_VALID
    found = DeletionRequest.objects.filter(client=client, scope=Scope.ACCOUNT)
    return found.exclude(state=State.REQUESTED, requested_at__lt=since).select_related("client", "requested_by").first()


def to_confirm(token: str) -> DeletionRequest | None:
    """Return the deletion that a mailed link confirms, or None when it is over or the link is not ours."""
    return _found(token, _CONFIRM, LINK_VALID)


def to_cancel(token: str) -> DeletionRequest | None:
    """Return the deletion that a mailed link calls off, or None when it is over or the link is not ours."""
    return _found(token, _CANCEL, LINK_VALID + timedelta(days=MOST_GRACE_DAYS + 1))


def forget_unconfirmed(now: datetime) -> int:
    """Delete requests whose link is over and which nobody has confirmed; return how many."""
    return batch.delete(DeletionRequest.objects.filter(state=State.REQUESTED, requested_at__lt=now - LINK_VALID))


def take_turn(found: DeletionRequest) -> DeletionRequest:
    """Return the deletion as it is now and hold its client's row until the transaction ends.

    Raises Refusal `deletion_over` when it is not there any more.
    """
    client = Client.objects.select_for_update().filter(pk=found.client_id).first()
    now = DeletionRequest.objects.select_for_update().filter(pk=found.pk).first() if client else None
    if client is None or now is None:
        raise Refusal("deletion_over")
    now.client = client
    return now


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


def _link(page: str, asked: DeletionRequest, salt: str) -> str:
    return settings.SITE_URL + reverse(page, args=[signing.dumps(str(asked.pk), salt=salt)])


def _mail_owners(asked: DeletionRequest, template: str, **links: str) -> None:
    context: dict[str, object] = {
        "deletion": asked,
        "by": asked.requested_by.email if asked.requested_by else "",
        "cancel_link": _link("deletion:cancel", asked, _CANCEL),
        "export_link": settings.SITE_URL + reverse("privacy:export"),
        **links,
    }
    mail.send_to_owners_on_commit(asked.client, template, context=context)
