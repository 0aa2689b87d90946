"""Searches every file of a folder for IBANs that must not be there, in every spelling and encoding.

Compressed and sealed files are not opened: their content must be searched before.
"""

import base64
import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final
from urllib.parse import quote, quote_plus

CHUNK_BYTES: Final = 8 * 1024 * 1024
_SEPARATORS: Final = ("", " ", "\u00a0", "-", ".", "/")
_TEXTS: Final[tuple[Callable[[str], str], ...]] = (
    str,
    quote,
    quote_plus,
    lambda text: json.dumps(text)[1:-1],
    lambda text: repr(text)[1:-1],
    lambda text: "".join(f"\\u{ord(character):04x}" for character in text),
)
# What binary formats make of a plain text; not of one that is already escaped for a URL or JSON.
_ENCODINGS: Final[tuple[Callable[[str], bytes], ...]] = (
    lambda text: text.encode("utf-16-le"),
    lambda text: text.encode("utf-16-be"),
    lambda text: text.encode().hex().encode(),
    lambda text: text.encode().hex().upper().encode(),
    lambda text: _base64(text.encode(), 0),
    lambda text: _base64(text.encode(), 1),
    lambda text: _base64(text.encode(), 2),
)
_FOR_URLS: Final = bytes.maketrans(b"+/", b"-_")


def spellings(iban: str) -> set[bytes]:
    """Return what to search for: the IBAN in groups or not, in capitals or not, in every encoding.

    As text (also as URLs, JSON and repr() write it), UTF-16, hexadecimal digits, and base64 at its three alignments.
    """
    plain = "".join(iban.split())
    groups = [plain[start : start + 4] for start in range(0, len(plain), 4)]
    written = {join(separator.join(groups)) for separator in _SEPARATORS for join in (str.upper, str.lower)}
    texts = {as_text(text).encode() for as_text in _TEXTS for text in written}
    encoded = {encode(text) for encode in _ENCODINGS for text in written}
    # Base64 has two alphabets, which differ in two characters.
    return texts | encoded | {each.translate(_FOR_URLS) for each in encoded if each.isascii() and b"\0" not in each}


def _base64(data: bytes, before: int) -> bytes:
    """Return the part of the base64 text that does not depend on the `before` bytes (modulo 3) before the data."""
    encoded = base64.b64encode(bytes(before) + data)
    return encoded[-(-8 * before // 6) : 8 * (before + len(data)) // 6]


def found_in(folder: Path, ibans: Iterable[str]) -> list[str]:
    """Return a line for each file below `folder` and each spelling in it or in its name: `path: spelling`.

    Nobody may write to the folder meanwhile. Raises OSError for a file that cannot be read: it might hold one.
    """
    wanted = sorted({spelling for iban in ibans for spelling in spellings(iban)})
    found = []
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        hits = {spelling for spelling in wanted if spelling in name.encode(errors="surrogateescape")}
        if path.is_file():
            for chunk in _chunks(path, longest=max(map(len, wanted))):
                hits |= {spelling for spelling in wanted if spelling in chunk}
        found += [f"{name}: {spelling!r}" for spelling in sorted(hits)]
    return found


def _chunks(path: Path, *, longest: int) -> Iterator[bytes]:
    """Yield the file in overlapping pieces; each again without its line ends, since mails break lines anywhere."""
    overlap = b""
    with path.open("rb") as file:
        while read := file.read(CHUNK_BYTES):
            chunk = overlap + read
            yield chunk
            joined = chunk.replace(b"=\r\n", b"").replace(b"=\n", b"").translate(None, b"\r\n")
            if joined != chunk:
                yield joined
            # Twice: line ends may be in between.
            overlap = chunk[-2 * longest :]
