"""What is left of a personal field when it is masked: enough to recognise it, never enough to know it. Knows text only.

Nothing tells how long the text is. What is too short to hide behind its own beginning shows nothing; empty stays empty.
"""

from typing import Final

HIDDEN: Final = "•••"
_LEAST_TO_SHOW_A_LETTER: Final = 3
_LEAST_TO_SHOW_AN_END: Final = 7
_SHOWN_AT_THE_END: Final = 2


def email(text: str) -> str:
    """Return `a•••@e•••` for `alice@example.com`: the first letter of the name and of the domain."""
    if not text:
        return ""
    local, at, domain = text.rpartition("@")
    return f"{_first(local)}{HIDDEN}@{_first(domain)}{HIDDEN}" if at else HIDDEN


def name(text: str) -> str:
    """Return `A•••` for `Alice Andersson` or `Alice AB`: the first letter."""
    return f"{_first(text.strip())}{HIDDEN}" if text else ""


def phone(text: str) -> str:
    """Return `•••67` for `+46 8 123 45 67`: the last two digits of a number that has at least seven."""
    return f"{HIDDEN}{_end(''.join(sign for sign in text if sign.isdecimal()))}" if text else ""


def vat_number(text: str) -> str:
    """Return `SE•••01` for `SE556703748501`: the letters of the country and the last two signs."""
    if not text:
        return ""
    country, rest = text[:2], text[2:]
    shown = country if country.isascii() and country.isalpha() and _end(rest) else ""
    return f"{shown}{HIDDEN}{_end(rest)}"


def words(text: str) -> str:
    """Return `•••` for an address, a note or any other text: nothing of it."""
    return HIDDEN if text else ""


def _first(text: str) -> str:
    return text[0] if len(text) >= _LEAST_TO_SHOW_A_LETTER else ""


def _end(text: str) -> str:
    return text[-_SHOWN_AT_THE_END:] if len(text) >= _LEAST_TO_SHOW_AN_END else ""
