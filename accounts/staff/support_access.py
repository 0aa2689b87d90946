"""Support access, granted by the client: for a while staff see its masked details without stating a reason.

It opens no section that their group may not see, and every unmasking is recorded all the same (unmasking.py).
"""

from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from accounts import audit
from accounts.actor import Actor
from accounts.audit.events import AuditEvent
from accounts.models import Client, SupportAccess, Unmasking

LENGTHS: Final = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(days=7)}


def current(client: UUID) -> SupportAccess | None:
    """Return the access that is open now, if there is one."""
    return SupportAccess.objects.filter(client_id=client, ended_at=None, until__gt=timezone.now()).first()


def grant(client: Client, length: str, *, by: Actor) -> SupportAccess:
    """Grant support access for one of LENGTHS, and mail the owners; while one is open a second click adds nothing.

    Raises KeyError for another length.
    """
    lasts = LENGTHS[length]
    with transaction.atomic():
        Client.objects.lock(client)
        if known := current(client.pk):
            return known
        now = timezone.now().replace(microsecond=0)
        access = SupportAccess.objects.create(client=client, granted_by=by.user, granted_at=now, until=now + lasts)
        audit.record(AuditEvent.SUPPORT_ACCESS_GRANTED, client=client, by=by, detail={"until": moment(access.until)})
    return access


def end(client: Client, *, by: Actor) -> bool:
    """End the open access, and what staff see by it, at once; return False when none was open."""
    with transaction.atomic():
        Client.objects.lock(client)
        now = timezone.now()
        ended = SupportAccess.objects.filter(client=client, ended_at=None, until__gt=now).update(ended_at=now)
        if ended:
            seen = Unmasking.objects.filter(client=client, access__isnull=False, ended_at=None, until__gt=now)
            seen.update(ended_at=now)
            audit.record(AuditEvent.SUPPORT_ACCESS_ENDED, client=client, by=by)
    return bool(ended)


def moment(at: datetime) -> str:
    """Return a time as details of the audit log store it."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
