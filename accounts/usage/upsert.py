"""Counters in the database that many add to at once. Knows tables, and not what is counted."""

from collections.abc import Iterable
from typing import Any

from django.db import connections, models, router

Row = tuple[tuple[Any, ...], tuple[int, ...]]
"""What a counter is found by, and what to add to each of its columns."""


def add(model: type[models.Model], found_by: tuple[str, ...], columns: tuple[str, ...], rows: Iterable[Row]) -> None:
    """Add to counters, and make those that are not there yet.

    `found_by` names the fields of a unique constraint of the model, `columns` those to add to; further columns take
    their defaults in the database or are not allowed. One statement, which neither loses nor doubles a count whoever
    else adds; the rows go in order, so that two transactions cannot wait for each other.
    """
    # Found by the names of the table's columns, so none is a relation from elsewhere.
    fields: list[Any] = [model._meta.get_field(name) for name in (*found_by, *columns)]
    connection = connections[router.db_for_write(model)]
    quote = connection.ops.quote_name
    table = quote(model._meta.db_table)
    names = [quote(field.column) for field in fields]
    unique, counted = names[: len(found_by)], names[len(found_by) :]
    sums = ", ".join(f"{name} = {table}.{name} + EXCLUDED.{name}" for name in counted)
    statement = (
        f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join(['%s'] * len(names))}) "
        f"ON CONFLICT ({', '.join(unique)}) DO UPDATE SET {sums}"
    )
    values = [
        [field.get_db_prep_value(value, connection) for field, value in zip(fields, (*key, *numbers), strict=True)]
        for key, numbers in sorted(rows)
    ]
    with connection.cursor() as cursor:
        cursor.executemany(statement, values)
