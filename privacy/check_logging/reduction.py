"""Makes the log of checks as little as its owner has decided, when that decision covers what was kept before.

The wish stays: a record that was on its way when it was made is found by the next `prune_expired`, and so is the rest
when this was killed half-way.
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


def go_on(client: Client, *, by: Actor, for_at_most: timedelta | None = None) -> int:
    """Erase or reduce records until none holds more, or is kept longer, than the client wants; return how many.

    Stops when the wish is taken back meanwhile, or after `for_at_most`: the rest is left to `finish`. Recorded in the
    history.
    """
    end = time.monotonic() + for_at_most.total_seconds() if for_at_most else float("inf")
    done = 0
    # Looked at anew for each chunk: somebody may choose to keep more while we are at it.
    while time.monotonic() < end and _is_wanted(client) and (chunk := registry.reduce(client, mode.of(client))):
        done += chunk
    if done:
        choice = mode.of(client)
        detail = {"records": str(done), "to": mode.told(choice)}
        audit.record(AuditEvent.RECORDS_REDUCED, client=client, by=by, detail=detail)
    return done


def finish() -> int:
    """Go on for every client that wants it; return how many records were erased or reduced."""
    waiting = PrivacySettings.objects.filter(covers_older=True).select_related("client")
    return sum(_finish(row.client) for row in waiting.iterator(chunk_size=500))


def _finish(client: Client) -> int:
    try:
        return go_on(client, by=SYSTEM)
    except vault.VaultError as error:
        # Nothing is sealed any more for a client that is being deleted, nor written into its history; others wait.
        log.warning("That records were reduced is missing in a history: %s", type(error).__name__)
        return 0


def _is_wanted(client: Client) -> bool:
    return PrivacySettings.objects.filter(client=client, covers_older=True).exists()
