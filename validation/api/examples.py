"""An example of every call, for the OpenAPI document and the page of the documentation.

Answers are made by the calls themselves, so that what is shown is what comes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from apikeys import problems
from apikeys.models import DEFAULT_RATE
from apikeys.problems import Problem
from validation.api import bodies, schemas, v1
from validation.api.v1 import Asked

if TYPE_CHECKING:
    from validation.api.routes import Route

REQUEST_ID: Final = "0c9d1f7e5b3a4c6d8e2f1a0b9c8d7e6f"
ARGUMENTS: Final = {"bic": "COBADEFFXXX", "code": "SE"}
"""What stands in place of the braces of a path."""

_VALUES: Final = {
    "address": "192.0.2.7",
    "allowed": "POST",
    "bytes": bodies.MOST_BYTES,
    "limit": DEFAULT_RATE,
    "next": "2026-12-01",
    "quota": 10_000,
    "scope": "tools",
    "seconds": 2,
    "units": 1_000,
}
"""What fills the places in the sentences of problems."""

_USAGE: Final = schemas.UsageAnswer(
    quota=10_000,
    used=1_260,
    remaining=8_740,
    period=schemas.Period("2026-11-01", "2026-11-30"),
    days=[schemas.UsedDay("2026-11-02", 1_180, 74, 1_254), schemas.UsedDay("2026-11-03", 5, 1, 6)],
)


def argument_name(route: Route) -> str | None:
    """Return the name in the braces of the path, or None."""
    return route.path.partition("{")[2].rstrip("}") or None


def path(route: Route) -> str:
    """Return a path that can be called."""
    name = argument_name(route)
    return route.path.replace(f"{{{name}}}", ARGUMENTS[name]) if name else route.path


def body(route: Route) -> dict[str, Any] | None:
    """Return a body for the call, made of the examples of its fields, or None if it takes none."""
    if route.takes is None:
        return None
    (_,), components = msgspec.json.schema_components([route.takes])
    shape = components[route.takes.__name__]
    return {name: shape["properties"][name]["examples"][0] for name in shape["required"]}


def answer(route: Route, language: str) -> Any:
    """Return what the call answers to its example, of JSON's types; None where that says nothing.

    The long list of countries is cut after the first.
    """
    if route.gives is schemas.UsageAnswer:
        return _of_json(_USAGE)
    if not route.needs_key:
        return None
    typed = route.parser.parse(msgspec.json.encode(body(route))) if route.parser else None
    given = route.handler(Asked(typed, ARGUMENTS.get(argument_name(route) or "", ""), language, None)).answer
    if isinstance(given, schemas.CountriesAnswer):
        given = schemas.CountriesAnswer(given.countries[:1], given.data_version)
    return _of_json(given)


def slip(language: str) -> Any:
    """Return the verdict on a number with a slip of the keyboard."""
    asked = Asked(schemas.IbanRequest("SE45 5000 0000 0583 9825 7465"), "", language, None)
    return _of_json(v1.validate(asked).answer)


def _of_json(answer: msgspec.Struct | msgspec.Raw) -> Any:
    return msgspec.json.decode(msgspec.json.encode(answer))


def problem(code: str, language: str) -> dict[str, Any]:
    """Return the body of a refusal, with values in the places of its sentence."""
    rendered = problems.render(Problem(code, values=_VALUES), request_id=REQUEST_ID, language=language)
    return msgspec.json.decode(rendered, type=dict[str, Any])
