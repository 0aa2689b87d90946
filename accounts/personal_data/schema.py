"""The tables and columns of a data export, as the customer gets them. Knows no database and no client."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

Value = str | int | bool | None | list[str] | dict[str, str]
"""What an exported cell may hold: all of it is JSON."""


@dataclass(frozen=True, slots=True)
class ExportedField:
    """A field of an exported table; `str(about)` describes it in the active language."""

    name: str
    about: object


@dataclass(frozen=True, slots=True)
class ExportedTable:
    """An exported table with its rows; each row has exactly the fields listed. `str(about)` describes the table.

    `name` is English, of lower-case letters and underscores, and may name a file. The rows can be read once.
    """

    name: str
    about: object
    fields: tuple[ExportedField, ...]
    rows: Iterator[dict[str, Value]]


@dataclass(frozen=True, slots=True)
class Column:
    """A column of an exported table: by default the attribute of the same name."""

    name: str
    about: object
    read: Callable[[Any], object] | None = None

    def value(self, row: Any) -> Value:
        """Return the value of a row: times as `2026-07-24T09:30:00Z`, days as `2026-07-24`."""
        value: Any = self.read(row) if self.read else getattr(row, self.name)
        if isinstance(value, datetime):
            return moment(value)
        if isinstance(value, date):
            return value.isoformat()
        exported: Value = value
        return exported


def moment(when: datetime | None) -> str | None:
    """Return a time as `2026-07-24T09:30:00Z`, in UTC and whole seconds."""
    return when.astimezone(UTC).replace(microsecond=0, tzinfo=None).isoformat() + "Z" if when else None
