"""Reduces existing check records to what the client now stores, when the owner's decision covers older records.

The decision persists: a record that was still being written at that time is found by the next `prune_expired`, and so
is the rest after a process was killed.
"""

import logging
import time
from datetime import timedelta

from accounts import audit
from accounts.actor import SYSTEM, Actor
from accounts.audit.events import AuditEvent
from accounts.models import Client
from privacy import vault
from privacy.check_logging import mode
from privacy.inventory import registry
from privacy.models import PrivacySettings

log = logging.getLogger(__name__)


def resume(client: Client, *, by: Actor, for_at_most: timedelta | None = None) -> int:
    """Erase or reduce records until none contains more, or is stored longer, than the client wants; return how many.

    Stops when the decision is withdrawn meanwhile, or after `for_at_most`: the rest is left to `finish`. Recorded in
    the audit log.
    """
    end = time.monotonic() + for_at_most.total_seconds() if for_at_most else float("inf")
    done = 0
    decided = PrivacySettings.objects.filter(client=client, covers_older=True)
    # Read again for each chunk: an owner may choose to store more meanwhile.
    while time.monotonic() < end and decided.exists() and (chunk := registry.reduce(client, mode.choice_of(client))):
        done += chunk
    if done:
        choice = mode.choice_of(client)
        detail = {"records": str(done), "to": mode.describe(choice)}
        audit.record(AuditEvent.RECORDS_REDUCED, client=client, by=by, detail=detail)
    return done


def finish() -> int:
    """Reduce the records of every client that wants it; return how many were erased or reduced."""
    waiting = PrivacySettings.objects.filter(covers_older=True).select_related("client")
    return sum(_resume_logged(row.client) for row in waiting.iterator(chunk_size=500))


def _resume_logged(client: Client) -> int:
    try:
        return resume(client, by=SYSTEM)
    except vault.VaultError as error:
        # For a client that is being deleted nothing can be sealed, nor written to its audit log; other clients follow.
        log.warning("An audit log lacks the entry that records were reduced: %s", type(error).__name__)
        return 0
