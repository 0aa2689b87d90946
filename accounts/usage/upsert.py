"""Counters in the database with many concurrent writers."""

from collections.abc import Iterable
from typing import Any

from django.db import connections, models, router

Row = tuple[tuple[Any, ...], tuple[int, ...]]
"""The values of a counter's unique key, and what to add to each of its columns."""


def add(model: type[models.Model], found_by: tuple[str, ...], columns: tuple[str, ...], rows: Iterable[Row]) -> None:
    """Add to counters, and create those that do not exist yet.

    `found_by` names the fields of a unique constraint of the model, `columns` those to add to; any other column must
    have a default in the database. Each row is one atomic statement, so no concurrent count is lost or doubled; the
    rows are sorted, so that two transactions cannot deadlock.
    """
    # Names of columns of this table, so none is a reverse relation.
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
        [field.get_db_prep_value(value, connection) for field, value in zip(fields, (*key, *additions), strict=True)]
        for key, additions in sorted(rows)
    ]
    with connection.cursor() as cursor:
        cursor.executemany(statement, values)
