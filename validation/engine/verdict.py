"""The verdict on one IBAN: every check that can be made, reported together. Knows no request, language or client."""

from collections.abc import Callable
from itertools import product
from typing import Final, NamedTuple, cast

import schwifty

from validation.engine import national
from validation.engine.banks import BANKS, DIRECTORIES, Bank
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
    Warning,
)
from validation.engine.registry import COUNTRIES, REGISTRY_EDITION, Country

DATA_VERSION: Final = f"schwifty-{schwifty.__version__}+{REGISTRY_EDITION}"


class Verdict(NamedTuple):
    """What is known of one input. `country` and `bank` are None when not known."""

    input: str
    """What was given, cut at 128 characters."""
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
        """The account number within the BBAN, where the country's structure tells it apart."""
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
    checksum_suffix: str
    bank_start: int
    bank_end: int
    has_directory: bool
    warnings: tuple[Warning, ...]


_PLANS: Final = {
    code: _Plan(
        country,
        country.pattern.fullmatch,
        country.checksum_suffix,
        *country.bank_key,
        code in DIRECTORIES,
        _STATUS_WARNINGS[country.status],
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
    country, fits, checksum_suffix, bank_start, bank_end, has_directory, warnings = plan
    if not fits(iban):
        return _malformed(text, iban, country)
    bban = iban[4:]
    bank = BANKS.get(code + bban[bank_start:bank_end])
    expected = national.mod_97_10(bban + checksum_suffix)
    result, start, expected_digits = national.outcome(code, bban, bank)
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
    return Verdict(text, iban, _WELL_FORMED[checksum, result, found], reasons, warnings, country, bank)


def _malformed(text: str, iban: str, country: Country | None) -> Verdict:
    """Judge a text that has no country's structure: say why, and make the checks that can still be made."""
    if not iban or len(text) > MAX_INPUT_CHARACTERS:
        most = MAX_INPUT_CHARACTERS if iban else None
        return _told(text, iban, Checks(length=FAILED), [Reason("length", expected=most)])
    if not (iban.isascii() and iban.isalnum()):
        strange = next(place for place, character in enumerate(iban, 1) if not _is_plain(character))
        return _told(text, iban, Checks(characters=FAILED), [Reason("characters", strange)])
    checksum = _checksum(iban)
    if country is None:
        checks = Checks(PASSED, FAILED, checksum=_result(checksum, iban))
        return _told(text, iban, checks, [Reason("country", 1), *_failed_checksum(checksum, iban)])
    if len(iban) != country.length:
        checks = Checks(PASSED, PASSED, FAILED, checksum=_result(checksum, iban))
        length = Reason("length", expected=country.length)
        return _told(text, iban, checks, [length, *_failed_checksum(checksum, iban)], country)
    checks = Checks(PASSED, PASSED, PASSED, FAILED, checksum=_result(checksum, iban))
    structure = _first_misfit(iban, country)
    return _told(text, iban, checks, [structure, *_failed_checksum(checksum, iban)], country)


def _told(text: str, iban: str, checks: Checks, reasons: list[Reason], country: Country | None = None) -> Verdict:
    warnings = _STATUS_WARNINGS[country.status] if country else ()
    given = text[:MAX_INPUT_CHARACTERS]
    if given != iban:
        warnings = (*warnings, _NORMALISED)
    return Verdict(given, iban, checks, tuple(reasons), warnings, country, None)


def _is_plain(character: str) -> bool:
    return character.isascii() and character.isalnum()


def _checksum(iban: str) -> str | None:
    """Return the check digits that the text should have; None when it has no two digits in their place."""
    if not iban[2:4].isdigit() or len(iban) < 4:
        return None
    return national.mod_97_10(iban[4:] + iban[:2] + "00")


def _result(expected: str | None, iban: str) -> CheckResult:
    if expected is None:
        return NOT_CHECKED
    return PASSED if iban[2:4] == expected else FAILED


def _failed_checksum(expected: str | None, iban: str) -> list[Reason]:
    return [Reason("checksum", 3, expected)] if _result(expected, iban) == FAILED else []


def _first_misfit(iban: str, country: Country) -> Reason:
    fits = {"n": str.isdigit, "a": str.isalpha, "c": str.isalnum}
    for place, (character, kind) in enumerate(zip(iban, country.classes, strict=True), 1):
        if not fits[kind](character):
            return Reason("structure", place, kind)
    raise AssertionError("A text that fits every class would have matched the pattern.")
