"""What has reached the end of its retention is deleted: each source of personal data prunes what it holds."""

from collections.abc import Iterator
from datetime import datetime

from privacy.inventory import registry


def prune(now: datetime) -> Iterator[tuple[str, int]]:
    """Prune source by source and yield the name of each table with how many of its rows were deleted.

    In chunks, each a transaction of its own: killed in the middle nothing is half done, and the next time goes on. Two
    at once do no harm.
    """
    for source in registry.every():
        yield from source.prune(now).items()
