"""The pipeline of the API: a request in, a response out. Knows no Django request, so that the gate, tests and
benchmarks call the very same code.
"""

import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, BinaryIO, Final, NamedTuple

import msgspec
from django.core.exceptions import SuspiciousOperation
from django.db import Error
from django.utils.translation import gettext_lazy

from accounts import counters
from accounts.guard import addresses, blocks, revisions
from accounts.models import UsageDay
from apikeys import authentication
from apikeys.limits import quota, rate
from apikeys.problems import Problem
from privacy import vault
from privacy.check_logging import mode
from privacy.models import Mode
from validation.api import bodies, responses
from validation.api.contract import Call, Route
from validation.api.responses import JSON, ApiResponse
from validation.api.routes import find_route
from validation.recording import writer
from validation.recording.record import RecordCaller, build_record
from validation.recording.spool import SpoolFull

logger = logging.getLogger(__name__)

_RETRY_AFTER_SECONDS: Final = "2"
_NO_QUERY: Final = gettext_lazy("Nothing may follow the path: send the fields in the body, as JSON.")
_NO_ADDRESS: Final = gettext_lazy("The IP address of the caller is missing or is not a single plain IP address.")
_SOURCE: Final = UsageDay.Source.API.value
_LOG_NOTHING: Final = mode.Choice(Mode.OFF)


class ApiRequest(NamedTuple):
    """What is known of a request. `headers` are named as in CGI (`HTTP_AUTHORIZATION`, `CONTENT_TYPE`)."""

    method: str
    path: str
    headers: Mapping[str, Any]
    ip_address: str
    """The caller's, as the proxy or the socket reports it."""
    body: BinaryIO
    is_secure: bool


def respond(request: ApiRequest) -> ApiResponse:
    """Return the response to a request. Never raises: what is wrong with the request, or with us, is a Problem."""
    request_id = responses.choose_request_id(request.headers)
    language = responses.choose_language(request.headers.get("HTTP_ACCEPT_LANGUAGE", ""))
    rate_headers: dict[str, str] = {}
    try:
        content = _process(request, language, rate_headers)
        response = responses.success(content, request_id=request_id, headers=rate_headers)
    except Problem as problem:
        response = _refuse(problem, request_id, language, rate_headers)
    except (revisions.Unreadable, Error, SpoolFull, vault.VaultError) as error:
        # Not the exception itself: its text may hold values.
        logger.error("A call could not be processed: %s", type(error).__name__)
        unavailable = Problem("unavailable", headers={"Retry-After": _RETRY_AFTER_SECONDS})
        response = _refuse(unavailable, request_id, language, {})
    return response._replace(body=b"") if request.method == "HEAD" else response


def _process(request: ApiRequest, language: str, rate_headers: dict[str, str]) -> msgspec.Struct | msgspec.Raw:
    """Take a request through its steps and return the content of the response; each may raise a Problem.

    `rate_headers` are filled in as soon as they are known, since they go with later refusals too.
    """
    # Block
    ip_address = _parse_ip_address(request.ip_address)
    if blocks.is_blocked(ip_address):
        raise Problem("address_blocked")
    # Route
    headers = request.headers
    route, argument = find_route(request.method, request.path)
    if not request.is_secure:
        raise Problem("https_required")
    if headers.get("QUERY_STRING"):
        raise Problem("invalid_request", _NO_QUERY)
    if not route.needs_key:
        return route.handler(Call(None, argument, language, None)).content
    # Authenticate
    key = authentication.authenticate(headers.get("HTTP_AUTHORIZATION"), ip_address=ip_address, scope=route.scope)
    # Limit
    rate_headers.update(rate.headers_of(key.rate_per_minute, rate.admit(key.id, key.rate_per_minute)))
    # Parse
    body = _parse_body(request, route)
    # Handle
    result = route.handler(Call(body, argument, language, key))
    # Charge
    now = datetime.now(UTC)
    units = 0 if key.is_test else result.units
    account = quota.leases.take(key.client, units, quota=key.quota, day=now.date()) if units else None
    # Record
    caller = RecordCaller(key.client, _SOURCE, key.id, ip_address, key.is_test)
    logs_nothing = key.is_test or headers.get("HTTP_X_NO_LOG", "0").strip() not in ("", "0")
    choice = _LOG_NOTHING if logs_nothing else key.log_choice
    try:
        writer.put(build_record(caller, result.verdicts, choice, units=units, now=now))
    except (Error, SpoolFull, vault.VaultError):
        if account:
            quota.leases.give_back(account, units)
        raise
    # Respond
    return result.content


@lru_cache(maxsize=10_000)
def _parse_ip_address(text: str) -> str:
    try:
        return str(addresses.parse(text))
    except SuspiciousOperation:
        raise Problem("invalid_request", _NO_ADDRESS) from None


def _parse_body(request: ApiRequest, route: Route) -> msgspec.Struct | None:
    """Return the typed body. Raises Problem unsupported_media_type, too_large or invalid_request."""
    if route.parser is None:
        return None
    headers = request.headers
    if not _is_json(headers.get("CONTENT_TYPE", "")) or headers.get("HTTP_CONTENT_ENCODING"):
        raise Problem("unsupported_media_type")
    return route.parser.parse(bodies.read(request.body, headers.get("CONTENT_LENGTH") or ""))


@lru_cache(maxsize=100)
def _is_json(content_type: str) -> bool:
    media_type, *parameters = (part.strip(" \t").lower() for part in content_type.split(";"))
    return media_type == JSON and all(parameter in ("", "charset=utf-8", 'charset="utf-8"') for parameter in parameters)


def _refuse(problem: Problem, request_id: str, language: str, headers: Mapping[str, str]) -> ApiResponse:
    counters.count("refused", problem.code)
    return responses.refusal(problem, request_id=request_id, language=language, headers=headers)
