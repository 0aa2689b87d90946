"""Declares what is stored: each table and field once, with purpose, form, retention, export column and erasure.

Every app declares its own tables, in its personal_data module. The list that customers read, deploy/data.md, the data
export and the deletion of an account derive from these declarations. A test fails for a model or field without one.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import islice
from typing import Any, ClassVar, Final

from django.db.models import Model, QuerySet
from django.utils.functional import Promise

from accounts import batch
from accounts.models import Client
from accounts.personal_data.schema import Column, ExportedField, ExportedTable, Value

CHUNK_ROWS: Final = 500
"""This many rows of an export are read and decrypted at a time."""

Erased = Iterator[dict[str, int]]
"""What a deletion yields: after each step, how many rows of which exported table were deleted."""


class StoredForm(StrEnum):
    """In which form a field is stored."""

    CLEAR = "clear"
    SEALED = "sealed"
    HASH = "hash"


CLEAR, SEALED, HASH = StoredForm.CLEAR, StoredForm.SEALED, StoredForm.HASH


@dataclass(frozen=True, slots=True, eq=False)
class StorageSummary:
    """A line of the list that customers read: what is stored, how it is protected, and for how long."""

    what: str | Promise
    how: str | Promise
    until: str | Promise
    forms: frozenset[StoredForm]
    """The forms that `how` speaks of; a test compares them with the fields."""


BOOKKEEPING: Final = StorageSummary("", "", "", frozenset())
"""For fields that say nothing about a customer, such as the permissions of staff: no line of the list."""


@dataclass(frozen=True, slots=True)
class StoredField:
    """A field of a table."""

    name: str
    form: StoredForm
    what: str
    why: str
    columns: tuple[Column, ...]
    """How it appears in the export; a field without columns is not exported."""
    summary: StorageSummary | None
    """None: the one of its table."""


def stored(
    name: str,
    form: StoredForm,
    what: str,
    why: str,
    *exported: Column | str | Promise,
    summary: StorageSummary | None = None,
) -> StoredField:
    """Declare a field. A text in place of a column describes the field itself, exported under its own name."""
    columns = tuple(entry if isinstance(entry, Column) else Column(name, entry) for entry in exported)
    return StoredField(name, form, what, why, columns, summary)


def _unchanged(_client: Client, rows: list[Any]) -> Iterable[Any]:
    return rows


@dataclass(frozen=True, slots=True)
class Export:
    """How a table is exported. Only declared columns leave the service, whatever is added to a model later."""

    name: str
    about: str | Promise
    rows: Callable[[Client], QuerySet[Any]]
    opened: Callable[[Client, list[Any]], Iterable[Any]] = _unchanged
    """Called with at most CHUNK_ROWS rows; returns for each of them what the columns are read from."""


@dataclass(frozen=True, slots=True)
class StoredTable:
    """A table of the database."""

    model: type[Model]
    until: str
    """When a row is deleted, in words."""
    fields: tuple[StoredField, ...]
    """In the order of their columns in the export."""
    summary: StorageSummary
    export: Export | None = None
    not_exported: str = ""
    """Why there is no export."""
    details: "StoredTable | None" = None
    """A table with one row for each of this one; its columns follow those of this table in the export."""
    erase: Callable[[Client], Erased] | None = None
    """How the client's rows are deleted; by default all rows that are exported."""

    @property
    def label(self) -> str:
        """The name of the model, such as `accounts.User`."""
        return self.model._meta.label

    def with_details(self) -> "tuple[StoredTable, ...]":
        """Return this table and the one of its details."""
        return (self, self.details) if self.details else (self,)

    def exported(self, client: Client) -> ExportedTable | None:
        """Return the client's rows for the export; none is read before the caller iterates over them."""
        if self.export is None:
            return None
        columns = [column for table in self.with_details() for field in table.fields for column in field.columns]
        fields = tuple(ExportedField(column.name, column.about) for column in columns)
        return ExportedTable(self.export.name, self.export.about, fields, _rows(self.export, columns, client))

    def erased(self, client: Client) -> Erased:
        """Delete the client's rows, step by step."""
        if self.erase is not None:
            yield from self.erase(client)
        elif self.export is not None:
            yield from batch.drain(self.export.rows(client), self.export.name)


def _rows(export: Export, columns: list[Column], client: Client) -> Iterator[dict[str, Value]]:
    rows = export.rows(client).iterator(chunk_size=CHUNK_ROWS)
    while chunk := list(islice(rows, CHUNK_ROWS)):
        for row in export.opened(client, chunk):
            yield {column.name: column.value(row) for column in columns}


def erased_last(_client: Client) -> Erased:
    """Leave the rows to the very last step of a deletion, which deletes the client's own row."""
    return iter(())


class PersonalDataSource(ABC):
    """What one app stores about clients: declared, counted, exported, erased and pruned."""

    tables: ClassVar[tuple[StoredTable, ...]]
    impersonal: ClassVar[dict[str, str]] = {}
    """Tables without any personal data: the label of each model, and what is in it."""

    def all_tables(self) -> Iterator[StoredTable]:
        """Yield the declared tables, those of details too."""
        for table in self.tables:
            yield from table.with_details()

    def count(self, client: Client) -> dict[str, int]:
        """Return how many rows each table that `export` yields has, by its name."""
        exports = (table.export for table in self.tables if table.export)
        return {export.name: export.rows(client).count() for export in exports}

    def export(self, client: Client) -> Iterator[ExportedTable]:
        """Yield what is stored about the client, decrypted."""
        return (exported for table in self.tables if (exported := table.exported(client)))

    def erase(self, client: Client) -> Erased:
        """Delete what is stored about the client; yield after each step how many rows of which table were deleted.

        A step deletes at most batch.ROWS rows; the caller puts each into a transaction of its own. Called again after a
        crash it continues with what is left. Tables are erased in reverse, so that rows that refer to others go first.
        """
        for table in reversed(self.tables):
            yield from table.erased(client)

    @abstractmethod
    def prune(self, now: datetime) -> dict[str, int]:
        """Delete what is past its retention, in chunks with a transaction each; return how many rows of what."""
