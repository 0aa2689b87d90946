"""Owner recovery: when no owner can sign in, the operator makes a member an owner, announced to everybody.

The request is mailed to every e-mail address of the client; each recipient can cancel it for 72 hours. Only then is it
carried out.
"""

from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.core import signing
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from accounts import audit, mail
from accounts.actor import SYSTEM
from accounts.audit.events import AuditEvent
from accounts.errors import Refusal
from accounts.models import Client, OwnerRecovery, User
from accounts.profile import details

DELAY: Final = timedelta(hours=72)
_SALT: Final = "accounts.recovery"


def request(user: User, *, reason: str) -> OwnerRecovery:
    """Request that `user` becomes an owner and mail everybody; a second call returns the pending request.

    Raises Refusal `not_a_member` for staff or a deactivated user, `already_owner` for an owner who can sign in.
    """
    if user.client is None or not user.is_active:
        raise Refusal("not_a_member")
    if user.role == User.Role.OWNER:
        raise Refusal("already_owner")
    with transaction.atomic():
        client = Client.objects.lock(user.client)
        found, is_new = OwnerRecovery.objects.get_or_create(client=client, defaults={"user": user})
        if found.user_id != user.pk:
            raise Refusal("another_recovery")
        if is_new:
            detail = {"user": user.email, "reason": reason}
            audit.record(AuditEvent.RECOVERY_REQUESTED, client=client, by=SYSTEM, detail=detail)
            _mail_everybody(found)
    return found


def due_at(recovery: OwnerRecovery) -> datetime:
    """Return when the request may be carried out."""
    return recovery.requested_at + DELAY


def execute(recovery: OwnerRecovery) -> User:
    """Make the user an owner. Raises Refusal `too_early` before the 72 hours are over; a second call does nothing."""
    if timezone.now() < due_at(recovery):
        raise Refusal("too_early")
    with transaction.atomic():
        client = Client.objects.lock(recovery.client)
        deleted, _by_model = OwnerRecovery.objects.filter(pk=recovery.pk).delete()
        user = User.objects.get(pk=recovery.user_id)
        if deleted:
            user.role = User.Role.OWNER
            user.save(update_fields=["role"])
            audit.record(AuditEvent.OWNER_RECOVERED, client=client, by=SYSTEM, detail={"user": user.email})
    return user


def cancel(recovery: OwnerRecovery) -> None:
    """Cancel the request; a second time, or after it was carried out, this changes nothing."""
    with transaction.atomic():
        client = Client.objects.lock(recovery.client)
        deleted, _by_model = OwnerRecovery.objects.filter(pk=recovery.pk).delete()
        if deleted:
            audit.record(AuditEvent.RECOVERY_CANCELLED, client=client, by=SYSTEM)


def find(token: str) -> OwnerRecovery | None:
    """Return the request of a mailed link, or None when it is over or the link is forged."""
    try:
        key = signing.loads(token, salt=_SALT, max_age=DELAY * 2)
    except signing.BadSignature:
        return None
    return OwnerRecovery.objects.filter(pk=key).select_related("client", "user").first()


def _mail_everybody(recovery: OwnerRecovery) -> None:
    path = reverse("accounts:cancel_recovery", args=[signing.dumps(str(recovery.pk), salt=_SALT)])
    context = {"user": recovery.user.email, "due": due_at(recovery), "link": settings.SITE_URL + path}
    people = User.objects.filter(client=recovery.client)
    languages = {user.email: user.language for user in people}
    invoice_email = details.billing(recovery.client).invoice_email
    if invoice_email:
        languages.setdefault(invoice_email, "")
    for email, language in languages.items():
        mail.send_on_commit("recovery", to=email, language=language, context=context)
