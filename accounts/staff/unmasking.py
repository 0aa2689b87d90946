"""Unmasking: staff see the masked details of one client for a quarter of an hour, for a reason that its owners read.

Each group sees the rooms that are its own and no other; IBANs, keys and what is logged are in none of them. An
unmasking ends by itself, and with the permission. Whoever asks too often is refused, and *security* is told.
"""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.core import signing
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts import audit, batch
from accounts.actor import SYSTEM, Actor
from accounts.audit.events import AuditEvent, StaffEvent
from accounts.errors import Refusal
from accounts.forms import idempotency
from accounts.models import Client, SupportAccess, Unmasking, User
from accounts.permissions import StaffPermission
from accounts.staff import support_access
from accounts.staff.justification import Justification, lock_client
from privacy import vault

LASTS: Final = timedelta(minutes=15)
RETENTION: Final = timedelta(days=760)
"""25 months."""
MOST_PER_HOUR: Final = 10
"""By one member of staff; a support desk reads fewer, a thief more."""
FORM_WORKS_FOR: Final = timedelta(hours=1)

PERMISSION: Final = StaffPermission.UNMASK_CLIENT
ROOMS: Final = {
    "contact": StaffPermission.VIEW_CONTACT_DETAILS,
    "users": StaffPermission.VIEW_MEMBER,
    "billing": StaffPermission.VIEW_BILLING_DETAILS,
}
"""Whoever may not open a room does not see what is masked in it either."""

_SALT: Final = "unmasking"


def may_see(user: User, client: UUID, room: str) -> bool:
    """Return whether a member of staff sees a client's details in a room of ROOMS in clear at this moment."""
    return user.has_perm(ROOMS[room]) and is_open(user, client)


def rooms_of(user: User) -> list[str]:
    """Return the rooms that an unmasking by this member of staff opens."""
    return [room for room, permission in ROOMS.items() if user.has_perm(permission)]


def is_open(user: User, client: UUID) -> bool:
    """Return whether an unmasking of the client by this member of staff is open: not without the permission."""
    return user.has_perm(PERMISSION) and _open_ones(user, client).exists()


def current(user: User, client: UUID) -> Unmasking | None:
    """Return the unmasking that is open, if there is one."""
    return _open_ones(user, client).order_by("-until").first() if user.has_perm(PERMISSION) else None


def form_number(client: Client, user: User) -> str:
    """Return a number for a form: it opens one unmasking of this client by this member of staff, within an hour."""
    return idempotency.sign(client.pk, user.pk, salt=_SALT)


def open(client: Client, justification: Justification, *, form: str) -> Unmasking:  # noqa: A001 - in two words, `unmasking.open`
    """Open the client's masked details to one member of staff for 15 minutes, in both histories and a mail to owners.

    `form` is a form_number: sent twice it opens once, sent again later nothing. While an unmasking is open another
    form opens no second one and does not prolong it. Raises PermissionDenied without the permission or a room,
    SuspiciousOperation for a number that was made up, or for another client or person, and Refusal `unmasking_over`,
    `too_many_unmaskings` or `client_gone`.
    """
    by = justification.by.signed_in
    _refuse_strangers(by)
    number = _number(form, client, by)
    _refuse_the_hasty(client, justification, number)
    with transaction.atomic():
        client = lock_client(client.pk, may_be_closing=True)
        known = Unmasking.objects.filter(pk=number).first()
        if found := _open_ones(by, client.pk).filter(access=None).first():
            return found
        if known:
            raise Refusal("unmasking_over")
        opened = Unmasking.objects.create(
            id=number,
            staff=by,
            groups=_groups(by),
            client=client,
            ticket=justification.reason["ticket"],
            sealed_reason=vault.seal(client.pk, justification.reason["reason"], purpose=_SALT, record=str(number)),
            until=_now() + LASTS,
        )
        audit.record(
            AuditEvent.CLIENT_UNMASKED, client=client, by=SYSTEM, detail={**_told(opened), **justification.reason}
        )

        said = justification.reason
        audit.record_staff(StaffEvent.CLIENT_UNMASKED, by=justification.by, client=client.pk, detail=said)
    return opened


def open_as_granted(client: Client, *, by: Actor) -> Unmasking:
    """Open the client's masked details without a reason, as the client itself has allowed; else as `open`.

    The owners find it in their history and are not mailed: they were when they gave the access. Raises Refusal with
    `support_access_over` when no access is open.
    """
    user = by.signed_in
    _refuse_strangers(user)
    with transaction.atomic():
        client = lock_client(client.pk, may_be_closing=True)
        access = support_access.current(client.pk)
        if access is None:
            raise Refusal("support_access_over")
        if found := _open_ones(user, client.pk).first():
            return found
        until = min(_now() + LASTS, access.until)
        opened = Unmasking.objects.create(staff=user, groups=_groups(user), client=client, access=access, until=until)
        audit.record(AuditEvent.CLIENT_VIEWED_BY_SUPPORT, client=client, by=SYSTEM, detail=_told(opened))
        audit.record_staff(StaffEvent.CLIENT_VIEWED_BY_SUPPORT, by=by, client=client.pk)
    return opened


def end(client: Client, *, by: Actor) -> bool:
    """Mask the client's details again before the time is over; return False when nothing was open."""
    with transaction.atomic():
        ended = _open_ones(by.signed_in, client.pk).update(ended_at=_now())
        if ended:
            audit.record_staff(StaffEvent.CLIENT_MASKED, by=by, client=client.pk)
    return bool(ended)


def words_of(unmasking: Unmasking) -> str:
    """Return the reason's words, opened; empty for one that the client had allowed."""
    if not unmasking.sealed_reason:
        return ""
    return vault.unseal_text(unmasking.client_id, unmasking.sealed_reason, purpose=_SALT, record=str(unmasking.pk))


def of(client: Client) -> QuerySet[Unmasking]:
    """Return the client's unmaskings, newest first."""
    return Unmasking.objects.filter(client=client).order_by("-opened_at", "pk")


def forget_old(now: datetime) -> dict[str, int]:
    """Delete unmaskings and accesses older than 25 months; return how many of each."""
    return {
        "unmaskings": batch.delete(Unmasking.objects.filter(opened_at__lt=now - RETENTION)),
        "support accesses": batch.delete(SupportAccess.objects.filter(until__lt=now - RETENTION)),
    }


def _open_ones(user: User, client: UUID) -> QuerySet[Unmasking]:
    return Unmasking.objects.filter(staff=user, client_id=client, ended_at=None, until__gt=timezone.now())


def _refuse_strangers(by: User) -> None:
    if not (by.is_staff and by.has_perm(PERMISSION) and rooms_of(by)):
        raise PermissionDenied


def _refuse_the_hasty(client: Client, justification: Justification, number: UUID) -> None:
    by = justification.by
    lately = Unmasking.objects.filter(
        staff=by.signed_in, access=None, opened_at__gt=timezone.now() - timedelta(hours=1)
    )
    if lately.count() >= MOST_PER_HOUR and not lately.filter(pk=number).exists():
        audit.record_staff(StaffEvent.UNMASKING_REFUSED, by=by, client=client.pk)
        raise Refusal("too_many_unmaskings", limit=MOST_PER_HOUR)


def _told(opened: Unmasking) -> dict[str, str]:
    """Return what the client's history says of it: which group and rooms, and no name."""
    rooms = ", ".join(rooms_of(opened.staff)) if opened.staff else ""
    return {"group": opened.groups, "rooms": rooms, "until": support_access.moment(opened.until)}


def _number(form: str, client: Client, by: User) -> UUID:
    """Return the number of a form that was made for just this client and this member of staff, within the hour.

    One that was never ours, or was made for another, no page sends: somebody wrote it.
    """
    try:
        return idempotency.verify(form, client.pk, by.pk, salt=_SALT, max_age=FORM_WORKS_FOR)
    except signing.SignatureExpired:
        raise Refusal("unmasking_over") from None
    except signing.BadSignature:
        raise SuspiciousOperation("An unmasking with a form token that is not ours.") from None


def _groups(by: User) -> str:
    return ", ".join(by.groups.order_by("name").values_list("name", flat=True))[:100]


def _now() -> datetime:
    return timezone.now().replace(microsecond=0)
