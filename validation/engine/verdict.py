"""The verdict on one IBAN: every check that can be made, reported together. Knows no request, language or client."""

from collections.abc import Callable
from itertools import product
from typing import Final, NamedTuple, cast

import schwifty

from validation.engine import national
from validation.engine.banks import BANKS, DIRECTORIES, Bank
from validation.engine.national import CHECK_DIGITS, NO_RULE, numeric
from validation.engine.normalise import MAX_INPUT_CHARACTERS, grouped, normalise
from validation.engine.reasons import (
    FAILED,
    KNOWN,
    NOT_CHECKED,
    PASSED,
    UNKNOWN,
    BankResult,
    CheckResult,
    Checks,
    Reason,
    ReasonCode,
    Warning,
)
from validation.engine.registry import COUNTRIES, REGISTRY_EDITION, Country

DATA_VERSION: Final = f"schwifty-{schwifty.__version__}+{REGISTRY_EDITION}"


class Verdict(NamedTuple):
    """What is known of one input. `country` and `bank` are None when not known."""

    input: str
    """What was entered, cut at 128 characters."""
    iban: str
    """The normalised text, as far as normalising goes."""
    checks: Checks
    reasons: tuple[Reason, ...]
    """The failed checks, the most basic first."""
    warnings: tuple[Warning, ...]
    country: Country | None
    bank: Bank | None
    suggestions: tuple[str, ...] = ()

    @property
    def valid(self) -> bool:
        """Whether nothing speaks against the IBAN. An unknown bank does not: one real IBAN in nine has one."""
        return not self.reasons

    @property
    def formatted(self) -> str:
        """The IBAN in groups of four."""
        return grouped(self.iban)

    @property
    def bban(self) -> str | None:
        """The national number, when its structure is right."""
        return self.iban[4:] if self.checks.structure == PASSED else None

    @property
    def account_number(self) -> str | None:
        """The account number within the BBAN, where the country's structure defines it."""
        return self.country.account_number.cut(self.iban[4:]) if self.country and self.bban else None

    @property
    def bank_code(self) -> str | None:
        """The bank code within the BBAN, whether or not the directory knows it."""
        return self.country.bank_code.cut(self.iban[4:]) if self.country and self.bban else None

    @property
    def branch_code(self) -> str | None:
        """The branch code within the BBAN, where the country has one."""
        return self.country.branch_code.cut(self.iban[4:]) if self.country and self.bban else None


_WELL_FORMED: Final = {
    (checksum, digits, bank): Checks(PASSED, PASSED, PASSED, PASSED, checksum, digits, bank)
    for checksum, digits, bank in product(
        cast(tuple[CheckResult, ...], (PASSED, FAILED)),
        cast(tuple[CheckResult, ...], (PASSED, FAILED, NOT_CHECKED)),
        cast(tuple[BankResult, ...], (KNOWN, UNKNOWN, NOT_CHECKED)),
    )
}
_FAILED_EARLY: Final[dict[ReasonCode, Checks]] = {
    "country": Checks(PASSED, FAILED),
    "length": Checks(PASSED, PASSED, FAILED),
    "structure": Checks(PASSED, PASSED, PASSED, FAILED),
}
_MALFORMED: Final[dict[tuple[ReasonCode, CheckResult], Checks]] = {
    (code, checksum): checks._replace(checksum=checksum)
    for code, checks in _FAILED_EARLY.items()
    for checksum in cast(tuple[CheckResult, ...], (PASSED, FAILED, NOT_CHECKED))
}
_NO_COUNTRY: Final = Reason("country", 1)
_NORMALISED: Final = Warning("normalised")
_BANK_UNKNOWN: Final = Warning("bank_unknown")
_STATUS_WARNINGS: Final[dict[str, tuple[Warning, ...]]] = {
    "official": (),
    "aspirational": (Warning("aspirational_country"),),
    "territory": (Warning("territory_prefix"),),
}


class _Plan(NamedTuple):
    """What judging an IBAN of one country needs, laid out flat: unpacking it is faster than asking the country."""

    country: Country
    fits: Callable[[str], object]
    digits_only: bool
    checksum_suffix: str
    bank_start: int
    bank_end: int
    has_directory: bool
    warnings: tuple[Warning, ...]
    rule: national.Rule | None


_PLANS: Final = {
    code: _Plan(
        country,
        country.pattern.fullmatch,
        country.classes[4:].strip("n") == "",
        country.checksum_suffix,
        *country.bank_key,
        code in DIRECTORIES,
        _STATUS_WARNINGS[country.status],
        national.RULES.get(code),
    )
    for code, country in COUNTRIES.items()
}


def check(text: str) -> Verdict:
    """Return the verdict on `text`, which may hold separators and small letters.

    Never raises for any string; raises TypeError for anything else. Suggestions are left out: see suggestions.py.
    """
    if not isinstance(text, str):
        raise TypeError("An IBAN is text.")
    iban = normalise(text)
    code = iban[:2]
    plan = _PLANS.get(code)
    if plan is None or len(text) > MAX_INPUT_CHARACTERS:
        return _malformed(text, iban, COUNTRIES.get(code))
    country, fits, digits_only, checksum_suffix, bank_start, bank_end, has_directory, warnings, rule = plan
    if not fits(iban):
        return _malformed(text, iban, country)
    bban = iban[4:]
    bank = BANKS.get(code + bban[bank_start:bank_end])
    number = bban + checksum_suffix
    expected = CHECK_DIGITS[int(number if digits_only else numeric(number)) % 97]
    result, start, expected_digits = rule(bban, bank) if rule else NO_RULE
    checksum: CheckResult = PASSED
    found: BankResult = KNOWN
    reasons: tuple[Reason, ...] = ()
    if iban[2:4] != expected:
        checksum = FAILED
        reasons = (Reason("checksum", 3, expected),)
    if result == FAILED:
        reasons += (Reason("national_check_digits", start + 5, expected_digits),)
    if bank is None:
        found = UNKNOWN if has_directory else NOT_CHECKED
        if has_directory:
            warnings = (_BANK_UNKNOWN, *warnings)
    if text != iban:
        warnings = (*warnings, _NORMALISED)
    # What the generated constructor does, without its Python frame: this line is run for every number.
    return tuple.__new__(
        Verdict, (text, iban, _WELL_FORMED[checksum, result, found], reasons, warnings, country, bank, ())
    )


def _malformed(text: str, iban: str, country: Country | None) -> Verdict:
    """Judge a text that has no country's structure: say why, and make the checks that can still be made."""
    if not iban or len(text) > MAX_INPUT_CHARACTERS:
        most = MAX_INPUT_CHARACTERS if iban else None
        return _refuse(text, iban, Checks(length=FAILED), (Reason("length", None, most),))
    if not (iban.isascii() and iban.isalnum()):
        strange = next(place for place, sign in enumerate(iban, 1) if not (sign.isascii() and sign.isalnum()))
        return _refuse(text, iban, Checks(characters=FAILED), (Reason("characters", strange),))
    reason = _first_failure(iban, country)
    expected = _expected_check_digits(iban)
    checksum: CheckResult = NOT_CHECKED if expected is None else PASSED if iban[2:4] == expected else FAILED
    reasons = (reason, Reason("checksum", 3, expected)) if checksum == FAILED else (reason,)
    return _refuse(text, iban, _MALFORMED[reason.code, checksum], reasons, country)


def _refuse(
    text: str, iban: str, checks: Checks, reasons: tuple[Reason, ...], country: Country | None = None
) -> Verdict:
    warnings = _STATUS_WARNINGS[country.status] if country else ()
    entered = text[:MAX_INPUT_CHARACTERS]
    if entered != iban:
        warnings = (*warnings, _NORMALISED)
    return Verdict(entered, iban, checks, reasons, warnings, country, None)


def _first_failure(iban: str, country: Country | None) -> Reason:
    """Return the most basic thing that keeps a text of plain characters from matching its country's pattern."""
    if country is None:
        return _NO_COUNTRY
    if len(iban) != country.length:
        return Reason("length", None, country.length)
    return country.first_misfit(iban)


def _expected_check_digits(iban: str) -> str | None:
    """Return the check digits that the text should have; None when it has no two digits in their place."""
    if len(iban) < 4 or not iban[2:4].isdigit():
        return None
    return national.mod_97_10(iban[4:] + iban[:2] + "00")
