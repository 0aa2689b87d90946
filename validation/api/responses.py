"""What goes back to a caller: responses with their headers, problems (RFC 9457), verdicts in one of the languages."""

import random
import re
from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Any, Final, NamedTuple

import msgspec
from django.utils import translation
from django.utils.translation.trans_real import parse_accept_lang_header
from msgspec import UNSET

from apikeys import problems
from apikeys.problems import Problem
from validation import messages
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

LANGUAGES: Final = ("en", "sv", "de")
JSON: Final = "application/json"

_encode: Final = msgspec.json.Encoder().encode
_is_request_id: Final = re.compile(r"[A-Za-z0-9._:-]{1,128}").fullmatch
_NO_FINDINGS: Final[list[Finding]] = []
# All pairs of found and expected check digits (9,506), and what else goes wrong often; about 5 MB when full.
MAX_CACHED_REASONS: Final = 15_000


class ApiResponse(NamedTuple):
    """What goes back to a caller."""

    status: int
    headers: dict[str, str]
    body: bytes


def choose_request_id(headers: Mapping[str, Any]) -> str:
    """Return the caller's own id of the request if it is well-formed, or a new one."""
    requested = headers.get("HTTP_X_REQUEST_ID", "")
    return requested if _is_request_id(requested) else f"{random.getrandbits(128):032x}"


@lru_cache(maxsize=1_000)
def choose_language(accepted: str) -> str:
    """Return the language of ours that the header Accept-Language prefers; English if it accepts none."""
    # A quality of 0 means: anything but this.
    accepted_codes = (tag.partition("-")[0] for tag, quality in parse_accept_lang_header(accepted[:500]) if quality)
    return next((language for language in accepted_codes if language in LANGUAGES), LANGUAGES[0])


def success(
    content: msgspec.Struct | msgspec.Raw, *, request_id: str, headers: Mapping[str, str], status: int = 200
) -> ApiResponse:
    """Return content as JSON."""
    body = _encode(content)
    return ApiResponse(
        status,
        {
            "Content-Type": JSON,
            "Content-Length": str(len(body)),
            "Cache-Control": "no-store",
            "X-Request-Id": request_id,
            "X-Content-Type-Options": "nosniff",
            **headers,
        },
        body,
    )


def refusal(problem: Problem, *, request_id: str, language: str, headers: Mapping[str, str]) -> ApiResponse:
    """Return a problem as JSON, its messages in a language; its own headers prevail."""
    body = problems.render(problem, request_id=request_id, language=language)
    return ApiResponse(
        problem.kind.status,
        {
            "Content-Type": problems.CONTENT_TYPE,
            "Content-Length": str(len(body)),
            "Content-Language": language,
            "Cache-Control": "no-store",
            "X-Request-Id": request_id,
            "X-Content-Type-Options": "nosniff",
            **headers,
            **problem.headers,
        },
        body,
    )


class VerdictRenderer:
    """Renders verdicts in one language. What many of them share is built once: a batch has a thousand."""

    def __init__(self, language: str) -> None:
        self._language = language
        self._warnings: dict[tuple[Warning, str | None], Finding] = {}
        self._reason = lru_cache(maxsize=MAX_CACHED_REASONS)(self._reason_of_fact)
        with translation.override(language):
            self._countries = {
                code: CountryOfIban(code, messages.country_name(country), country.sepa, country.status)
                for code, country in COUNTRIES.items()
            }

    def render(self, verdict: Verdict) -> VerdictAnswer:
        """Return a verdict as it goes into a response."""
        text, iban, checks, reasons, warnings, country, bank, suggestions = verdict
        bban = iban[4:] if checks[3] == PASSED and country else None
        return VerdictAnswer(
            text,
            iban,
            grouped(iban),
            not reasons,
            _checks(checks),
            [self._reason(reason, messages.fact(reason, verdict)) for reason in reasons] if reasons else _NO_FINDINGS,
            [self._warning(warning, verdict) for warning in warnings] if warnings else _NO_FINDINGS,
            self._countries[country.code] if country else None,
            _bank(bank, country, iban) if bank and country else None,
            AccountOfIban(bban, country.account_number.cut(bban)) if country and bban else None,
            suggestions,
            DATA_VERSION,
        )

    def _reason_of_fact(self, reason: Reason, fact: messages.Fact) -> Finding:
        # Here and not around many: changing the language and looking up a message takes longer than all the rest.
        with translation.override(self._language):
            message = messages.of_fact(reason, fact)
        code, position, expected = reason
        return Finding(code, message, UNSET if position is None else position, UNSET if expected is None else expected)

    def _warning(self, warning: Warning, verdict: Verdict) -> Finding:
        """Return the warning; what it says depends on nothing but itself and the country."""
        place = (warning, verdict.country.code if verdict.country else None)
        finding = self._warnings.get(place)
        if finding is None:
            with translation.override(self._language):
                message = messages.warning(warning.code, verdict)
            finding = self._warnings[place] = Finding(warning.code, message)
        return finding


@cache
def verdict_renderer(language: str) -> VerdictRenderer:
    """Return the renderer of a language."""
    return VerdictRenderer(language)


@cache
def _checks(checks: Checks) -> ChecksAnswer:
    return ChecksAnswer(*checks)


def _bank(bank: Bank, country: Country, iban: str) -> BankOfIban:
    branch_code = country.branch_code.cut(iban[4:])
    code, name, bic, candidates, _, directory = bank
    return BankOfIban(code, branch_code, name, bic, candidates, directory.source, directory.as_of)
