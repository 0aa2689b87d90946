"""Deletes and updates many rows, a thousand at a time.

Each chunk is a transaction of its own: concurrent writers wait only briefly, and after a crash finished chunks stay
done. The same job on another machine skips locked rows and takes others.
"""

from collections.abc import Iterator
from typing import Any, Final, TypeVar

from django.db import transaction
from django.db.models import Model, QuerySet

ROWS: Final = 1_000

Row = TypeVar("Row", bound=Model)


def delete(rows: QuerySet[Row]) -> int:
    """Delete the rows and return how many, not counting rows deleted by cascade."""
    return _all(rows, {})


def update(rows: QuerySet[Row], **values: Any) -> int:
    """Set the values and return how many rows were updated; the query must not match updated rows again."""
    return _all(rows, values)


def drain(rows: QuerySet[Row], name: str) -> Iterator[dict[str, int]]:
    """Delete all rows, at most ROWS at each step, and yield after each `{name: count}`.

    Waits for rows that others have locked, so that none is left at the end. The caller may run each step in a
    transaction of its own.
    """
    while deleted := one(rows, {}, waits=True):
        yield {name: deleted}


def one(rows: QuerySet[Row], values: dict[str, Any], *, waits: bool = False) -> int:
    """Update at most ROWS rows, or delete them without values; return how many, 0 when none is left."""
    with transaction.atomic():
        # No order: the database takes what it finds first. Locked rows are left to whoever locked them.
        found = rows.order_by().select_for_update(skip_locked=not waits, of=("self",))
        chunk = rows.model._default_manager.filter(pk__in=list(found.values_list("pk", flat=True)[:ROWS]))
        if values:
            return chunk.update(**values)
        _all_rows, deleted = chunk.delete()
        return deleted.get(rows.model._meta.label, 0)


def _all(rows: QuerySet[Row], values: dict[str, Any]) -> int:
    done = chunk = one(rows, values)
    while chunk == ROWS:
        chunk = one(rows, values)
        done += chunk
    return done
