"""Unmasking: staff see the masked details of one client for a quarter of an hour, for a reason that owners can read.

Each group sees its own sections only; IBANs, keys and check records are in none of them. An unmasking expires, and ends
with the permission. Too many within an hour are refused, and the group *security* is notified.
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
SECTIONS: Final = {
    "contact": StaffPermission.VIEW_CONTACT_DETAILS,
    "users": StaffPermission.VIEW_MEMBER,
    "billing": StaffPermission.VIEW_BILLING_DETAILS,
}
"""Section → permission. Without it the section is not shown at all, not even masked."""

_SALT: Final = "unmasking"


def may_see(user: User, client: UUID, section: str) -> bool:
    """Return whether a member of staff sees a client's details in a section in clear at this moment."""
    return user.has_perm(SECTIONS[section]) and is_open(user, client)


def sections_of(user: User) -> list[str]:
    """Return the sections that an unmasking by this member of staff opens."""
    return [section for section, permission in SECTIONS.items() if user.has_perm(permission)]


def is_open(user: User, client: UUID) -> bool:
    """Return whether an unmasking of the client by this member of staff is open: not without the permission."""
    return user.has_perm(PERMISSION) and _open_ones(user, client).exists()


def current(user: User, client: UUID) -> Unmasking | None:
    """Return the unmasking that is open, if there is one."""
    return _open_ones(user, client).order_by("-until").first() if user.has_perm(PERMISSION) else None


def form_token(client: Client, user: User) -> str:
    """Return the token of a form: it opens one unmasking of this client by this member of staff, within an hour."""
    return idempotency.sign(client.pk, user.pk, salt=_SALT)


def open(client: Client, justification: Justification, *, form: str) -> Unmasking:  # noqa: A001 - in two words, `unmasking.open`
    """Open the client's masked details to one member of staff for 15 minutes, record it and mail the owners.

    `form` is a form_token: sent twice it opens once, sent again later nothing. While an unmasking is open another
    form opens no second one and does not prolong it. Raises PermissionDenied without the permission or a section,
    SuspiciousOperation for a forged token, or one for another client or person, and Refusal `unmasking_over`,
    `too_many_unmaskings` or `client_gone`.
    """
    by = justification.by.signed_in
    _refuse_unpermitted(by)
    pk = _unmasking_id(form, client, by)
    _refuse_too_many(client, justification, pk)
    with transaction.atomic():
        client = lock_client(client.pk, may_be_closing=True)
        known = Unmasking.objects.filter(pk=pk).first()
        if found := _open_ones(by, client.pk).filter(access=None).first():
            return found
        if known:
            raise Refusal("unmasking_over")
        opened = Unmasking.objects.create(
            id=pk,
            staff=by,
            groups=_groups(by),
            client=client,
            ticket=justification.reason["ticket"],
            sealed_reason=vault.seal(client.pk, justification.reason["reason"], purpose=_SALT, record=str(pk)),
            until=_now() + LASTS,
        )
        audit.record(
            AuditEvent.CLIENT_UNMASKED, client=client, by=SYSTEM, detail={**_details(opened), **justification.reason}
        )

        audit.record_staff(
            StaffEvent.CLIENT_UNMASKED, by=justification.by, client=client.pk, detail=justification.reason
        )
    return opened


def open_as_granted(client: Client, *, by: Actor) -> Unmasking:
    """Open the client's masked details without a reason, as the client itself has allowed; else as `open`.

    The owners find it in their audit log and are not mailed: they were when they granted the access. Raises Refusal
    `support_access_over` when no access is open.
    """
    user = by.signed_in
    _refuse_unpermitted(user)
    with transaction.atomic():
        client = lock_client(client.pk, may_be_closing=True)
        access = support_access.current(client.pk)
        if access is None:
            raise Refusal("support_access_over")
        if found := _open_ones(user, client.pk).first():
            return found
        until = min(_now() + LASTS, access.until)
        opened = Unmasking.objects.create(staff=user, groups=_groups(user), client=client, access=access, until=until)
        audit.record(AuditEvent.CLIENT_VIEWED_BY_SUPPORT, client=client, by=SYSTEM, detail=_details(opened))
        audit.record_staff(StaffEvent.CLIENT_VIEWED_BY_SUPPORT, by=by, client=client.pk)
    return opened


def end(client: Client, *, by: Actor) -> bool:
    """Mask the client's details again before the time is over; return False when nothing was open."""
    with transaction.atomic():
        ended = _open_ones(by.signed_in, client.pk).update(ended_at=_now())
        if ended:
            audit.record_staff(StaffEvent.CLIENT_MASKED, by=by, client=client.pk)
    return bool(ended)


def reason_text(unmasking: Unmasking) -> str:
    """Return the decrypted reason, empty for an unmasking by support access."""
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


def _refuse_unpermitted(by: User) -> None:
    if not (by.is_staff and by.has_perm(PERMISSION) and sections_of(by)):
        raise PermissionDenied


def _refuse_too_many(client: Client, justification: Justification, pk: UUID) -> None:
    by = justification.by
    lately = Unmasking.objects.filter(
        staff=by.signed_in, access=None, opened_at__gt=timezone.now() - timedelta(hours=1)
    )
    if lately.count() >= MOST_PER_HOUR and not lately.filter(pk=pk).exists():
        audit.record_staff(StaffEvent.UNMASKING_REFUSED, by=by, client=client.pk)
        raise Refusal("too_many_unmaskings", limit=MOST_PER_HOUR)


def _details(opened: Unmasking) -> dict[str, str]:
    """Return the details for the client's audit log: which group and sections, and no name."""
    sections = ", ".join(sections_of(opened.staff)) if opened.staff else ""
    return {"group": opened.groups, "rooms": sections, "until": support_access.moment(opened.until)}


def _unmasking_id(form: str, client: Client, by: User) -> UUID:
    """Return the id for the unmasking, from a token for this client and person, at most an hour old.

    No page sends any other token: it was written by hand.
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
