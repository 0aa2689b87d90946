"""VAT numbers: normalised and checked for their format. No register is queried."""

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
# Where the country letters are part of the number.
_WITH_LETTERS: Final = frozenset({"EL", "GB", "NO", *(state.upper() for state in european.MEMBER_STATES)})


class MalformedVat(ValueError):
    """Not a VAT number of its country; the message repeats nothing of it."""


def parse(text: str, country: str) -> str:
    """Return the VAT number in its canonical form, such as `SE556036079301`.

    It must match the rule of the country whose letters it begins with, or of the country of the postal address. Where
    there is no rule, any letters and digits are accepted. Raises MalformedVat.
    """
    vat_number = _PUNCTUATION.sub("", text).upper()
    if not vat_number.isascii() or not vat_number.isalnum() or not 4 <= len(vat_number) <= MAX_CHARACTERS:
        raise MalformedVat
    letters = vat_number[:2]
    for rule_of, digits in ((letters, vat_number[2:]), (letters, vat_number), (country, vat_number)):
        if canonical := _canonical(digits, rule_of):
            return canonical
    if letters in _WITH_LETTERS or _rule(country) is not None:
        raise MalformedVat
    return vat_number


def _canonical(digits: str, country: str) -> str:
    """Return the canonical VAT number if it matches the country's rule, otherwise an empty string."""
    rule = _rule(country)
    if rule is None:
        return ""
    try:
        plain: str = rule.validate(digits)  # type: ignore[attr-defined]  # every vat module has it
    except BadNumber:
        return ""
    if country not in _WITH_LETTERS:
        return plain
    letters = _LETTERS.get(country, country)
    return letters + plain.removeprefix(letters)


def _rule(country: str) -> object | None:
    if not country.isalpha():
        return None
    return get_cc_module(_RULES.get(country, country.lower()), "vat")
