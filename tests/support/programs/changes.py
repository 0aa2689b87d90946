"""What an owner or staff take away from a program, with the time at which each transaction had ended."""

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

from accounts.actor import SYSTEM, Actor
from accounts.models import Client, User
from accounts.staff import suspension
from accounts.staff.justification import Justification
from apikeys import keys
from apikeys.models import ApiKey
from privacy.check_logging import mode
from privacy.models import Mode
from validation.models import ValidationRecord


def change_each_key(key_ids: Sequence[str]) -> list[float]:
    """Revoke a key, take a network from the next one, add one to the next, suspend the client of the last."""
    revoked, bound, other, unpaid = (ApiKey.objects.get(pk=pk) for pk in key_ids)
    staff, _is_new = User.objects.get_or_create(email="sten@operator.example", is_staff=True)
    ended_at = []
    for change in (
        lambda: keys.revoke(revoked, by=SYSTEM),
        lambda: keys.disallow(bound.networks.get(), by=SYSTEM),
        lambda: keys.allow(other, "192.0.2.0/24", by=SYSTEM),
        lambda: suspension.suspend(unpaid.client, Justification(Actor(staff), "T-1204", "Invoices are unpaid")),
    ):
        change()
        ended_at.append(time.time())
    return ended_at


def revoke_key(key_id: str) -> float:
    """Revoke a key."""
    keys.revoke(ApiKey.objects.get(pk=key_id), by=SYSTEM)
    return time.time()


def switch_off_logging(client_id: str) -> float:
    """Let a client store no checks any more."""
    by = User.objects.create_user(f"{client_id}@example.com")
    mode.choose(Client.objects.get(pk=client_id), mode.Choice(Mode.OFF), by=Actor(by))
    return time.time()


def count_records(client_id: str, since: float) -> list[int]:
    """Return how many check records a client has, and how many since a time."""
    rows = ValidationRecord.objects.filter(client=UUID(client_id))
    return [rows.count(), rows.filter(at__gt=datetime.fromtimestamp(since, UTC)).count()]
