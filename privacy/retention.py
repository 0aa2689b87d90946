"""What has reached its end goes: every room prunes what it holds, see each app's personal_data.py."""

from collections.abc import Iterator
from datetime import datetime

from privacy import rooms


def prune(now: datetime) -> Iterator[tuple[str, int]]:
    """Prune room by room and yield the name of each table with how many rows of it went.

    In chunks, each a transaction of its own: killed in the middle nothing is half done, and the next time goes on. Two
    at once do no harm.
    """
    for room in rooms.every():
        yield from room.prune(now).items()
