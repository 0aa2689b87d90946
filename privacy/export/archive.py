"""The zip of a data export: all tables as one JSON document and as CSV files, with a schema and a README.

Knows tables and sealed files, and no database. Rows are read once and never collected: while they are written to
data.json, their CSV lines go to sealed files of their own, which are added after it. So both have the same rows, and
neither the disk nor the memory ever has the whole export in clear.
"""

import codecs
import csv
import io
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NamedTuple
from uuid import UUID
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from django.utils.translation import gettext as _
from django.utils.translation import ngettext, override

from accounts.audit.export import BYTE_ORDER_MARK, defused
from accounts.personal_data.schema import ExportedField, ExportedTable, Value, moment
from privacy.vault import sealed_file

SCHEMA_VERSION: Final = 1
"""Incremented when a field is renamed, changes its meaning or is removed; not when one is added."""

_SUFFIX: Final = ".sealed"
# Beyond 2 GiB a file needs ZIP64, which not every program opens. Rows are far below 2 kB.
_LARGE_FROM_ROWS: Final = 1_000_000


class ArchiveFiles(NamedTuple):
    """Where the sealed files of one attempt are, and whose key seals them."""

    folder: Path
    owner: UUID
    export: UUID
    attempt: int

    def path(self, part: str = "") -> Path:
        """Return the path of the zip, or of a part that is needed only while it is created."""
        names = (str(self.export), str(self.attempt), *filter(None, [part]))
        return self.folder / (".".join(names) + _SUFFIX)

    def name(self, part: str = "") -> sealed_file.Name:
        """Return the name the file is bound to; with the attempt, so that pieces of two attempts do not mix."""
        record = "/".join((str(self.export), str(self.attempt), *filter(None, [part])))
        return sealed_file.Name(self.owner, "export", record)


@dataclass(frozen=True, slots=True)
class _Described:
    """What the schema and the README say about a written table."""

    name: str
    about: object
    fields: tuple[ExportedField, ...]
    rows: int


@dataclass(slots=True)
class _Archive:
    """A zip in progress."""

    zip: ZipFile
    files: ArchiveFiles
    begun: datetime
    is_large: bool
    described: list[_Described] = field(default_factory=list)

    @contextmanager
    def member(self, name: str) -> Iterator[io.TextIOWrapper]:
        info = ZipInfo(name, self.begun.astimezone(UTC).timetuple()[:6])
        info.compress_type = ZIP_DEFLATED
        opened = self.zip.open(info, "w", force_zip64=self.is_large)
        with io.TextIOWrapper(opened, "utf-8", newline="") as text:
            yield text


def write(files: ArchiveFiles, tables: Iterable[ExportedTable], *, begun: datetime, language: str, rows: int) -> int:
    """Write the zip, sealed, to `files.path()` and return how many bytes it has in clear.

    `rows` is the approximate number of rows. Raises what sealed_file.create raises; the caller removes the files.
    """
    with sealed_file.create(files.path(), files.name()) as out:
        with ZipFile(out, "w") as opened:
            archive = _Archive(opened, files, begun, is_large=rows >= _LARGE_FROM_ROWS)
            _write_json(archive, tables)
            for table in archive.described:
                _move_csv(archive, table.name)
            with archive.member("schema.json") as file, override("en"):
                json.dump(_schema(archive.described), file, ensure_ascii=False, indent=2)
            with archive.member("README.txt") as file, override(language):
                file.write(_readme(archive))
        out.finish()
    return out.bytes


def _write_json(archive: _Archive, tables: Iterable[ExportedTable]) -> None:
    head = {"schema_version": SCHEMA_VERSION, "account": str(archive.files.owner), "begun_at": moment(archive.begun)}
    with archive.member("data.json") as file:
        file.write(json.dumps(head)[:-1] + ', "tables": {')
        for table in tables:
            file.write("," if archive.described else "")
            file.write(f'\n"{table.name}": [')
            rows = _write_rows(file, table, archive.files)
            file.write("\n]")
            archive.described.append(_Described(table.name, table.about, table.fields, rows))
        file.write("\n}}\n")


def _write_rows(file: io.TextIOWrapper, table: ExportedTable, files: ArchiveFiles) -> int:
    """Write the rows to the document and, as CSV, to a sealed file beside it; return how many."""
    names = [column.name for column in table.fields]
    count = 0
    with sealed_file.create(files.path(table.name), files.name(table.name)) as sealed:
        text = codecs.getwriter("utf-8")(sealed)
        text.write(BYTE_ORDER_MARK)
        lines = csv.writer(text, quoting=csv.QUOTE_ALL)
        lines.writerow(names)
        for count, row in enumerate(table.rows, 1):
            file.write(("\n" if count == 1 else ",\n") + json.dumps(row, ensure_ascii=False))
            lines.writerow([_cell(row[name]) for name in names])
        sealed.finish()
    return count


def _cell(value: Value) -> str:
    if isinstance(value, str):
        return defused(value)
    return "" if value is None else json.dumps(value, ensure_ascii=False)


def _move_csv(archive: _Archive, name: str) -> None:
    path = archive.files.path(name)
    with path.open("rb") as sealed, archive.member(f"csv/{name}.csv") as file:
        path.unlink()
        for piece in sealed_file.read(sealed, archive.files.name(name)):
            file.buffer.write(piece)


def _schema(tables: Iterable[_Described]) -> dict[str, Any]:
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A copy of what ibanse keeps of an account",
        "$defs": {
            "value": {
                "anyOf": [
                    {"type": ["string", "integer", "boolean", "null"]},
                    {"type": "array", "items": {"type": "string"}},
                    {"type": "object", "additionalProperties": {"type": "string"}},
                ]
            }
        },
        **_object(
            {
                "schema_version": {"const": SCHEMA_VERSION},
                "account": {"type": "string", "format": "uuid"},
                "begun_at": {"description": "When the copy was begun, in UTC", "type": "string", "format": "date-time"},
                "tables": _object({table.name: _table_schema(table) for table in tables}),
            }
        ),
    }


def _table_schema(table: _Described) -> dict[str, Any]:
    columns = {column.name: {"description": str(column.about), "$ref": "#/$defs/value"} for column in table.fields}
    return {"description": str(table.about), "type": "array", "items": _object(columns)}


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _readme(archive: _Archive) -> str:
    lines = [
        _("A copy of everything we store about your account"),
        "",
        _("Account: %(account)s") % {"account": archive.files.owner},
        _("Started: %(time)s (UTC). Changes made while the copy was being created may or may not be included.")
        % {"time": moment(archive.begun)},
        _("Format version: %(version)s") % {"version": SCHEMA_VERSION},
        "",
        _("This copy is not protected: store it where only authorised people have access."),
        "",
        _("data.json: everything in one machine-readable file. Text is in UTF-8."),
        _("schema.json: describes data.json, field by field (JSON Schema 2020-12)."),
        _("csv: the same tables for a spreadsheet, one file each."),
        "",
        _("Times are in UTC, such as 2026-07-24T09:30:00Z; dates such as 2026-07-24."),
        _("In the CSV files, an empty cell can also mean that there is no value; lists and details are JSON."),
        _("In the CSV files, a cell that a spreadsheet would run as a formula starts with an apostrophe."),
        "",
        _("The version goes up when a field is renamed, changes its meaning or is removed."),
        _("Credentials are not included: passwords, API keys, secrets used for two-factor authentication."),
    ]
    for table in archive.described:
        rows = ngettext("%(rows)s row", "%(rows)s rows", table.rows) % {"rows": table.rows}
        lines += ["", f"csv/{table.name}.csv ({rows})", f"  {table.about}"]
        lines += [f"    {column.name}: {column.about}" for column in table.fields]
    # Windows' own editor needs these line endings.
    return "\r\n".join([*lines, ""])
