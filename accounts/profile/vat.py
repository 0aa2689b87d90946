"""VAT numbers: brought into one form and checked for it. Knows rules of form, and asks no register."""

import re
from typing import Final

from stdnum import get_cc_module
from stdnum.eu import vat as european
from stdnum.exceptions import ValidationError as BadNumber

MAX_CHARACTERS: Final = 24
_PUNCTUATION: Final = re.compile(r"[\s.\-/]+")
# Greece writes EL before its numbers; Northern Ireland has British numbers with XI before them.
_RULES: Final = {"EL": "gr", "XI": "gb"}
_LETTERS: Final = {"GR": "EL"}
# Where the letters of the country belong to the number.
_WITH_LETTERS: Final = frozenset({"EL", "GB", "NO", *(state.upper() for state in european.MEMBER_STATES)})


class MalformedVat(ValueError):
    """The number cannot be a VAT number of its country; nothing of it is repeated."""


def parse(text: str, country: str) -> str:
    """Return the number in its canonical form, such as `SE556036079301`.

    It must fit the rule of the country whose letters it begins with, or of the one of the address. Where there is no
    rule any letters and digits will do. Raises MalformedVat.
    """
    number = _PUNCTUATION.sub("", text).upper()
    if not number.isascii() or not number.isalnum() or not 4 <= len(number) <= MAX_CHARACTERS:
        raise MalformedVat
    letters = number[:2]
    for whose, digits in ((letters, number[2:]), (letters, number), (country, number)):
        found = _fitting(digits, whose)
        if found:
            return found
    if letters in _WITH_LETTERS or _rule(country) is not None:
        raise MalformedVat
    return number


def _fitting(digits: str, whose: str) -> str:
    """Return the canonical number if it fits the rule of the country `whose`, or an empty text."""
    rule = _rule(whose)
    if rule is None:
        return ""
    try:
        plain: str = rule.validate(digits)  # type: ignore[attr-defined]  # every vat module has it
    except BadNumber:
        return ""
    if whose not in _WITH_LETTERS:
        return plain
    letters = _LETTERS.get(whose, whose)
    return letters + plain.removeprefix(letters)


def _rule(country: str) -> object | None:
    if not country.isalpha():
        return None
    return get_cc_module(_RULES.get(country, country.lower()), "vat")
