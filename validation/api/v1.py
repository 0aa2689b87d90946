"""The calls of the API, version 1: typed request in, typed answer out, with what it costs. Rules live elsewhere."""

from calendar import monthrange
from collections.abc import Sequence
from functools import cache
from typing import Any, Final, NamedTuple

import msgspec
from django.utils import translation
from django.utils.translation import gettext_lazy

from accounts import usage
from accounts.models import Client
from apikeys import quota
from apikeys.authentication import Key
from apikeys.problems import Problem
from validation import sentences
from validation.api import schemas
from validation.api.verdicts import teller
from validation.engine import DATA_VERSION, Verdict, bics, check, with_suggestions
from validation.engine.banks import DIRECTORIES
from validation.engine.calculate import CalculationRefused, calculate
from validation.engine.extract import extract
from validation.engine.national import can_check
from validation.engine.recover import RecoveryRefused, recover
from validation.engine.registry import COUNTRIES, Country


class Asked(NamedTuple):
    """What a call asks: its typed body, the last part of its path, the language of sentences, and the key."""

    body: Any
    argument: str
    language: str
    key: Key | None


class Outcome(NamedTuple):
    """The answer to a call, and what it counts as."""

    answer: msgspec.Struct | msgspec.Raw
    valid: int = 0
    invalid: int = 0
    units: int = 0
    """What it costs of the month's quota."""
    verdicts: Sequence[Verdict] = ()
    """What the log of checks may keep."""


def validate(asked: Asked) -> Outcome:
    """Check one IBAN."""
    verdict = with_suggestions(check(asked.body.iban))
    told = teller(asked.language).tell(verdict)
    return Outcome(told, int(verdict.valid), int(not verdict.valid), 1, (verdict,))


def validate_batch(asked: Asked) -> Outcome:
    """Check up to a thousand IBANs, without suggestions."""
    verdicts = [check(text) for text in asked.body.ibans]
    tell = teller(asked.language).tell
    results = [tell(verdict) for verdict in verdicts]
    valid = sum([result.valid for result in results])
    total = len(results)
    summary = schemas.Summary(total, valid, total - valid)
    return Outcome(schemas.BatchAnswer(results, summary), valid, total - valid, total, verdicts)


def make_iban(asked: Asked) -> Outcome:
    """Make an IBAN of a domestic account number."""
    body = asked.body
    try:
        verdict = calculate(body.country, body.bank_code, body.account_number, body.branch_code)
    except CalculationRefused as refused:
        sentence, values = sentences.calculation(refused)
        raise Problem("invalid_request", sentence, values=values) from None
    told = teller(asked.language).tell(verdict)
    return Outcome(schemas.CalculateAnswer(told.iban, told), valid=1, units=1, verdicts=(verdict,))


def find_candidates(asked: Asked) -> Outcome:
    """Find what an IBAN with unreadable characters may have been."""
    try:
        found = recover(asked.body.iban)
    except RecoveryRefused as refused:
        raise Problem("invalid_request", sentences.RECOVERY_REFUSALS[refused.code]) from None
    return Outcome(schemas.RecoverAnswer(found.candidates, found.total, found.truncated), units=1)


def find_in_text(asked: Asked) -> Outcome:
    """Find the IBANs in a text."""
    found = extract(asked.body.text)
    verdicts = [place.verdict for place in found]
    tell = teller(asked.language).tell
    ibans = [schemas.FoundIban(place.start, place.end, place.text, tell(place.verdict)) for place in found]
    valid = sum(place.verdict.valid for place in found)
    return Outcome(schemas.ExtractAnswer(ibans), valid, len(found) - valid, max(1, len(found)), verdicts)


def look_up_bic(asked: Asked) -> Outcome:
    """Tell what is known of a BIC."""
    found = bics.look_up(asked.argument)
    with translation.override(asked.language):
        country = (
            schemas.CountryOfBic(found.country, sentences.country_name_of(found.country)) if found.country else None
        )
    return Outcome(
        schemas.BicAnswer(
            bic=found.bic,
            valid=found.valid,
            country=country,
            party_prefix=found.party_prefix,
            party_suffix=found.party_suffix,
            branch=found.branch,
            test=found.test,
            known=found.known,
            known_as=found.known_as,
            names=found.names,
            bank_codes=found.bank_codes,
            total_bank_codes=found.total_bank_codes,
            data_version=DATA_VERSION,
        )
    )


def list_countries(asked: Asked) -> Outcome:
    """Tell how the IBANs of all countries are built."""
    return Outcome(_countries(asked.language))


_NO_COUNTRY: Final = gettext_lazy("No country with this code has IBANs.")


def show_country(asked: Asked) -> Outcome:
    """Tell how the IBANs of one country are built."""
    country = COUNTRIES.get(asked.argument.upper()) if asked.argument.isascii() else None
    if country is None:
        raise Problem("not_found", _NO_COUNTRY)
    return Outcome(_told(country, asked.language))


def show_usage(asked: Asked) -> Outcome:
    """Tell what the client of the key has used of the month's quota."""
    if asked.key is None:
        raise Problem("key_missing")
    client = Client.objects.get(pk=asked.key.client)
    month, first = usage.month(client), quota.this_month()
    days = [day for day in usage.days(client, usage.today().day) if day.total or day.units]
    last = first.replace(day=monthrange(first.year, first.month)[1])
    return Outcome(
        schemas.UsageAnswer(
            quota=month.quota,
            used=month.used,
            remaining=month.remaining,
            period=schemas.Period(first.isoformat(), last.isoformat()),
            days=[schemas.UsedDay(day.day.isoformat(), day.valid, day.invalid, day.units) for day in days],
        )
    )


@cache
def _countries(language: str) -> schemas.CountriesAnswer:
    return schemas.CountriesAnswer([_told(country, language) for country in COUNTRIES.values()], DATA_VERSION)


def _told(country: Country, language: str) -> schemas.CountryAnswer:
    directory = DIRECTORIES.get(country.code)
    with translation.override(language):
        name = sentences.country_name(country)
    return schemas.CountryAnswer(
        code=country.code,
        name=name,
        sepa=country.sepa,
        registry=country.status,
        parent=country.parent,
        length=country.length,
        structure=country.bban_format,
        pattern=f"^{country.pattern.pattern}$",
        parts=[schemas.PartOfBban(*part) for part in country.parts],
        example=country.example,
        national_check_digits=can_check(country.code),
        bank_directory=schemas.DirectoryAnswer(directory.size, directory.as_of, directory.source, directory.complete)
        if directory
        else None,
    )
