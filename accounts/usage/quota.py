"""A client's monthly quota, as the operator sets it; apikeys/limits/quota.py counts what is used of it."""

from typing import Final

from django.db import transaction

from accounts import audit
from accounts.actor import SYSTEM
from accounts.audit.events import AuditEvent
from accounts.models import Client

MOST_UNITS: Final = 2_000_000_000


def change(client: Client, units: int) -> int:
    """Set the client's units per calendar month, on every worker within two seconds; return the previous value.

    The owners are mailed; setting the same again does nothing. Raises ValueError below 0 and above MOST_UNITS.
    """
    refuse_impossible(units)
    with transaction.atomic():
        client = Client.objects.lock(client)
        before = client.monthly_quota
        if before != units:
            client.monthly_quota = units
            client.save(update_fields=["monthly_quota"])
            detail = {"old": str(before), "new": str(units)}
            audit.record(AuditEvent.QUOTA_CHANGED, client=client, by=SYSTEM, detail=detail)
    return before


def refuse_impossible(units: int) -> None:
    """Raise ValueError for a number of units outside the allowed range."""
    if not 0 <= units <= MOST_UNITS:
        raise ValueError(f"A quota is 0 to {MOST_UNITS} units per month.")
