"""BICs: their structure, and the banks that the directory lists under them. Pure. Knows no participant of SWIFT.

Structure by ISO 9362:2022. The directory is that of IBANs, so it knows the BICs of banks that issue them and few
others: an unknown BIC may well exist. The index is made once, when this module is imported.
"""

import re
from collections import Counter
from string import ascii_lowercase, ascii_uppercase
from typing import Final, NamedTuple

import pycountry

from validation.engine.banks import BANKS
from validation.engine.normalise import MAX_INPUT_CHARACTERS, SEPARATORS

MOST: Final = 20
"""How many names and bank codes are listed at the most."""


class Bic(NamedTuple):
    """What is known of one BIC. The parts are None when the structure is wrong."""

    bic: str
    """In capitals and without separators; otherwise as typed."""
    valid: bool
    """Whether the structure is right: eight or eleven characters, with the code of a country at places 5 and 6."""
    party_prefix: str | None
    country: str | None
    party_suffix: str | None
    branch: str | None
    """None for the head office: written with eight characters or with XXX behind them."""
    test: bool
    """Whether it is a BIC for tests only: they have 0 at the eighth place."""
    known: bool
    known_as: str | None
    """The BIC under which the banks were found: a branch that is not listed itself is known as its head office."""
    names: tuple[str, ...]
    """The banks' names, at most twenty: the one with the most bank codes first, equals by the alphabet."""
    bank_codes: tuple[str, ...]
    """Country code and bank code together, `DE37040044`, as in BANKS; the first twenty by the alphabet."""
    total_bank_codes: int


# As in `normalise`, which would also take a leading IBAN away: that may be the beginning of a BIC.
_TABLE = str.maketrans(ascii_lowercase, ascii_uppercase, SEPARATORS)
_STRUCTURE: Final = re.compile("([A-Z0-9]{4})([A-Z]{2})([A-Z0-9]{2})(?:XXX|([A-Z0-9]{3}))?")
# XK is assigned to Kosovo by its users: ISO 3166 leaves it to them, and SWIFT gives BICs with it.
COUNTRIES: Final = frozenset({country.alpha_2 for country in pycountry.countries} | {"XK"})


def head_office(bic: str) -> str:
    """Return the BIC without the XXX that may stand for the head office."""
    return bic[:8] if bic[8:] == "XXX" else bic


def _index() -> dict[str, tuple[str, ...]]:
    codes: dict[str, list[str]] = {}
    for code in sorted(BANKS):
        for bic in dict.fromkeys(map(head_office, BANKS[code].candidates)):
            codes.setdefault(bic, []).append(code)
    return {bic: tuple(found) for bic, found in codes.items()}


_BANK_CODES: Final = _index()
"""The keys in BANKS of every bank under its BICs; head offices have eight characters here."""


def look_up(text: str) -> Bic:
    """Return what is known of the BIC in `text`, which may hold separators and small letters.

    Never raises for any string; raises TypeError for anything else. Only the first 128 characters are read.
    """
    if not isinstance(text, str):
        raise TypeError("A BIC is text.")
    bic = text[:MAX_INPUT_CHARACTERS].translate(_TABLE)
    parts = _STRUCTURE.fullmatch(bic) if len(text) <= MAX_INPUT_CHARACTERS else None
    if parts is None or parts[2] not in COUNTRIES:
        return Bic(bic, False, None, None, None, None, False, False, None, (), (), 0)  # noqa: FBT003 - a record
    known_as = next((candidate for candidate in (head_office(bic), bic[:8]) if candidate in _BANK_CODES), None)
    codes = _BANK_CODES[known_as] if known_as else ()
    names = Counter(sorted(BANKS[code].name for code in codes)).most_common(MOST)
    return Bic(
        bic=bic,
        valid=True,
        party_prefix=parts[1],
        country=parts[2],
        party_suffix=parts[3],
        branch=parts[4],
        test=parts[3][1] == "0",
        known=known_as is not None,
        known_as=known_as,
        names=tuple(name for name, _ in names),
        bank_codes=codes[:MOST],
        total_bank_codes=len(codes),
    )
