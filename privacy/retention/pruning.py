"""What has reached its end goes: every room prunes what it holds, see each app's personal_data.py; then the log."""

from collections.abc import Iterator
from datetime import datetime

from django.conf import settings

from ibanse.logging import handler
from privacy.inventory import registry


def prune(now: datetime) -> Iterator[tuple[str, int]]:
    """Prune room by room, then the log, and yield the name of each table with how many rows of it went.

    In chunks, each a transaction of its own: killed in the middle nothing is half done, and the next time goes on. Two
    at once do no harm.
    """
    for room in registry.every():
        yield from room.prune(now).items()
    yield "segments of the log", handler.prune(settings.LOG_DIR, now)
