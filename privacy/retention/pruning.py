"""Deletes data past its retention: each source of personal data prunes its own tables."""

from collections.abc import Iterator
from datetime import datetime

from privacy.inventory import registry


def prune(now: datetime) -> Iterator[tuple[str, int]]:
    """Prune source by source and yield the name of each table with how many of its rows were deleted.

    In chunks with a transaction each: a kill leaves nothing half done, and the next run resumes. Two at once do no
    harm.
    """
    for source in registry.every():
        yield from source.prune(now).items()
