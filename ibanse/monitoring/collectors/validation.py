"""What the API measures of itself: what its calls have left in the spool, and the room there is for more.

See ibanse/monitoring/sampling.py.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from django.conf import settings

from ibanse.monitoring.collectors.accounts import free_bytes
from ibanse.monitoring.sampling import Measure, Measured
from validation.models import SpoolPosition
from validation.recording import spool


def waiting(_now: datetime) -> Iterator[Measured]:
    """Yield how many bytes of records on this machine are not in the database yet."""
    # First how far the database is: what comes in between counts as waiting, and nothing is less than not there.
    positions = dict(SpoolPosition.objects.values_list("spool", "position"))
    lengths = spool.lengths(settings.SPOOL_DIR)
    depth = sum(max(0, length - positions.get(name, 0)) for name, length in lengths.items())
    yield Measured("spool", depth, is_of_node=True)


def room(_now: datetime) -> Iterator[Measured]:
    """Yield the room for the spool."""
    yield from free_bytes(settings.SPOOL_DIR, "spool")


MEASURES: Final[tuple[Measure, ...]] = (waiting, room)
