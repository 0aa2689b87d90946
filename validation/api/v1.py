"""The calls of the API, version 1: typed body in, typed content out, with what it costs. Rules live elsewhere.

To add one: its handler, a line in ROUTES with path, scope and types (schemas.py), and its texts in CALLS of
docs/messages.py. Name and docstring of the handler are its name and summary in the OpenAPI document.
"""

from calendar import monthrange
from functools import cache
from typing import Any, Final

import msgspec
from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from accounts.models import Client
from accounts.usage import counts
from apikeys.limits import quota
from apikeys.problems import Problem
from validation import messages
from validation.api import schemas
from validation.api.bodies import Parser
from validation.api.contract import Call, CallResult, Handler, Route
from validation.api.responses import verdict_renderer
from validation.engine import DATA_VERSION, bics, check, with_suggestions
from validation.engine.banks import DIRECTORIES
from validation.engine.calculate import CalculationRefused, calculate
from validation.engine.extract import extract
from validation.engine.national import can_check
from validation.engine.recover import RecoveryRefused, recover
from validation.engine.registry import COUNTRIES, Country


def validate(call: Call) -> CallResult:
    """Check one IBAN."""
    verdict = with_suggestions(check(call.body.iban))
    return CallResult(verdict_renderer(call.language).render(verdict), (verdict,), units=1)


def validate_batch(call: Call) -> CallResult:
    """Check up to a thousand IBANs, without suggestions."""
    verdicts = [check(text) for text in call.body.ibans]
    render = verdict_renderer(call.language).render
    results = [render(verdict) for verdict in verdicts]
    valid = sum([result.valid for result in results])
    total = len(results)
    summary = schemas.Summary(total, valid, total - valid)
    return CallResult(schemas.BatchAnswer(results, summary), verdicts, units=total)


def make_iban(call: Call) -> CallResult:
    """Make an IBAN of a domestic account number."""
    body = call.body
    try:
        verdict = calculate(body.country, body.bank_code, body.account_number, body.branch_code)
    except CalculationRefused as refused:
        message, values = messages.calculation(refused)
        raise Problem("invalid_request", message, values=values) from None
    rendered = verdict_renderer(call.language).render(verdict)
    return CallResult(schemas.CalculateAnswer(rendered.iban, rendered), (verdict,), units=1)


def find_candidates(call: Call) -> CallResult:
    """Find what an IBAN with unreadable characters may have been."""
    try:
        found = recover(call.body.iban)
    except RecoveryRefused as refused:
        raise Problem("invalid_request", messages.RECOVERY_REFUSALS[refused.code]) from None
    return CallResult(schemas.RecoverAnswer(found.candidates, found.total, found.truncated), units=1)


def find_in_text(call: Call) -> CallResult:
    """Find the IBANs in a text."""
    found = extract(call.body.text)
    verdicts = [place.verdict for place in found]
    render = verdict_renderer(call.language).render
    ibans = [schemas.FoundIban(place.start, place.end, place.text, render(place.verdict)) for place in found]
    return CallResult(schemas.ExtractAnswer(ibans), verdicts, units=max(1, len(found)))


def look_up_bic(call: Call) -> CallResult:
    """Tell what is known of a BIC."""
    found = bics.look_up(call.argument)
    with translation.override(call.language):
        country = (
            schemas.CountryOfBic(found.country, messages.country_name_of(found.country)) if found.country else None
        )
    return CallResult(
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


def list_countries(call: Call) -> CallResult:
    """Tell how the IBANs of all countries are built."""
    return CallResult(_countries(call.language))


_NO_COUNTRY: Final = gettext_lazy("No country with this code uses IBANs.")


def show_country(call: Call) -> CallResult:
    """Tell how the IBANs of one country are built."""
    country = COUNTRIES.get(call.argument.upper()) if call.argument.isascii() else None
    if country is None:
        raise Problem("not_found", _NO_COUNTRY)
    return CallResult(_country(country, call.language))


def show_usage(call: Call) -> CallResult:
    """Tell what the client of the key has used of the month's quota."""
    if call.key is None:
        raise Problem("key_missing")
    client = Client.objects.get(pk=call.key.client)
    month, first = counts.month(client), quota.this_month()
    days = [day for day in counts.days(client, counts.today().day) if day.total or day.units]
    last = first.replace(day=monthrange(first.year, first.month)[1])
    return CallResult(
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
    return schemas.CountriesAnswer([_country(country, language) for country in COUNTRIES.values()], DATA_VERSION)


def _country(country: Country, language: str) -> schemas.CountryAnswer:
    directory = DIRECTORIES.get(country.code)
    with translation.override(language):
        name = messages.country_name(country)
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


_PER_CALL: Final = gettext_lazy("1 per call")
_PER_IBAN: Final = gettext_lazy("1 per IBAN")
_PER_FOUND_IBAN: Final = gettext_lazy("1 per IBAN found, but at least 1")


def _post(
    path: str, handler: Handler, scope: str, types: tuple[type[msgspec.Struct], Any], costs: Promise = _PER_CALL
) -> Route:
    body_type, response_type = types
    return Route(
        "POST", path, handler, response_type, scope, body_type=body_type, parser=Parser(body_type), costs=costs
    )


ROUTES: Final = (
    _post("/api/v1/validate", validate, "validate", (schemas.IbanRequest, schemas.VerdictAnswer)),
    _post("/api/v1/validate/batch", validate_batch, "validate", (schemas.BatchRequest, schemas.BatchAnswer), _PER_IBAN),
    _post("/api/v1/calculate", make_iban, "tools", (schemas.CalculateRequest, schemas.CalculateAnswer)),
    _post("/api/v1/recover", find_candidates, "tools", (schemas.RecoverRequest, schemas.RecoverAnswer)),
    _post("/api/v1/extract", find_in_text, "tools", (schemas.ExtractRequest, schemas.ExtractAnswer), _PER_FOUND_IBAN),
    Route("GET", "/api/v1/bics/{bic}", look_up_bic, schemas.BicAnswer, "tools"),
    Route("GET", "/api/v1/countries", list_countries, schemas.CountriesAnswer),
    Route("GET", "/api/v1/countries/{code}", show_country, schemas.CountryAnswer),
    Route("GET", "/api/v1/usage", show_usage, schemas.UsageAnswer, "usage"),
)
