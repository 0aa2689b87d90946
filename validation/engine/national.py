"""National check digits: the rule of each country that has one, from BBAN to outcome. Knows no IBAN.

Where the source of a rule is not named, it is the country's entry in the SWIFT IBAN registry; the rules marked
"public data" are in no such document and were confirmed on published account numbers. All rules expect a BBAN whose
structure has been checked.
"""

from collections.abc import Callable, Sequence
from operator import mul
from typing import Final, NamedTuple

from validation.engine import british
from validation.engine.banks import Bank
from validation.engine.german import METHODS as GERMAN_METHODS
from validation.engine.reasons import FAILED, NOT_CHECKED, PASSED, CheckResult


class DigitsResult(NamedTuple):
    """The result of the check; when it failed, where the check digits start in the BBAN and what they should be."""

    result: CheckResult
    start: int = 0
    expected: str | None = None


Rule = Callable[[str, Bank | None], DigitsResult]
"""From a BBAN of right structure, and the bank of its bank code, to the outcome; only Germany's looks at the bank."""
Compute = Callable[[str], str | None]
"""From a BBAN to the check digits it should have; None when no digits can be right."""

_PASSED = DigitsResult(PASSED)
_NOT_CHECKED = DigitsResult(NOT_CHECKED)
NO_RULE: Final = _NOT_CHECKED
"""The outcome in a country without a rule. The Dutch 11-test is not one: IBANs issued since 2014 need not pass it
(Betaalvereniging Nederland)."""
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_NUMBERS = str.maketrans({letter: str(int(letter, 36)) for letter in _LETTERS})
# Letters of a French account number count as the digits on the same key of a phone: A and J are 1, S is 2.
_RIB_DIGITS = str.maketrans(_LETTERS, "12345678912345678923456789")


def numeric(text: str) -> str:
    """Return `text` with each letter as the number 10 to 35 that ISO 13616 gives it."""
    return text if text.isdigit() else text.translate(_NUMBERS)


def _weighing(weights: tuple[int, ...], modulus: int) -> Callable[[str], int]:
    """Make the function from as many digits as weights to their weighted sum, by the modulus."""
    zeros = ord("0") * sum(weights)
    return lambda digits: (sum(map(mul, digits.encode(), weights)) - zeros) % modulus


def _at(start: int, end: int, compute: Compute) -> Rule:
    """Make the rule that the BBAN holds at `start:end` what `compute` says."""

    def rule(bban: str, _bank: Bank | None = None) -> DigitsResult:
        expected = compute(bban)
        return _PASSED if bban[start:end] == expected else DigitsResult(FAILED, start, expected)

    return rule


def _at_end(compute: Compute) -> Rule:
    def rule(bban: str, _bank: Bank | None = None) -> DigitsResult:
        expected = compute(bban)
        return _PASSED if bban[-2:] == expected else DigitsResult(FAILED, len(bban) - 2, expected)

    return rule


def _all_of(*rules: Rule) -> Rule:
    """Make the rule that every one of `rules` passes; the first that fails is returned."""

    def rule(bban: str, bank: Bank | None = None) -> DigitsResult:
        for part in rules:
            outcome = part(bban, bank)
            if outcome.result == FAILED:
                return outcome
        return _PASSED

    return rule


CHECK_DIGITS: Final = tuple(f"{98 - remainder:02d}" for remainder in range(97))
"""The check digits of ISO 7064 mod 97-10 by the remainder that the number leaves with "00" in their place."""
_RIB_KEYS = tuple(f"{97 - remainder:02d}" for remainder in range(97))


def mod_97_10(text: str) -> str:
    """Return the two check digits of ISO 7064 mod 97-10 for `text` with a place for them ("00") at its end.

    They lie in 02–98: 00, 01 and 99 would leave the same remainder and are never issued.
    """
    return CHECK_DIGITS[int(numeric(text)) % 97]


def _mod_97_at_end(bban: str) -> str:
    return mod_97_10(bban[:-2] + "00")


def _rib_key(bban: str) -> str:
    """Return the key of a French bank statement number (RIB). Source: Comité français d'organisation bancaires."""
    digits = bban if bban.isdigit() else bban.translate(_RIB_DIGITS)
    return _RIB_KEYS[int(digits[:-2] + "00") % 97]


def _belgian(bban: str) -> str:
    return f"{int(bban[:10]) % 97 or 97:02d}"


_DOUBLED = str.maketrans("0123456789", "0246813579")


def _luhn(bban: str) -> str:
    """Return the Luhn digit over the thirteen before it. Source: Finanssiala, "Suomalaiset tilinumerot"."""
    digits = bban[11::-2] + bban[12::-2].translate(_DOUBLED)
    return str(-sum(map(int, digits)) % 10)


def _mod_10(digits: slice, weights: tuple[int, ...]) -> Compute:
    """Make the computation: what the weighted digits lack to the next ten."""
    weigh = _weighing(weights, 10)
    return lambda bban: str(-weigh(bban[digits]) % 10)


_spanish_bank = _weighing((4, 8, 5, 10, 9, 7, 3, 6), 11)
_spanish_account = _weighing((1, 2, 4, 8, 5, 10, 9, 7, 3, 6), 11)
_SPANISH_DIGITS = "01987654321"


def _spanish(bban: str) -> str:
    """Return the two control digits, of the bank and branch and of the account. Source: Banco de España."""
    return _SPANISH_DIGITS[_spanish_bank(bban[:8])] + _SPANISH_DIGITS[_spanish_account(bban[10:])]


_ITALIAN_PLACES = dict(zip("0123456789" + _LETTERS, [*range(10), *range(26)], strict=True))
_ITALIAN_ODD = (1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23)
_italian_odd = {character: _ITALIAN_ODD[place] for character, place in _ITALIAN_PLACES.items()}.__getitem__
_italian_even = _ITALIAN_PLACES.__getitem__


def _italian(bban: str) -> str:
    """Return the CIN, a letter. Source: Associazione Bancaria Italiana."""
    return _LETTERS[(sum(map(_italian_odd, bban[1::2])) + sum(map(_italian_even, bban[2::2]))) % 26]


_czech_prefix = _weighing((10, 5, 8, 4, 2, 1), 11)
_czech_number = _weighing((6, 3, 7, 9, 10, 5, 8, 4, 2, 1), 11)


def _czech(bban: str, _bank: Bank | None) -> DigitsResult:
    """The prefix and the account number must each weigh a multiple of 11. Source: ČNB, decree 169/2011."""
    if _czech_prefix(bban[4:10]):
        return DigitsResult(FAILED, 4)
    return DigitsResult(FAILED, 10) if _czech_number(bban[10:]) else _PASSED


_MOD_11_DIGITS = ("0", None, "9", "8", "7", "6", "5", "4", "3", "2", "1")


def _mod_11(digits: slice, weights: tuple[int, ...]) -> Compute:
    """Make the computation: what the weighted digits lack to the next eleven; no digit is right if that is ten."""
    weigh = _weighing(weights, 11)
    return lambda bban: _MOD_11_DIGITS[weigh(bban[digits])]


_norwegian_plain: Final = _at(10, 11, _mod_11(slice(0, 10), (5, 4, 3, 2, 7, 6, 5, 4, 3, 2)))
_norwegian_short: Final = _at(10, 11, _mod_11(slice(6, 10), (5, 4, 3, 2)))


def _norwegian(bban: str, bank: Bank | None) -> DigitsResult:
    """Weigh all ten digits. Where places 5 and 6 hold 00, some sources weigh only what follows: not checked then."""
    plain = _norwegian_plain(bban, bank)
    if bban[4:6] != "00" or plain.result == _norwegian_short(bban, bank).result:
        return plain
    return _NOT_CHECKED


def _mod_11_10(digits: str) -> str:
    """Return the check digit of ISO 7064 mod 11,10."""
    product = 10
    for digit in digits:
        product = ((product + int(digit)) % 10 or 10) * 2 % 11
    return str((11 - product) % 10)


_BRITISH_ACCOUNT = 10


def _british(bban: str, _bank: Bank | None) -> DigitsResult:
    """Make the checks that Pay.UK's tables name for the sort code; without the tables, none."""
    tables = british.in_use()
    if tables is None:
        return _NOT_CHECKED
    passed = british.passes(tables, bban[4:_BRITISH_ACCOUNT], bban[_BRITISH_ACCOUNT:])
    if passed is None:
        return _NOT_CHECKED
    return _PASSED if passed else DigitsResult(FAILED, _BRITISH_ACCOUNT)


_MOD_97_AT_END = "AO BA CV ME MK PT RS SI TL XK"  # AO, CV, XK: public data
_RIB = "FR MC MR TN BL GF GP MF MQ NC PF PM RE TF WF YT"
_RIB_IN_AFRICA = "BF BI BJ CF CG CI CM DJ GA GQ KM MA MG ML NE SN TD TG"  # public data


def _german(bban: str, bank: Bank | None) -> DigitsResult:
    """Check by the method that the bank has chosen; for an unknown bank or method the digits are not checked."""
    method = GERMAN_METHODS.get(bank.check_method) if bank else None
    if method is None:
        return _NOT_CHECKED
    return _PASSED if method(bban[:8], bban[8:]) else DigitsResult(FAILED, 8)


BRITISH: Final = ("GB", "GG", "IM", "JE")
"""The countries that use British sort codes."""

RULES: Final[dict[str, Rule]] = {
    **dict.fromkeys(_MOD_97_AT_END.split(), _at_end(_mod_97_at_end)),
    **dict.fromkeys((_RIB + " " + _RIB_IN_AFRICA).split(), _at_end(_rib_key)),
    **dict.fromkeys(BRITISH, _british),
    "AL": _at(7, 8, _mod_10(slice(0, 7), (9, 7, 3, 1, 9, 7, 3))),  # public data
    "AX": _at(13, 14, _luhn),
    "BE": _at(10, 12, _belgian),
    "CZ": _czech,
    "DE": _german,
    "EE": _at(15, 16, _mod_10(slice(2, 15), (7, 1, 3) * 4 + (7,))),
    "ES": _at(8, 10, _spanish),
    "FI": _at(13, 14, _luhn),
    "HR": _all_of(  # public data
        _at(6, 7, lambda bban: _mod_11_10(bban[:6])),
        _at(16, 17, lambda bban: _mod_11_10(bban[7:16])),
    ),
    "HU": _all_of(  # public data
        _at(7, 8, _mod_10(slice(0, 7), (9, 7, 3, 1, 9, 7, 3))),
        _at(23, 24, _mod_10(slice(8, 23), (9, 7, 3, 1) * 3 + (9, 7, 3))),
    ),
    "IS": _at(20, 21, _mod_11(slice(12, 20), (3, 2, 7, 6, 5, 4, 3, 2))),  # the ninth digit of the kennitala
    "IT": _at(0, 1, _italian),
    "NO": _norwegian,
    "PL": _at(7, 8, _mod_10(slice(0, 7), (3, 9, 7, 1, 3, 9, 7))),
    "SK": _czech,
    "SM": _at(0, 1, _italian),
}
"""The rule of each country that has one, by country code."""

WITH_RULE: Final = frozenset(RULES)


def can_check(country_code: str) -> bool:
    """Return whether this country's check digits are checked here; Britain's need tables that an operator loads."""
    return country_code in WITH_RULE and (country_code not in BRITISH or british.in_use() is not None)


def outcome(country_code: str, bban: str, bank: Bank | None) -> DigitsResult:
    """Check the national check digits of a BBAN of right structure; `not_checked` where the country has no rule."""
    rule = RULES.get(country_code)
    return rule(bban, bank) if rule else NO_RULE


def completed(country_code: str, bban: str, starts: Sequence[int]) -> str | None:
    """Return the BBAN with the check digits that begin at `starts` computed from the rest; None when none are right.

    What is in their places is overwritten. Check digits elsewhere are left as they are, right or wrong. In Norway
    all ten digits are weighed, also where the sources differ.
    """
    for _ in starts:
        judged = _norwegian_plain(bban, None) if country_code == "NO" else outcome(country_code, bban, None)
        if judged.result != FAILED or judged.start not in starts:
            return bban
        if judged.expected is None:
            return None
        bban = bban[: judged.start] + judged.expected + bban[judged.start + len(judged.expected) :]
    return bban
