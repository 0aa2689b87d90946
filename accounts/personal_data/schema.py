"""What a client gets of what is kept of it, table by table and field by field. Knows no database and no client.

A room (each app's personal_data.py) lists its shelves. A shelf names every field that leaves the house: what is not
listed stays inside, whatever is added to a model later.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Any, Final, Protocol

Value = str | int | bool | None | list[str] | dict[str, str]
"""What a field may hold: all of it is JSON."""

AT_ONCE: Final = 500
"""So many rows are read and opened together."""


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a table; `str(about)` says what it is, in the language of the moment."""

    name: str
    about: object


@dataclass(frozen=True, slots=True)
class Table:
    """A table as a client gets it; each row has exactly the fields listed. `str(about)` says what it is.

    `name` is English, of lower-case letters and underscores, and may name a file. The rows can be read once.
    """

    name: str
    about: object
    fields: tuple[Field, ...]
    rows: Iterator[dict[str, Value]]


class Rows(Protocol):
    """What of a QuerySet is used here."""

    def count(self) -> int:
        """Return how many rows there are."""

    def iterator(self, chunk_size: int) -> Iterator[Any]:
        """Read the rows one by one."""


@dataclass(frozen=True, slots=True)
class Column:
    """A field that leaves the house, and where its value comes from."""

    name: str
    about: object
    value: Callable[[Any], Value]


def plain(name: str, about: object) -> Column:
    """Return the column of an attribute as it is: text, a number, yes or no."""
    return Column(name, about, lambda row: getattr(row, name))


def time(name: str, about: object) -> Column:
    """Return the column of an attribute that is a time, or none."""
    return Column(name, about, lambda row: moment(getattr(row, name)))


def day(name: str, about: object) -> Column:
    """Return the column of an attribute that is a day, or none; as `2026-07-24`."""
    return Column(name, about, lambda row: found.isoformat() if (found := getattr(row, name)) else None)


def _as_they_are(_client: Any, rows: list[Any]) -> Iterable[Any]:
    return rows


@dataclass(frozen=True, slots=True)
class ExportTable:
    """One table of a room: which rows are a client's, how they are opened, and what of them the client gets."""

    name: str
    about: object
    rows: Callable[[Any], Rows]
    """Given the client."""
    columns: tuple[Column, ...]
    opened: Callable[[Any, list[Any]], Iterable[Any]] = _as_they_are
    """Given the client and at most AT_ONCE rows, yields for each of them what the columns read."""

    def table(self, client: Any) -> Table:
        """Return the client's table; nothing is read before its rows are asked for."""
        fields = tuple(Field(column.name, column.about) for column in self.columns)
        return Table(self.name, self.about, fields, self._read(client))

    def _read(self, client: Any) -> Iterator[dict[str, Value]]:
        rows = self.rows(client).iterator(chunk_size=AT_ONCE)
        while batch := list(islice(rows, AT_ONCE)):
            for row in self.opened(client, batch):
                yield {column.name: column.value(row) for column in self.columns}


def moment(when: datetime | None) -> str | None:
    """Return a time as `2026-07-24T09:30:00Z`, in UTC and whole seconds."""
    return when.astimezone(UTC).replace(microsecond=0, tzinfo=None).isoformat() + "Z" if when else None
