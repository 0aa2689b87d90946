"""National check digits: the rule of each country that has one, from BBAN to outcome. Knows no bank and no IBAN.

Where the source of a rule is not named, it is the country's entry in the SWIFT IBAN registry; the rules marked
"public data" are in no such document and were confirmed on published account numbers. All rules expect a BBAN whose
structure has been checked.
"""

from collections.abc import Callable
from itertools import cycle
from operator import mul
from typing import Final, NamedTuple

from validation.engine.german import METHODS as GERMAN_METHODS
from validation.engine.reasons import FAILED, NOT_CHECKED, PASSED, CheckResult


class Outcome(NamedTuple):
    """The result of the check; when it failed, where the check digits start in the BBAN and what they should be."""

    result: CheckResult
    start: int = 0
    expected: str | None = None


Rule = Callable[[str], Outcome]
Compute = Callable[[str], str | None]
"""From a BBAN to the check digits it should have; None when no digits can be right."""

_PASSED = Outcome(PASSED)
_NOT_CHECKED = Outcome(NOT_CHECKED)
_NUMBER_OF = {character: str(int(character, 36)) for character in "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"}
# Letters of a French account number count as the digits on the same key of a phone: A and J are 1, S is 2.
_RIB_DIGITS = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "12345678912345678923456789")


def numeric(text: str) -> str:
    """Return `text` with each letter as the number 10 to 35 that ISO 13616 gives it."""
    if text.isdigit():
        return text
    tail = text[4:]
    if tail.isdigit():  # Most letters are a bank code of four; this is twice as fast as joining every digit.
        first, second, third, fourth = text[:4]
        return _NUMBER_OF[first] + _NUMBER_OF[second] + _NUMBER_OF[third] + _NUMBER_OF[fourth] + tail
    return "".join([_NUMBER_OF[character] for character in text])


def _weighted(digits: str, weights: tuple[int, ...]) -> int:
    return sum(map(mul, map(int, digits), weights))


def _at(start: int, end: int, compute: Compute) -> Rule:
    """Make the rule that the BBAN holds at `start:end` what `compute` says."""

    def rule(bban: str) -> Outcome:
        expected = compute(bban)
        return _PASSED if bban[start:end] == expected else Outcome(FAILED, start, expected)

    return rule


def _all_of(*rules: Rule) -> Rule:
    """Make the rule that every one of `rules` passes; the first that fails is told."""

    def rule(bban: str) -> Outcome:
        for part in rules:
            outcome = part(bban)
            if outcome.result == FAILED:
                return outcome
        return _PASSED

    return rule


_MOD_97 = tuple(f"{98 - remainder:02d}" for remainder in range(97))
_RIB_KEYS = tuple(f"{97 - remainder:02d}" for remainder in range(97))


def mod_97_10(text: str) -> str:
    """Return the two check digits of ISO 7064 mod 97-10 for `text` with a place for them ("00") at its end.

    They lie in 02–98: 00, 01 and 99 would leave the same remainder and are never issued.
    """
    return _MOD_97[int(numeric(text)) % 97]


def _mod_97_at_end(bban: str) -> str:
    return mod_97_10(bban[:-2] + "00")


def _rib_key(bban: str) -> str:
    """Return the key of a French bank statement number (RIB). Source: Comité français d'organisation bancaires."""
    return _RIB_KEYS[int(bban[:-2].translate(_RIB_DIGITS) + "00") % 97]


def _belgian(bban: str) -> str:
    return f"{int(bban[:10]) % 97 or 97:02d}"


def _luhn(bban: str) -> str:
    doubled = sum(divmod(2 * int(digit), 10)[0] + 2 * int(digit) % 10 for digit in bban[12::-2])
    return str(-(doubled + sum(map(int, bban[11::-2]))) % 10)


def _mod_10(start: int, end: int, weights: tuple[int, ...]) -> Compute:
    """Make the computation: what is missing to the next ten after weighing the digits `start:end`."""
    return lambda bban: str(-_weighted(bban[start:end], weights) % 10)


def _estonian(bban: str) -> str:
    return str(-sum(int(digit) * weight for digit, weight in zip(bban[14:1:-1], cycle((7, 3, 1)), strict=False)) % 10)


_SPANISH_WEIGHTS = (1, 2, 4, 8, 5, 10, 9, 7, 3, 6)


def _spanish(bban: str) -> str:
    def digit(text: str, weights: tuple[int, ...]) -> str:
        due = 11 - _weighted(text, weights) % 11
        return {10: "1", 11: "0"}.get(due) or str(due)

    return digit(bban[:8], _SPANISH_WEIGHTS[2:]) + digit(bban[10:], _SPANISH_WEIGHTS)


_ITALIAN_ODD = dict(
    zip("0123456789", (1, 0, 5, 7, 9, 13, 15, 17, 19, 21), strict=True)
) | dict(
    zip(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        (1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23),
        strict=True,
    )
)
_ITALIAN_EVEN = {character: int(character, 36) for character in "0123456789"} | {
    character: place for place, character in enumerate("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
}


def _italian(bban: str) -> str:
    """Return the CIN, a letter. Source: Associazione Bancaria Italiana."""
    total = sum([_ITALIAN_ODD[c] for c in bban[1::2]]) + sum([_ITALIAN_EVEN[c] for c in bban[2::2]])
    return chr(ord("A") + total % 26)


_CZECH_WEIGHTS = (6, 3, 7, 9, 10, 5, 8, 4, 2, 1)


def _czech(bban: str) -> Outcome:
    """The prefix and the account number must each weigh a multiple of 11. Source: ČNB, decree 169/2011."""
    if _weighted(bban[4:10], _CZECH_WEIGHTS[4:]) % 11:
        return Outcome(FAILED, 4)
    return Outcome(FAILED, 10) if _weighted(bban[10:], _CZECH_WEIGHTS) % 11 else _PASSED


_ICELANDIC_WEIGHTS = (3, 2, 7, 6, 5, 4, 3, 2)


def _icelandic(bban: str) -> str | None:
    """Return the ninth digit of the holder's kennitala; no digit is right when it would have to be 10."""
    due = -_weighted(bban[12:20], _ICELANDIC_WEIGHTS) % 11
    return None if due == 10 else str(due)


_NORWEGIAN_WEIGHTS = (5, 4, 3, 2, 7, 6, 5, 4, 3, 2)


def _norwegian_digit(digits: str, weights: tuple[int, ...]) -> str | None:
    due = -_weighted(digits, weights) % 11
    return None if due == 10 else str(due)


_norwegian_plain: Final = _at(10, 11, lambda bban: _norwegian_digit(bban[:10], _NORWEGIAN_WEIGHTS))
_norwegian_short: Final = _at(10, 11, lambda bban: _norwegian_digit(bban[6:10], _NORWEGIAN_WEIGHTS))


def _norwegian(bban: str) -> Outcome:
    """Weigh all ten digits. Of numbers with 00 at places 5 and 6 some sources weigh only what follows: not checked then."""
    plain = _norwegian_plain(bban)
    if bban[4:6] != "00" or plain.result == _norwegian_short(bban).result:
        return plain
    return _NOT_CHECKED


def _mod_11_10(digits: str) -> str:
    """Return the check digit of ISO 7064 mod 11,10."""
    product = 10
    for digit in digits:
        product = ((product + int(digit)) % 10 or 10) * 2 % 11
    return str((11 - product) % 10)


_HUNGARIAN_WEIGHTS = (9, 7, 3, 1) * 4

_MOD_97_AT_END = "AO BA CV ME MK PT RS SI TL XK"  # AO, CV, XK: public data
_RIB = "FR MC MR TN BL GF GP MF MQ NC PF PM RE TF WF YT"
_RIB_IN_AFRICA = "BF BI BJ CF CG CI CM DJ GA GQ KM MA MG ML NE SN TD TG"  # public data


def _at_end(compute: Compute) -> Rule:
    def rule(bban: str) -> Outcome:
        expected = compute(bban)
        return _PASSED if bban[-2:] == expected else Outcome(FAILED, len(bban) - 2, expected)

    return rule


RULES: Final[dict[str, Rule]] = {
    **dict.fromkeys(_MOD_97_AT_END.split(), _at_end(_mod_97_at_end)),
    **dict.fromkeys((_RIB + " " + _RIB_IN_AFRICA).split(), _at_end(_rib_key)),
    "AL": _at(7, 8, _mod_10(0, 7, (9, 7, 3, 1, 9, 7, 3))),  # public data
    "AX": _at(13, 14, _luhn),
    "BE": _at(10, 12, _belgian),
    "CZ": _czech,
    "EE": _at(15, 16, _estonian),
    "ES": _at(8, 10, _spanish),
    "FI": _at(13, 14, _luhn),
    "HR": _all_of(  # public data
        _at(6, 7, lambda bban: _mod_11_10(bban[:6])),
        _at(16, 17, lambda bban: _mod_11_10(bban[7:16])),
    ),
    "HU": _all_of(  # public data
        _at(7, 8, _mod_10(0, 7, _HUNGARIAN_WEIGHTS)),
        _at(23, 24, _mod_10(8, 23, _HUNGARIAN_WEIGHTS)),
    ),
    "IS": _at(20, 21, _icelandic),
    "IT": _at(0, 1, _italian),
    "NO": _norwegian,
    "PL": _at(7, 8, _mod_10(0, 7, (3, 9, 7, 1, 3, 9, 7))),
    "SK": _czech,
    "SM": _at(0, 1, _italian),
}
"""The rule of each country, by country code. Germany's depends on the bank: see `outcome`."""

WITH_RULE: Final = frozenset(RULES) | {"DE"}


def outcome(country_code: str, bban: str, bank_method: str | None) -> Outcome:
    """Check the national check digits of a BBAN of right structure.

    `bank_method` is the method the bank directory names for the bank code; only Germany has them. The result is
    `not_checked` where the country has no rule, the bank is unknown, or its method is none of ours. The Dutch 11-test
    is not made: IBANs issued since 2014 need not pass it (Betaalvereniging Nederland).
    """
    rule = RULES.get(country_code)
    if rule is not None:
        return rule(bban)
    if country_code == "DE" and bank_method in GERMAN_METHODS:
        return _PASSED if GERMAN_METHODS[bank_method](bban[:8], bban[8:]) else Outcome(FAILED, 8)
    return _NOT_CHECKED
