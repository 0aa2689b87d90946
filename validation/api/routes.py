"""Every call of the API as one table, and which of them a path means."""

from functools import cache
from typing import Any, Final

import msgspec

from apikeys.problems import Problem
from validation.api import v1
from validation.api.contract import Call, CallResult, Route, refuse_other_methods
from validation.api.docs import openapi


def show_document(_call: Call) -> CallResult:
    """Describe the API as OpenAPI 3.1."""
    return CallResult(_document())


@cache
def _document() -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(openapi.document(ROUTES)))


ROUTES: Final = (
    *v1.ROUTES,
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
