"""A verdict of the engine as the API tells it, in one of the languages."""

from functools import cache, lru_cache
from typing import Final

from django.utils import translation
from msgspec import UNSET

from validation import sentences
from validation.api.schemas import (
    AccountOfIban,
    BankOfIban,
    ChecksAnswer,
    CountryOfIban,
    Finding,
    VerdictAnswer,
)
from validation.engine import DATA_VERSION, Verdict
from validation.engine.banks import Bank
from validation.engine.normalise import grouped
from validation.engine.reasons import PASSED, Checks, Reason, Warning
from validation.engine.registry import COUNTRIES, Country

_NOTHING: Final[list[Finding]] = []
# All pairs of found and expected check digits (9,506), and what else goes wrong often; about 5 MB when full.
MOST_KEPT_REASONS: Final = 15_000


class Teller:
    """Tells verdicts in one language. What is the same for many of them is made once: a batch has a thousand."""

    def __init__(self, language: str) -> None:
        self._language = language
        self._warnings: dict[tuple[Warning, str | None], Finding] = {}
        self._reason = lru_cache(maxsize=MOST_KEPT_REASONS)(self._of_fact)
        with translation.override(language):
            self._countries = {code: _country(country) for code, country in COUNTRIES.items()}

    def tell(self, verdict: Verdict) -> VerdictAnswer:
        """Return a verdict as it goes into an answer."""
        text, iban, checks, reasons, warnings, country, bank, suggestions = verdict
        bban = iban[4:] if checks[3] == PASSED and country else None
        return VerdictAnswer(
            text,
            iban,
            grouped(iban),
            not reasons,
            _checks(checks),
            [self._reason(reason, sentences.fact(reason, verdict)) for reason in reasons] if reasons else _NOTHING,
            [self._warning(warning, verdict) for warning in warnings] if warnings else _NOTHING,
            self._countries[country.code] if country else None,
            _bank(bank, country, iban) if bank and country else None,
            AccountOfIban(bban, country.account_number.cut(bban)) if country and bban else None,
            suggestions,
            DATA_VERSION,
        )

    def _of_fact(self, reason: Reason, fact: sentences.Fact) -> Finding:
        # Here and not around many: changing the language and looking a sentence up takes longer than all the rest.
        with translation.override(self._language):
            sentence = sentences.of_fact(reason, fact)
        code, position, expected = reason
        return Finding(code, sentence, UNSET if position is None else position, UNSET if expected is None else expected)

    def _warning(self, warning: Warning, verdict: Verdict) -> Finding:
        """Return the warning; what it says depends on nothing but itself and the country."""
        place = (warning, verdict.country.code if verdict.country else None)
        told = self._warnings.get(place)
        if told is None:
            with translation.override(self._language):
                sentence = sentences.warning(warning.code, verdict)
            told = self._warnings[place] = Finding(warning.code, sentence)
        return told


@cache
def teller(language: str) -> Teller:
    """Return the teller of a language."""
    return Teller(language)


def _country(country: Country) -> CountryOfIban:
    return CountryOfIban(country.code, sentences.country_name(country), country.sepa, country.status)


@cache
def _checks(checks: Checks) -> ChecksAnswer:
    return ChecksAnswer(*checks)


def _bank(bank: Bank, country: Country, iban: str) -> BankOfIban:
    branch_code = country.branch_code.cut(iban[4:])
    code, name, bic, candidates, _, directory = bank
    return BankOfIban(code, branch_code, name, bic, candidates, directory.source, directory.as_of)
