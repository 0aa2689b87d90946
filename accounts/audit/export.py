"""The audit log as a CSV file that no spreadsheet takes for formulas, with a signed checkpoint as its last line."""

import csv
import json
from collections.abc import Iterator
from datetime import UTC
from typing import Any, Final

from django.utils.translation import gettext as _
from django.utils.translation import override

from accounts.audit import client_log
from accounts.models import Client, HistoryEntry

CHECKPOINT: Final = "checkpoint"
_AT_ONCE: Final = 200
_FORMULA_BEGINS: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
# Excel reads a file as UTF-8 only when it begins with this.
BYTE_ORDER_MARK: Final = "\ufeff"


class Echo:
    """Gives csv.writer's lines back instead of writing them."""

    def write(self, line: str) -> str:
        return line


def lines(client: Client, *, language: str) -> Iterator[str]:
    """Yield the file line by line, oldest entry first, with descriptions in `language` and times in UTC.

    Where the chain ends is fixed and signed before the first line.
    """
    signed = client_log.checkpoint(client)
    writer = csv.writer(Echo(), quoting=csv.QUOTE_ALL)
    with override(language):
        heading = [_("Number"), _("Time (UTC)"), _("Code"), _("What"), _("Who"), _("Network"), _("Details"), _("Hash")]
    yield BYTE_ORDER_MARK + str(writer.writerow(heading))
    for entries in _batches(client, int(signed["number"])):
        with override(language):
            rows = client_log.open_entries(client, entries)
        for entry, row in zip(entries, rows, strict=True):
            yield str(writer.writerow(defused(cell) for cell in _row(entry, row)))
    yield str(writer.writerow([CHECKPOINT, json.dumps(signed)]))


def read_checkpoint(text: str) -> dict[str, str] | None:
    """Return the checkpoint in the last line of an export as a person pastes it, or None when there is none in it."""
    inside = text[text.find("{") : text.rfind("}") + 1]
    for candidate in (inside, inside.replace('""', '"')):
        try:
            found: Any = json.loads(candidate)
        except ValueError:
            continue
        if isinstance(found, dict) and all(isinstance(value, str) for value in found.values()):
            return found if str(found.get("number", "")).isdecimal() else None
    return None


def defused(cell: str) -> str:
    """Return the cell with an apostrophe in front if a spreadsheet would run it as a formula."""
    return f"'{cell}" if cell.lstrip(" ").startswith(_FORMULA_BEGINS) else cell


def _batches(client: Client, last: int) -> Iterator[list[HistoryEntry]]:
    begins = 0
    while begins < last:
        rest = client_log.entries(client).filter(number__gt=begins, number__lte=last).order_by("number")
        entries = list(rest[:_AT_ONCE])
        if not entries:
            return
        yield entries
        begins = entries[-1].number


def _row(entry: HistoryEntry, row: client_log.ClientLogRow) -> list[str]:
    return [
        str(row.number),
        row.when.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        row.tag,
        row.description,
        row.who or str(entry.actor or ""),
        row.network,
        "; ".join(f"{name}: {value}" for name, value in row.details.items()),
        bytes(entry.hash).hex(),
    ]
