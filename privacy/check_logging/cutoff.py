"""Up to which second a client's log of checks was deleted, as a whole or for one number.

A check may still be on its way when what is kept of it is deleted: in a worker, or in the spool of a machine that is
away. The writer asks here and keeps nothing that lies behind such a line. No row slips through: whoever draws a line
waits for the batches that are being written (Client.objects.lock and hold), and deletes what they have written after.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final, NamedTuple
from uuid import UUID

from accounts import batch
from accounts.models import Client
from privacy.models import LogCutoff

RETENTION: Final = timedelta(days=35)
"""Longer than any spool waits for its machine."""


class Cutoffs(NamedTuple):
    """The lines of some clients: `(client, blind index or None) → the last second (Unix time) that is deleted`."""

    lines: dict[tuple[UUID, bytes | None], int]

    def cover(self, client: UUID, at: int, number: bytes | None) -> bool:
        """Return whether a check of this second, of the number with this blind index, is deleted already."""
        lines = self.lines
        return at <= lines.get((client, None), -1) or (number is not None and at <= lines.get((client, number), -1))


def draw(client: Client, until: datetime, *, number: bytes | None = None) -> None:
    """Let nothing of this second or an older one come in any more; call it while the client's turn is held."""
    LogCutoff.objects.filter(client=client, number=number, until__lte=until).delete()
    LogCutoff.objects.create(client=client, number=number, until=until)


def of(clients: Iterable[UUID]) -> Cutoffs:
    """Return the lines of these clients."""
    lines: dict[tuple[UUID, bytes | None], int] = {}
    for row in LogCutoff.objects.filter(client__in=set(clients)).order_by("until"):
        lines[row.client_id, bytes(row.number) if row.number else None] = int(row.until.timestamp())
    return Cutoffs(lines)


def forget_old(now: datetime) -> int:
    """Delete lines that nothing can cross any more; return how many."""
    return batch.delete(LogCutoff.objects.filter(until__lt=now - RETENTION))
