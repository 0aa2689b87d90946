"""The hours of readings, how often they are taken and how long they are kept. Knows nothing of what is read."""

from datetime import UTC, datetime, timedelta
from typing import Final

HOUR: Final = timedelta(hours=1)
PERIOD: Final = timedelta(minutes=5)
"""Between two readings: of the timer in deploy/systemd, and of the background thread where there is no timer."""
STALE_AFTER: Final = 3 * PERIOD
"""Older than this a reading tells nothing about now: whatever takes them has stopped."""
KEPT: Final = timedelta(days=90)


def hour_of(moment: datetime) -> datetime:
    """Return the beginning of the hour (UTC) that an aware moment lies in."""
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
