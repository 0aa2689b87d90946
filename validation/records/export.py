"""Check records as a file: CSV that no spreadsheet takes for formulas, or JSON; written as it is read, in chunks."""

import csv
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Final, NamedTuple

from django.utils.translation import gettext as _
from django.utils.translation import override, pgettext

from accounts.audit.export import BYTE_ORDER_MARK, Echo, defused
from accounts.models import Client
from validation.records import presenter, search
from validation.records.search import RecordFilter

SCHEMA: Final = "ibanse-log-1"


class FileFormat(NamedTuple):
    """A kind of file."""

    content_type: str
    write: Callable[[Client, RecordFilter, str], Iterator[str]]
    """The file piece by piece; the last argument is a language."""


def _csv(client: Client, wanted: RecordFilter, language: str) -> Iterator[str]:
    """Yield the file line by line, newest record first, with messages in `language` and times in UTC."""
    writer = csv.writer(Echo(), quoting=csv.QUOTE_ALL)
    with override(language):
        heading = [
            _("Time (UTC)"), _("Result"), _("Reasons"), _("Reason codes"), _("Country"), _("Source"), _("Key"),
            _("Key begins with"), _("IBAN"), _("Bank code"), _("BIC"), _("Internet address"), _("Stored until"),
            _("Entry number"),
        ]  # fmt: skip
    yield BYTE_ORDER_MARK + str(writer.writerow(heading))
    for rows in search.iterate_chunks(client, wanted):
        with override(language):
            lines = [_cells(row) for row in presenter.present(client, rows)]
        yield "".join(str(writer.writerow(defused(cell) for cell in cells)) for cells in lines)


def _cells(row: presenter.ShownRecord) -> list[str]:
    unreadable = _("cannot be decrypted") if row.is_unreadable else ""
    data = presenter.as_json(row)
    return [
        data["at"],
        pgettext("IBAN", "valid") if row.is_valid else pgettext("IBAN", "not valid"),
        " ".join(row.reasons),
        " ".join(row.codes),
        row.country_code,
        row.source_name,
        data["key_name"] or "",
        data["key"] or "",
        data["iban"] or unreadable,
        data["bank_code"] or unreadable,
        data["bic"] or unreadable,
        data["address"] or unreadable,
        data["kept_until"],
        data["id"],
    ]


def _json(client: Client, wanted: RecordFilter, _language: str) -> Iterator[str]:
    """Yield one object: `schema`, `exported_at`, and `rows` as presenter.as_json() gives them, newest first."""
    now = datetime.now(UTC)
    yield f'{{"schema": "{SCHEMA}", "exported_at": "{now:%Y-%m-%dT%H:%M:%SZ}", "rows": ['
    comma = "\n"
    for rows in search.iterate_chunks(client, wanted):
        shown = map(presenter.as_json, presenter.present(client, rows))
        yield comma + ",\n".join(json.dumps(row, ensure_ascii=False) for row in shown)
        comma = ",\n"
    yield "\n]}\n"


FORMATS: Final[dict[str, FileFormat]] = {
    "csv": FileFormat("text/csv; charset=utf-8", _csv),
    "json": FileFormat("application/json", _json),
}
"""By the ending of the file's name."""
