"""An example of every call, for the OpenAPI document and the page of the documentation.

Responses are made by the calls themselves, so that what is shown is what comes.
"""

from typing import Any, Final

import msgspec

from apikeys import problems
from apikeys.models import DEFAULT_RATE
from apikeys.problems import Problem
from validation.api import bodies, schemas, v1
from validation.api.contract import Call, Route

REQUEST_ID: Final = "0c9d1f7e5b3a4c6d8e2f1a0b9c8d7e6f"
ARGUMENTS: Final = {"bic": "COBADEFFXXX", "code": "SE"}
"""Examples of the arguments of paths."""

_VALUES: Final = {
    "address": "192.0.2.7",
    "allowed": "POST",
    "bytes": bodies.MAX_BODY_BYTES,
    "limit": DEFAULT_RATE,
    "next": "2026-12-01",
    "quota": 10_000,
    "scope": "tools",
    "seconds": 2,
    "units": 1_000,
}
"""What fills the placeholders in the messages of problems."""

_USAGE: Final = schemas.UsageAnswer(
    quota=10_000,
    used=1_260,
    remaining=8_740,
    period=schemas.Period("2026-11-01", "2026-11-30"),
    days=[schemas.UsedDay("2026-11-02", 1_180, 74, 1_254), schemas.UsedDay("2026-11-03", 5, 1, 6)],
)


def path(route: Route) -> str:
    """Return a path that can be called."""
    name = route.argument_name
    return route.path.replace(f"{{{name}}}", ARGUMENTS[name]) if name else route.path


def body(route: Route) -> dict[str, Any] | None:
    """Return a body for the call, made of the examples of its fields, or None if it takes none."""
    if route.body_type is None:
        return None
    (_,), components = msgspec.json.schema_components([route.body_type])
    shape = components[route.body_type.__name__]
    return {name: shape["properties"][name]["examples"][0] for name in shape["required"]}


def response(route: Route, language: str) -> Any:
    """Return the content of the response to the call's example, of JSON's types; None where that says nothing.

    The long list of countries is cut after the first.
    """
    if route.response_type is schemas.UsageAnswer:
        return _json_types(_USAGE)
    if not route.needs_key:
        return None
    typed = route.parser.parse(msgspec.json.encode(body(route))) if route.parser else None
    content = route.handler(Call(typed, ARGUMENTS.get(route.argument_name or "", ""), language, None)).content
    if isinstance(content, schemas.CountriesAnswer):
        content = schemas.CountriesAnswer(content.countries[:1], content.data_version)
    return _json_types(content)


def mistyped(language: str) -> Any:
    """Return the verdict on a mistyped IBAN."""
    call = Call(schemas.IbanRequest("SE45 5000 0000 0583 9825 7465"), "", language, None)
    return _json_types(v1.validate(call).content)


def _json_types(content: msgspec.Struct | msgspec.Raw) -> Any:
    return msgspec.json.decode(msgspec.json.encode(content))


def problem(code: str, language: str) -> dict[str, Any]:
    """Return the body of a refusal, with its placeholders filled."""
    rendered = problems.render(Problem(code, values=_VALUES), request_id=REQUEST_ID, language=language)
    return msgspec.json.decode(rendered, type=dict[str, Any])
