"""Every call of the API as one table: path, method, scope, and the types of its body and its response."""

from functools import cache
from typing import Any, Final

import msgspec
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from apikeys.problems import Problem
from validation.api import schemas, v1
from validation.api.bodies import Parser
from validation.api.contract import Call, CallResult, Handler, Route, refuse_other_methods
from validation.api.docs import openapi

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


def show_document(_call: Call) -> CallResult:
    """Describe the API as OpenAPI 3.1."""
    return CallResult(_document())


@cache
def _document() -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(openapi.document(ROUTES)))


ROUTES: Final = (
    _post("/api/v1/validate", v1.validate, "validate", (schemas.IbanRequest, schemas.VerdictAnswer)),
    _post(
        "/api/v1/validate/batch", v1.validate_batch, "validate", (schemas.BatchRequest, schemas.BatchAnswer), _PER_IBAN
    ),
    _post("/api/v1/calculate", v1.make_iban, "tools", (schemas.CalculateRequest, schemas.CalculateAnswer)),
    _post("/api/v1/recover", v1.find_candidates, "tools", (schemas.RecoverRequest, schemas.RecoverAnswer)),
    _post(
        "/api/v1/extract", v1.find_in_text, "tools", (schemas.ExtractRequest, schemas.ExtractAnswer), _PER_FOUND_IBAN
    ),
    Route("GET", "/api/v1/bics/{bic}", v1.look_up_bic, schemas.BicAnswer, "tools"),
    Route("GET", "/api/v1/countries", v1.list_countries, schemas.CountriesAnswer),
    Route("GET", "/api/v1/countries/{code}", v1.show_country, schemas.CountryAnswer),
    Route("GET", "/api/v1/usage", v1.show_usage, schemas.UsageAnswer, "usage"),
    Route("GET", "/api/v1/openapi.json", show_document, dict[str, Any], needs_key=False),
)

_BY_PATH: Final = {route.path: route for route in ROUTES if "{" not in route.path}
_BY_PARENT: Final = {route.path.rpartition("/")[0]: route for route in ROUTES if "{" in route.path}


def find_route(method: str, path: str) -> tuple[Route, str]:
    """Return the route of a path and its argument. Raises Problem not_found or method_not_allowed."""
    route, argument = _BY_PATH.get(path), ""
    if route is None:
        parent, _, argument = path.rpartition("/")
        route = _BY_PARENT.get(parent) if argument else None
    if route is None:
        raise Problem("not_found")
    refuse_other_methods(method, route.allowed_methods)
    return route, argument
