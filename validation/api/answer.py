"""The one door of the API: a call in, an answer out. Knows no Django request, so that the gate, tests and benchmarks
call the very same code.

A call is refused as early as it can be, each time with one Problem: blocked address, path and method, encryption, key
(see apikeys/authentication.py), rate, body, quota. What it leaves behind is spooled before the answer goes out.
"""

import logging
import random
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, BinaryIO, Final, NamedTuple

import msgspec
from django.core.exceptions import SuspiciousOperation
from django.db import Error
from django.utils.translation import gettext_lazy
from django.utils.translation.trans_real import parse_accept_lang_header

from accounts.guard import addresses, blocks, revisions
from accounts.models import UsageDay
from accounts.readings import counting
from apikeys import authentication, problems, quota, rates
from apikeys.problems import Problem
from privacy import logging_mode, vault
from privacy.models import Mode
from validation import log, writer
from validation.api import bodies, health, routes
from validation.api.routes import Asked, Route
from validation.spool import SpoolFull

logger = logging.getLogger(__name__)

LANGUAGES: Final = ("en", "sv", "de")
_encode: Final = msgspec.json.Encoder().encode
_is_request_id: Final = re.compile(r"[A-Za-z0-9._:-]{1,128}").fullmatch
_JSON: Final = "application/json"
_UNAVAILABLE_FOR_SECONDS: Final = "2"


class Call(NamedTuple):
    """What is known of a call. `headers` are named as in CGI (`HTTP_AUTHORIZATION`, `CONTENT_TYPE`)."""

    method: str
    path: str
    headers: Mapping[str, Any]
    address: str
    """The caller's address as the proxy or the socket tells it."""
    body: BinaryIO
    is_secure: bool


class Answer(NamedTuple):
    """What goes back."""

    status: int
    headers: dict[str, str]
    body: bytes


def answer(call: Call) -> Answer:
    """Return the answer to a call. Never raises: what is wrong with the call, or with us, is a Problem."""
    asked_id = call.headers.get("HTTP_X_REQUEST_ID", "")
    request_id = asked_id if _is_request_id(asked_id) else _new_name()
    language = _language(call.headers.get("HTTP_ACCEPT_LANGUAGE", ""))
    try:
        if call.path.startswith("/health/"):
            return _health(call, request_id)
        return _answered(call, request_id, language)
    except Problem as refused:
        problem = refused
    except (revisions.Unreadable, Error, SpoolFull, vault.VaultError) as trouble:
        # Not the exception itself: its text may hold values.
        logger.error("A call could not be answered: %s", type(trouble).__name__)  # noqa: TRY400
        problem = Problem("unavailable", headers={"Retry-After": _UNAVAILABLE_FOR_SECONDS})
    counting.count("refused", problem.code)
    told = _refused(problem, request_id, language)
    return told._replace(body=b"") if call.method == "HEAD" else told


def _new_name() -> str:
    return f"{random.getrandbits(128):032x}"


def _answered(call: Call, request_id: str, language: str) -> Answer:
    address = _address(call.address)
    if blocks.is_blocked(address):
        raise Problem("address_blocked")
    route, argument = routes.find(call.method, call.path)
    if not call.is_secure:
        raise Problem("https_required")
    if call.headers.get("QUERY_STRING"):
        raise Problem("invalid_request", _NO_QUERY)
    if not route.needs_key:
        return _given(route.handler(Asked(None, argument, language, None)).answer, request_id, call.method)
    key = authentication.authenticate(call.headers.get("HTTP_AUTHORIZATION"), address=address, scope=route.scope)
    standing = rates.headers_of(key.rate_per_minute, rates.admit(key.id, key.rate_per_minute))
    try:
        body = _body(call, route)
        outcome = route.handler(Asked(body, argument, language, key))
        _account(key, outcome, log.Caller(key.client, _SOURCE, key.id, address), _keeps(call, key))
    except Problem as problem:
        problem.headers = {**standing, **problem.headers}
        raise
    return _given(outcome.answer, request_id, call.method, standing)


_NO_QUERY: Final = gettext_lazy("Nothing may follow the path: calls take their fields in the body, as JSON.")
_NO_ADDRESS: Final = gettext_lazy("The address of the caller is missing or is not one plain address.")


@lru_cache(maxsize=10_000)
def _address(text: str) -> str:
    try:
        return str(addresses.parse(text))
    except SuspiciousOperation:
        raise Problem("invalid_request", _NO_ADDRESS) from None


@lru_cache(maxsize=1_000)
def _language(accepted: str) -> str:
    """Return the language that the caller likes best among ours; English if it likes none."""
    # A quality of 0 means: anything but this.
    liked = (tag.partition("-")[0] for tag, quality in parse_accept_lang_header(accepted[:500]) if quality)
    return next((language for language in liked if language in LANGUAGES), LANGUAGES[0])


def _body(call: Call, route: Route) -> msgspec.Struct | None:
    """Return the typed body. Raises Problem unsupported_media_type, too_large or invalid_request."""
    if route.parser is None:
        return None
    if not _is_json(call.headers.get("CONTENT_TYPE", "")) or call.headers.get("HTTP_CONTENT_ENCODING"):
        raise Problem("unsupported_media_type")
    return route.parser.parse(bodies.read(call.body, call.headers.get("CONTENT_LENGTH") or ""))


@lru_cache(maxsize=100)
def _is_json(content_type: str) -> bool:
    kind, *parameters = (part.strip(" \t").lower() for part in content_type.split(";"))
    return kind == _JSON and all(parameter in ("", "charset=utf-8", 'charset="utf-8"') for parameter in parameters)


def _keeps(call: Call, key: authentication.Key) -> logging_mode.Choice:
    """Return what may be kept of this call: what the client wants, or nothing when the call asks for that."""
    silent = key.is_test or call.headers.get("HTTP_X_NO_LOG", "0").strip() not in ("", "0")
    return _NOTHING if silent else key.keeps


_SOURCE: Final = UsageDay.Source.API.value
_NOTHING: Final = logging_mode.Choice(Mode.OFF)


def _account(key: authentication.Key, outcome: routes.Outcome, caller: log.Caller, keeps: logging_mode.Choice) -> None:
    """Take what the call costs from the quota and keep a record of it, both before it is answered."""
    units = 0 if key.is_test else outcome.units
    day = datetime.now(UTC).date()
    account = quota.leases.take(key.client, units, quota=key.quota, day=day) if units else None
    record = writer.Record(
        client=key.client,
        key=key.id,
        day=day,
        valid=outcome.valid,
        invalid=outcome.invalid,
        units=units,
        is_test=key.is_test,
        source=_SOURCE,
        rows=log.rows(outcome.verdicts, caller, keeps),
    )
    try:
        writer.put(record)
    except (Error, SpoolFull):
        if account:
            quota.leases.give_back(account, units)
        raise


def _given(
    given: msgspec.Struct | msgspec.Raw, request_id: str, method: str, more: Mapping[str, str] | None = None
) -> Answer:
    body = _encode(given)
    headers = {
        "Content-Type": _JSON,
        "Content-Length": str(len(body)),
        "Cache-Control": "no-store",
        "X-Request-Id": request_id,
        "X-Content-Type-Options": "nosniff",
    }
    if more:
        headers.update(more)
    return Answer(200, headers, b"" if method == "HEAD" else body)


def _refused(problem: Problem, request_id: str, language: str) -> Answer:
    body = problems.render(problem, request_id=request_id, language=language)
    headers = {
        "Content-Type": problems.CONTENT_TYPE,
        "Content-Length": str(len(body)),
        "Content-Language": language,
        "Cache-Control": "no-store",
        "X-Request-Id": request_id,
        "X-Content-Type-Options": "nosniff",
        **problem.headers,
    }
    return Answer(problem.kind.status, headers, body)


def _health(call: Call, request_id: str) -> Answer:
    if call.path not in ("/health/live", "/health/ready"):
        raise Problem("not_found")
    routes.refuse_other_methods(call.method, routes.READING)
    if call.path == "/health/live":
        return _given(health.live(), request_id, call.method)
    told = health.ready()
    return _given(told, request_id, call.method)._replace(status=200 if told.ready else 503)
