"""Up to which second a client's check records were deleted, all of them or those of one IBAN.

A check may still be on its way to the database when its record is deleted: in a worker, or in the spool of a machine
that is offline. The writer consults these cutoffs and stores nothing before them. No row slips through: setting one
waits for batches that are being written (Client.objects.lock and hold), and their rows are deleted after that.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final, NamedTuple
from uuid import UUID

from accounts import batch
from accounts.models import Client
from privacy.models import LogCutoff

RETENTION: Final = timedelta(days=35)
"""Longer than any spool is replayed after its machine was offline."""


class Cutoffs(NamedTuple):
    """The cutoffs of some clients: `(client, blind index or None) → the last second (Unix time) that is deleted`."""

    by_client: dict[tuple[UUID, bytes | None], int]

    def cover(self, client: UUID, at: int, iban_index: bytes | None) -> bool:
        """Return whether a check of this second, of the IBAN with this blind index, is deleted already."""
        if at <= self.by_client.get((client, None), -1):
            return True
        return iban_index is not None and at <= self.by_client.get((client, iban_index), -1)


def set_cutoff(client: Client, until: datetime, *, iban_index: bytes | None = None) -> None:
    """Let the writer store nothing of this second or before; the caller holds the lock of the client."""
    LogCutoff.objects.filter(client=client, iban_index=iban_index, until__lte=until).delete()
    LogCutoff.objects.create(client=client, iban_index=iban_index, until=until)


def cutoffs_of(clients: Iterable[UUID]) -> Cutoffs:
    """Return the cutoffs of these clients."""
    by_client: dict[tuple[UUID, bytes | None], int] = {}
    for row in LogCutoff.objects.filter(client__in=set(clients)).order_by("until"):
        by_client[row.client_id, bytes(row.iban_index) if row.iban_index else None] = int(row.until.timestamp())
    return Cutoffs(by_client)


def forget_old(now: datetime) -> int:
    """Delete cutoffs that no late check can reach any more; return how many."""
    return batch.delete(LogCutoff.objects.filter(until__lt=now - RETENTION))
