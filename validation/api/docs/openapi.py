"""The OpenAPI 3.1 document, made of the very types that parse requests and render responses."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import Any, Final

import msgspec
from django.conf import settings
from django.utils import translation

from apikeys import tokens
from apikeys.problems import CONTENT_TYPE, KINDS, ProblemAnswer
from apikeys.scopes import SCOPES
from validation.api import health
from validation.api.contract import Route
from validation.api.docs import examples
from validation.api.schemas import LiveAnswer, ReadyAnswer

VERSION: Final = "1.0.0"
_LANGUAGE: Final = "en"
_COMPONENTS: Final = "#/components"
_JSON: Final = "application/json"

_ABOUT: Final = (
    "Checks IBANs and tells why one is wrong. What can be judged is answered 200, whatever the verdict; a refused call "
    "is answered by a problem (RFC 9457) whose `code` never changes, costs nothing and has done nothing. A path "
    "answers a method that is not its own with 405 (`method_not_allowed`) and its methods in `Allow`; HEAD works where "
    "GET does. Fields may be added to answers; nothing else changes within a version."
)

# Which problems a call may meet, by what it needs. Those of paths and methods belong to no call.
_OF_ANY_CALL: Final = ("invalid_request", "address_blocked", "https_required", "unavailable")
_OF_KEYS: Final = ("key_missing", "key_malformed", "key_unknown", "address_not_allowed", "rate_limited")
_OF_SCOPES: Final = ("scope_missing",)
_OF_BODIES: Final = ("unsupported_media_type", "too_large")
_OF_ARGUMENTS: Final = ("not_found",)
_OF_COSTS: Final = ("quota_exhausted",)

_SECURITY: Final = {
    "key": {
        "type": "http",
        "scheme": "bearer",
        "description": "An API key of the client area. Every key looks like this, for scanners of leaked secrets: "
        f"`{tokens.PATTERN}`. The scopes that calls ask for: "
        + "; ".join(f"`{word}`" for word in SCOPES)
        + ". A test key (`ibanse_test_…`) answers as a live one and costs nothing.",
    }
}

_ARGUMENTS: Final[dict[str, dict[str, Any]]] = {
    "bic": {"type": "string", "minLength": 1, "description": "A BIC of eight or eleven characters."},
    "code": {
        "type": "string",
        "pattern": "^[A-Za-z]{2}$",
        "description": "The code that the country's IBANs begin with.",
    },
}

_REQUEST_HEADERS: Final[dict[str, dict[str, Any]]] = {
    "Accept-Language": {
        "description": "The language of messages and names: `en`, `sv` or `de`; English for any other.",
        "example": "sv",
    },
    "X-No-Log": {
        "description": "`1` keeps the content of this call out of every log, whatever the client has chosen.",
        "example": "1",
    },
    "X-Request-Id": {
        "description": "A name of yours for the call, which comes back in the answer: up to 128 letters, digits and "
        "`. _ : -`. In place of any other we choose one.",
        "example": examples.REQUEST_ID,
    },
}

_RESPONSE_HEADERS: Final[dict[str, dict[str, Any]]] = {
    "X-Request-Id": {"description": "The name of the call.", "required": True, "example": examples.REQUEST_ID},
    "RateLimit-Policy": {
        "description": "How many calls a minute the key may make (draft-ietf-httpapi-ratelimit-headers).",
        "required": True,
        "example": '"minute";q=600;w=60',
        "pattern": r'^"minute";q=[0-9]+;w=60$',
    },
    "RateLimit": {
        "description": "`r`: how many calls could follow at once; `t`: seconds until a whole burst is possible again.",
        "required": True,
        "example": '"minute";r=59;t=1',
        "pattern": r'^"minute";r=[0-9]+;t=[0-9]+$',
    },
    "Retry-After": {
        "description": "Seconds to wait before the next call.",
        "required": True,
        "example": "2",
        "pattern": "^[0-9]+$",
    },
    "WWW-Authenticate": {"description": "That a key is needed.", "required": True, "example": 'Bearer realm="ibanse"'},
}
_HEADERS_OF: Final = {
    401: ("WWW-Authenticate",),
    429: ("Retry-After", "RateLimit-Policy", "RateLimit"),
    503: ("Retry-After",),
}
"""The headers that refusals of a status bring with them."""

_TAGS: Final = {
    "validate": "Check IBANs.",
    "tools": "Make, complete and find IBANs, and look up BICs.",
    "countries": "How the IBANs of each country are built.",
    "usage": "What the client has used.",
    "service": "About the service itself; without a key.",
}


def document(routes: Sequence[Route]) -> dict[str, Any]:
    """Return the document of these calls and of the two paths of health."""
    types = [kind for route in routes for kind in (route.body_type, route.response_type) if kind is not None]
    _, schemas = msgspec.json.schema_components(
        [*types, ProblemAnswer, LiveAnswer, ReadyAnswer], ref_template=f"{_COMPONENTS}/schemas/{{name}}"
    )
    with translation.override(_LANGUAGE):
        paths: dict[str, dict[str, Any]] = {route.path: {route.method.lower(): _operation(route)} for route in routes}
    paths["/health/live"] = {"get": _health(health.live, {"200": LiveAnswer})}
    paths["/health/ready"] = {"get": _health(health.ready, {"200": ReadyAnswer, "503": ReadyAnswer})}
    return {
        "openapi": "3.1.0",
        "info": {"title": "ibanse", "version": VERSION, "description": _ABOUT},
        "servers": [{"url": settings.SITE_URL}],
        "externalDocs": {"url": f"{settings.SITE_URL}/api/docs/", "description": "The documentation for people"},
        "security": [{"key": []}],
        "tags": [{"name": name, "description": description} for name, description in _TAGS.items()],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "parameters": {
                name: {"name": name, "in": "header", "required": False, "schema": {"type": "string"}, **about}
                for name, about in _REQUEST_HEADERS.items()
            },
            "examples": {code: {"value": examples.problem(code, _LANGUAGE)} for code in KINDS},
            "headers": {name: _response_header(about) for name, about in _RESPONSE_HEADERS.items()},
            "securitySchemes": _SECURITY,
        },
    }


def problems_of(route: Route) -> tuple[str, ...]:
    """Return the codes of the problems that the call may meet, in the order of KINDS."""
    codes = {
        *_OF_ANY_CALL,
        *(_OF_KEYS if route.needs_key else ()),
        *(_OF_SCOPES if route.scope else ()),
        *(_OF_BODIES if route.body_type else ()),
        *(_OF_ARGUMENTS if "{" in route.path else ()),
        *(_OF_COSTS if route.costs else ()),
    }
    return tuple(code for code in KINDS if code in codes)


def _operation(route: Route) -> dict[str, Any]:
    tag = route.scope or ("countries" if route.needs_key else "service")
    operation: dict[str, Any] = {
        "operationId": route.handler.__name__,
        "summary": _summary(route.handler),
        "tags": [tag],
        "parameters": [*_argument(route), *(_reference("parameters", name) for name in _REQUEST_HEADERS)],
        "responses": {"200": _success(route), **_refusals(route)},
    }
    needs = f"Needs the scope `{route.scope}`." if route.scope else "A key of any scope will do."
    if route.needs_key:
        operation["description"] = f"{needs} Costs of the month's quota: {route.costs or 'nothing'}."
    else:
        operation["security"] = []
    if route.body_type:
        content = {"schema": _schema(route.body_type), "example": examples.body(route)}
        operation["requestBody"] = {"required": True, "content": {_JSON: content}}
    return operation


def _summary(handler: Callable[..., Any]) -> str:
    return (handler.__doc__ or "").partition("\n")[0].rstrip(".")


def _schema(kind: type[msgspec.Struct]) -> dict[str, str]:
    return _reference("schemas", kind.__name__)


def _reference(kind: str, name: str) -> dict[str, str]:
    return {"$ref": f"{_COMPONENTS}/{kind}/{name}"}


def _argument(route: Route) -> list[dict[str, Any]]:
    name = route.argument_name
    if name is None:
        return []
    schema = dict(_ARGUMENTS[name])
    description = schema.pop("description")
    example = examples.ARGUMENTS[name]
    about = {"name": name, "in": "path", "required": True, "description": description}
    return [{**about, "schema": schema, "example": example}]


def _success(route: Route) -> dict[str, Any]:
    names = ("X-Request-Id", *(("RateLimit-Policy", "RateLimit") if route.needs_key else ()))
    content: dict[str, Any] = {"schema": {"type": "object"}}
    if route.needs_key:
        content = {"schema": _schema(route.response_type), "example": examples.response(route, _LANGUAGE)}
    return {"description": "The answer.", "headers": _headers(names), "content": {_JSON: content}}


def _headers(names: Sequence[str]) -> dict[str, Any]:
    return {name: _reference("headers", name) for name in names}


def _refusals(route: Route) -> dict[str, Any]:
    """Return the refusals by status, each with its codes."""
    by_status: dict[int, list[str]] = defaultdict(list)
    for code in problems_of(route):
        by_status[KINDS[code].status].append(code)
    refusals = {}
    for status, codes in sorted(by_status.items()):
        content = {
            "schema": {"allOf": [_schema(ProblemAnswer), {"properties": {"code": {"enum": codes}}}]},
            "examples": {code: _reference("examples", code) for code in codes},
        }
        refusals[str(status)] = {
            "description": "; ".join(str(KINDS[code].title) for code in codes) or HTTPStatus(status).phrase,
            "headers": _headers(("X-Request-Id", *_HEADERS_OF.get(status, ()))),
            "content": {CONTENT_TYPE: content},
        }
    return refusals


def _health(handler: Callable[..., Any], responses: dict[str, type[msgspec.Struct]]) -> dict[str, Any]:
    return {
        "operationId": handler.__name__,
        "summary": _summary(handler),
        "tags": ["service"],
        "security": [],
        "parameters": [_reference("parameters", "X-Request-Id")],
        "responses": {
            status: {
                "description": "The answer.",
                "headers": _headers(("X-Request-Id",)),
                "content": {_JSON: {"schema": _schema(kind)}},
            }
            for status, kind in responses.items()
        },
    }


def _response_header(about: dict[str, Any]) -> dict[str, Any]:
    schema = {"type": "string", **({"pattern": about["pattern"]} if "pattern" in about else {})}
    return {"schema": schema, **{name: value for name, value in about.items() if name != "pattern"}}
