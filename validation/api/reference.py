"""Tables of fields for people, made of the OpenAPI document, so that they say what programs are told."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from django.utils.html import conditional_escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext
from django.utils.translation import gettext as _

from validation.api.sentences import TYPES

_REFERENCE: Final = "#/components/schemas/"
_IN_BACKTICKS: Final = re.compile("`([^`]+)`")
SHOWN_AT: Final = {"VerdictAnswer": "validate", "CountryAnswer": "show_country"}
"""Objects that many answers hold → the call at which their fields are listed, once."""


class Field(NamedTuple):
    """A row of a table of fields."""

    name: str
    """From the outside in: `bank.candidates`, or `reasons[].code` for what a list holds."""
    type: str
    values: tuple[str, ...]
    """All values that there are, if they can be listed."""
    is_optional: bool
    about: SafeString
    shown_at: str
    """The call at which the fields of this object are listed; empty when they stand here, or there are none."""
    like: str
    """The field of this table whose fields this one has too; empty when it has its own, or none."""


class _Kind(NamedTuple):
    types: tuple[str, ...]
    values: tuple[str, ...] = ()
    shape: str = ""
    """The name of the object in it, if there is one."""


def fields(shape: str, schemas: Mapping[str, Any]) -> list[Field]:
    """Return the fields of an object, each followed by those inside it, in the active language."""
    return list(_fields(shape, schemas, "", {}))


def _fields(shape: str, schemas: Mapping[str, Any], before: str, seen: dict[str, str]) -> Iterator[Field]:
    for name, about in schemas[shape]["properties"].items():
        kind = _kind(about)
        shown_at = SHOWN_AT.get(kind.shape, "")
        yield Field(
            before + name,
            _either([str(TYPES[word]) for word in kind.types]),
            kind.values,
            name not in schemas[shape].get("required", ()),
            words(gettext(about["description"])),
            shown_at,
            seen.get(kind.shape, ""),
        )
        if kind.shape and not shown_at and kind.shape not in seen:
            seen[kind.shape] = before + name
            inside = "[]." if "array of object" in kind.types else "."
            yield from _fields(kind.shape, schemas, before + name + inside, seen)


def _kind(schema: Mapping[str, Any]) -> _Kind:
    if "anyOf" in schema:
        kinds = [_kind(choice) for choice in schema["anyOf"]]
        types = tuple(dict.fromkeys(word for kind in kinds for word in kind.types))
        values = tuple(value for kind in kinds for value in kind.values)
        return _Kind(types, values, "".join(kind.shape for kind in kinds))
    if "$ref" in schema:
        return _Kind(("object",), shape=schema["$ref"].removeprefix(_REFERENCE))
    if "enum" in schema:
        return _Kind(("string",), tuple(schema["enum"]))
    if schema["type"] == "array":
        inside = _kind(schema["items"])
        return _Kind((f"array of {inside.types[0]}",), shape=inside.shape)
    return _Kind((schema["type"],))


def _either(types: list[str]) -> str:
    said, *others = types
    for other in others:
        said = _("%(one)s or %(other)s") % {"one": said, "other": other}
    return said


def words(text: str) -> SafeString:
    """Return a sentence as HTML, what stands in backticks as code."""
    escaped = conditional_escape(text)
    return mark_safe(_IN_BACKTICKS.sub(r"<code>\1</code>", escaped))  # noqa: S308 - escaped just above
