"""Every call of the API as one table: path, method, scope, and the types it takes and gives."""

from collections.abc import Callable
from functools import cache
from typing import Any, Final, NamedTuple

import msgspec
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from apikeys.problems import Problem
from validation.api import openapi, schemas, v1
from validation.api.bodies import Parser
from validation.api.v1 import Asked, Outcome

__all__ = ["READING", "ROUTES", "Asked", "Outcome", "Route", "find", "refuse_other_methods"]

READING: Final = ("GET", "HEAD")


class Route(NamedTuple):
    """One call. The docstring of its handler is its summary in the OpenAPI document."""

    method: str
    path: str
    """A last part in braces is the argument: `/api/v1/countries/{code}`."""
    handler: Callable[[Asked], Outcome]
    gives: Any
    scope: str | None = None
    """None: a key of any scope."""
    needs_key: bool = True
    takes: type[msgspec.Struct] | None = None
    parser: Parser[msgspec.Struct] | None = None
    costs: Promise | None = None
    """What it costs of the month's quota, for people; None: nothing."""


_A_CALL: Final = gettext_lazy("1 for each call")
_AN_IBAN: Final = gettext_lazy("1 for each IBAN")
_A_FOUND_ONE: Final = gettext_lazy("1 for each IBAN found, but at least 1")


def _post(
    path: str, handler: Callable[[Asked], Outcome], scope: str, types: tuple[Any, Any], costs: Promise = _A_CALL
) -> Route:
    takes, gives = types
    return Route("POST", path, handler, gives, scope, takes=takes, parser=Parser(takes), costs=costs)


def show_document(_asked: Asked) -> Outcome:
    """Describe the API as OpenAPI 3.1."""
    return Outcome(_document())


@cache
def _document() -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(openapi.document(ROUTES)))


ROUTES: Final = (
    _post("/api/v1/validate", v1.validate, "validate", (schemas.IbanRequest, schemas.VerdictAnswer)),
    _post(
        "/api/v1/validate/batch", v1.validate_batch, "validate", (schemas.BatchRequest, schemas.BatchAnswer), _AN_IBAN
    ),
    _post("/api/v1/calculate", v1.make_iban, "tools", (schemas.CalculateRequest, schemas.CalculateAnswer)),
    _post("/api/v1/recover", v1.find_candidates, "tools", (schemas.RecoverRequest, schemas.RecoverAnswer)),
    _post("/api/v1/extract", v1.find_in_text, "tools", (schemas.ExtractRequest, schemas.ExtractAnswer), _A_FOUND_ONE),
    Route("GET", "/api/v1/bics/{bic}", v1.look_up_bic, schemas.BicAnswer, "tools"),
    Route("GET", "/api/v1/countries", v1.list_countries, schemas.CountriesAnswer),
    Route("GET", "/api/v1/countries/{code}", v1.show_country, schemas.CountryAnswer),
    Route("GET", "/api/v1/usage", v1.show_usage, schemas.UsageAnswer, "usage"),
    Route("GET", "/api/v1/openapi.json", show_document, dict[str, Any], needs_key=False),
)

_BY_PATH: Final = {route.path: route for route in ROUTES if "{" not in route.path}
_BY_PARENT: Final = {route.path.rpartition("/")[0]: route for route in ROUTES if "{" in route.path}


def find(method: str, path: str) -> tuple[Route, str]:
    """Return the call of a path and its argument. Raises Problem not_found or method_not_allowed."""
    route, argument = _BY_PATH.get(path), ""
    if route is None:
        parent, _, argument = path.rpartition("/")
        route = _BY_PARENT.get(parent) if argument else None
    if route is None:
        raise Problem("not_found")
    refuse_other_methods(method, READING if route.method == "GET" else (route.method,))
    return route, argument


def refuse_other_methods(method: str, allowed: tuple[str, ...]) -> None:
    """Raise Problem method_not_allowed, with the methods in `Allow`, for any method that is not allowed."""
    if method not in allowed:
        told = ", ".join(allowed)
        raise Problem("method_not_allowed", headers={"Allow": told}, values={"allowed": told})
