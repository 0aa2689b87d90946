"""Compiles the translations (django.po to django.mo) without gettext's tools. Knows no Django, which starts later.

`python -m ibanse.catalogues` compiles what has changed. It reads the subset of the format that makemessages writes.
"""

import ast
import os
import re
import struct
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Final

LOCALE: Final = Path(__file__).resolve().parent / "locale"
MAGIC: Final = 0x950412DE
HEADER_BYTES: Final = 28
FIELD: Final = re.compile(r'(msgctxt|msgid_plural|msgid|msgstr(?:\[\d+\])?)\s+(".*")')


class CatalogueError(ValueError):
    """A catalogue has a line that is no comment, field or text."""


def compile_changed(locale: Path = LOCALE) -> list[Path]:
    """Compile each catalogue that is newer than what was compiled from it, and return what was written."""
    written = []
    for source in sorted(locale.glob("*/LC_MESSAGES/django.po")):
        target = source.with_suffix(".mo")
        if target.exists() and target.stat().st_mtime_ns >= source.stat().st_mtime_ns:
            continue
        # Several runs of the tests may begin at once: each replaces the file as a whole.
        temporary = target.with_suffix(f".mo.{os.getpid()}")
        temporary.write_bytes(compiled(source.read_text(encoding="utf-8")))
        temporary.replace(target)
        written.append(target)
    return written


def compiled(text: str) -> bytes:
    """Return the content of the .mo file: sorted messages, as the GNU gettext manual describes it."""
    messages = sorted(_messages(text))
    ids = b"".join(source + b"\0" for source, _ in messages)
    table, texts = HEADER_BYTES + 8 * len(messages), HEADER_BYTES + 16 * len(messages)
    sources, targets, at, at_target = [], [], texts, texts + len(ids)
    for source, target in messages:
        sources += [len(source), at]
        targets += [len(target), at_target]
        at, at_target = at + len(source) + 1, at_target + len(target) + 1
    # Without the hash table, which no reader in Python uses.
    header = struct.pack("<7I", MAGIC, 0, len(messages), HEADER_BYTES, table, 0, texts)
    offsets = struct.pack(f"<{4 * len(messages)}I", *sources, *targets)
    return header + offsets + ids + b"".join(target + b"\0" for _, target in messages)


def _messages(text: str) -> Iterator[tuple[bytes, bytes]]:
    """Yield source and translation of each message that is translated and not fuzzy, the header included."""
    for is_fuzzy, entry in _entries(text):
        translations = [entry[field] for field in sorted(entry) if field.startswith("msgstr")]
        if "msgid" not in entry or is_fuzzy or not all(translations):
            continue
        context = f"{entry['msgctxt']}\x04" if "msgctxt" in entry else ""
        plural = f"\0{entry['msgid_plural']}" if "msgid_plural" in entry else ""
        yield f"{context}{entry['msgid']}{plural}".encode(), "\0".join(translations).encode()


def _entries(text: str) -> Iterator[tuple[bool, dict[str, str]]]:
    """Yield each entry's fields, and whether it is marked as fuzzy."""
    is_fuzzy, field, entry = False, "", defaultdict[str, str](str)
    for line_number, line in enumerate(text.splitlines(), start=1):
        field_start = FIELD.fullmatch(line.strip())
        # A comment, a context or a source begins the next entry once the one before has its translation.
        if field.startswith("msgstr") and (
            line.startswith("#") or (field_start and field_start[1] in ("msgctxt", "msgid"))
        ):
            yield is_fuzzy, entry
            is_fuzzy, field, entry = False, "", defaultdict(str)
        if line.startswith("#,"):
            is_fuzzy = is_fuzzy or "fuzzy" in line
        elif field_start:
            field = field_start[1]
            entry[field] += ast.literal_eval(field_start[2])
        elif field and line.strip().startswith('"'):
            entry[field] += ast.literal_eval(line.strip())
        elif line.strip() and not line.startswith("#"):
            raise CatalogueError(f"Line {line_number}: {line}")
    yield is_fuzzy, entry


if __name__ == "__main__":
    compile_changed()
