"""Deletes and changes many rows a thousand at a time. Knows rows, and not what they mean.

Each chunk is a transaction of its own: whoever writes meanwhile waits for a moment only, and after a crash what is done
stays done. Who does the same at the same time, on another machine, takes other rows.
"""

from collections.abc import Iterator
from typing import Any, Final, TypeVar

from django.db import transaction
from django.db.models import Model, QuerySet

ROWS: Final = 1_000

Row = TypeVar("Row", bound=Model)


def delete(rows: QuerySet[Row]) -> int:
    """Delete the rows and return how many; what hangs on them goes with them and is not counted."""
    return _all(rows, {})


def update(rows: QuerySet[Row], **values: Any) -> int:
    """Set the values and return how many rows got them; a row that has got them must not be found again."""
    return _all(rows, values)


def drain(rows: QuerySet[Row], name: str) -> Iterator[dict[str, int]]:
    """Delete all rows, at most ROWS at each step, and yield after each how many went, by the name given.

    Waits for rows that somebody else is busy with: at its end none is left. Whoever iterates may put each step into a
    transaction of its own.
    """
    while deleted := one(rows, {}, waits=True):
        yield {name: deleted}


def one(rows: QuerySet[Row], values: dict[str, Any], *, waits: bool = False) -> int:
    """Give at most ROWS rows the values, or delete them when there are none; return how many, 0 when none is left."""
    with transaction.atomic():
        # No order: the database takes what it finds first. Rows that another one is busy with are left to it.
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
