"""Tables of fields for people, made of the OpenAPI document, so that people and programs read the same."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from django.utils.html import conditional_escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext
from django.utils.translation import gettext as _

from validation.api.docs.messages import TYPES

_REFERENCE: Final = "#/components/schemas/"
_IN_BACKTICKS: Final = re.compile("`([^`]+)`")
SHOWN_AT: Final = {"VerdictAnswer": "validate", "CountryAnswer": "show_country"}
"""Objects that many responses hold → the call at which their fields are listed, once."""


class FieldRow(NamedTuple):
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


class _FieldType(NamedTuple):
    types: tuple[str, ...]
    values: tuple[str, ...] = ()
    shape: str = ""
    """The name of the object in it, if there is one."""


def fields(shape: str, schemas: Mapping[str, Any]) -> list[FieldRow]:
    """Return the fields of an object, each followed by those inside it, in the active language."""
    return list(_fields(shape, schemas, "", {}))


def _fields(shape: str, schemas: Mapping[str, Any], before: str, seen: dict[str, str]) -> Iterator[FieldRow]:
    for name, about in schemas[shape]["properties"].items():
        kind = _field_type(about)
        shown_at = SHOWN_AT.get(kind.shape, "")
        yield FieldRow(
            before + name,
            _join_types([str(TYPES[word]) for word in kind.types]),
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


def _field_type(schema: Mapping[str, Any]) -> _FieldType:
    if "anyOf" in schema:
        kinds = [_field_type(choice) for choice in schema["anyOf"]]
        types = tuple(dict.fromkeys(word for kind in kinds for word in kind.types))
        values = tuple(value for kind in kinds for value in kind.values)
        return _FieldType(types, values, "".join(kind.shape for kind in kinds))
    if "$ref" in schema:
        return _FieldType(("object",), shape=schema["$ref"].removeprefix(_REFERENCE))
    if "enum" in schema:
        return _FieldType(("string",), tuple(schema["enum"]))
    if schema["type"] == "array":
        inside = _field_type(schema["items"])
        return _FieldType((f"array of {inside.types[0]}",), shape=inside.shape)
    return _FieldType((schema["type"],))


def _join_types(types: list[str]) -> str:
    text, *others = types
    for other in others:
        text = _("%(one)s or %(other)s") % {"one": text, "other": other}
    return text


def words(text: str) -> SafeString:
    """Return text as HTML, what is in backticks as code."""
    escaped = conditional_escape(text)
    return mark_safe(_IN_BACKTICKS.sub(r"<code>\1</code>", escaped))  # noqa: S308 - escaped just above
