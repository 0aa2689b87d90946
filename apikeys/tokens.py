"""The text of an API key: how it is created, parsed and compared. Knows no database, no client and no setting.

    ibanse_live_<identifier: 10><separator: _><secret: 43><checksum: 6>        test keys begin with ibanse_test_

Identifier, secret and checksum are base62 (0–9, A–Z, a–z). The secret holds 256 random bits. The checksum is the CRC-32
of everything before it: a mistyped key differs from an unknown one without a database query, and scanners for leaked
secrets get an exact pattern, `PATTERN`.
"""

import hmac
import re
import secrets
import zlib
from functools import lru_cache
from typing import Final, NamedTuple

ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
IDENTIFIER_CHARACTERS: Final = 10
SECRET_CHARACTERS: Final = 43
CHECKSUM_CHARACTERS: Final = 6
PATTERN: Final = r"ibanse_(?:live|test)_[0-9A-Za-z]{10}_[0-9A-Za-z]{49}"
"""Matches every key; for scanners of source code and logs."""

_fits = re.compile(r"ibanse_(live|test)_([0-9A-Za-z]{10})_[0-9A-Za-z]{49}", re.ASCII).fullmatch


class Malformed(Exception):
    """The text is not a key, or has a typing error."""


class Token(NamedTuple):
    """The whole text of a key, and what it contains."""

    text: str
    identifier: str
    is_test: bool


def mint(*, is_test: bool) -> Token:
    """Return a new key from the system's source of randomness."""
    identifier = "".join(secrets.choice(ALPHABET) for _ in range(IDENTIFIER_CHARACTERS))
    secret = _base62(secrets.randbits(256), SECRET_CHARACTERS)
    body = f"ibanse_{'test' if is_test else 'live'}_{identifier}_{secret}"
    return Token(body + _checksum(body), identifier, is_test)


def split(text: str) -> Token:
    """Parse the text of a key. Raises Malformed for any other text and for a wrong checksum."""
    match = _fits(text)
    if match is None or _checksum(text[:-CHECKSUM_CHARACTERS]) != text[-CHECKSUM_CHARACTERS:]:
        raise Malformed
    return Token(text, match[2], match[1] == "test")


def digest(text: str, pepper: bytes) -> bytes:
    """Return what is stored instead of the key: 32 bytes, HMAC-SHA256 of its whole text under a pepper.

    A fast hash is enough: 256 random bits cannot be guessed, however fast.
    """
    keyed = _keyed(pepper).copy()
    keyed.update(text.encode())
    return keyed.digest()


def fits(text: str, pepper: bytes, stored: bytes) -> bool:
    """Return whether `text` is the stored key, in a time that does not reveal how much of it is right."""
    return hmac.compare_digest(digest(text, pepper), stored)


_PAIRS: Final = [high + low for high in ALPHABET for low in ALPHABET]


@lru_cache(maxsize=16)
def _keyed(pepper: bytes) -> hmac.HMAC:
    # Preparing a pepper takes longer than all the rest, and there are few of them.
    return hmac.new(pepper, digestmod="sha256")


def _checksum(body: str) -> str:
    """Return the CRC-32 in six digits; two at a time, since every call does this."""
    high, low = divmod(zlib.crc32(body.encode()), 3844)
    higher, high = divmod(high, 3844)
    return _PAIRS[higher] + _PAIRS[high] + _PAIRS[low]


def _base62(value: int, width: int) -> str:
    digits = []
    for _ in range(width):
        value, digit = divmod(value, 62)
        digits.append(ALPHABET[digit])
    return "".join(reversed(digits))
