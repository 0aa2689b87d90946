"""From the body of a call to a typed request, strictly: what is not exactly right is refused with its place named."""

import json
import re
from typing import Any, BinaryIO, Final, Generic, TypeVar

import msgspec
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy
from gunicorn.http.errors import ParseException  # type: ignore[import-untyped]  # it has no types

from apikeys.problems import Problem

Body = TypeVar("Body", bound=msgspec.Struct)

MAX_BODY_BYTES: Final = 1_500_000
"""The longest text that may be sent for extraction has so many, if each character is written as an escape of JSON."""

_LENGTH: Final = gettext_lazy("The Content-Length header is not a number of bytes.")
_BROKEN: Final = gettext_lazy("The body ended too early, or its chunks are invalid.")
_NOT_UTF_8: Final = gettext_lazy("The request is not valid UTF-8.")
_NOT_JSON: Final = gettext_lazy("The request is not valid JSON (byte %(byte)s).")
_CUT: Final = gettext_lazy("The request is not valid JSON: its end is missing, or an escape sequence is invalid.")
_DUPLICATE: Final = gettext_lazy("Duplicate field “%(name)s”.")
# Messages of msgspec → ours. The place is taken from its message as well.
_MESSAGES: Final[tuple[tuple[re.Pattern[str], Promise], ...]] = (
    (
        re.compile(r"Object contains unknown field `(?P<name>.*)`", re.DOTALL),
        gettext_lazy("Unknown field “%(name)s”."),
    ),
    (re.compile(r"Object missing required field `(?P<name>.*)`"), gettext_lazy("Missing field “%(name)s”.")),
    (
        re.compile(r"Expected `array` of length <= (?P<most>\d+)"),
        gettext_lazy("The list at %(place)s is too long: at most %(most)s entries are allowed."),
    ),
    (
        re.compile(r"Expected `array` of length >= (?P<least>\d+)"),
        gettext_lazy("The list at %(place)s is empty: at least one entry is required."),
    ),
    (
        re.compile(r"Expected `str` of length <= (?P<most>\d+)"),
        gettext_lazy("The string at %(place)s is too long: at most %(most)s characters are allowed."),
    ),
    (
        re.compile(r"Expected `(?P<expected>[^`]+)`, got `(?P<got>[^`]+)`"),
        gettext_lazy("Expected %(expected)s at %(place)s."),
    ),
)
_TYPES: Final = {
    "str": gettext_lazy("a string"),
    "array": gettext_lazy("a list"),
    "object": gettext_lazy("an object"),
}
_BYTE: Final = re.compile(r"\(byte (\d+)\)$")
_PLACE: Final = re.compile(r" - at `([^`]*)`$")
_MAX_NAME_CHARACTERS: Final = 40
_MAX_LENGTH_DIGITS: Final = 19


def read(stream: BinaryIO, length: str) -> bytes:
    """Return the body of a call. Of one that is too long, not more than MAX_BODY_BYTES and one byte is read.

    `length` is the header Content-Length; without one the body came in chunks, and its end is the server's to find.
    Raises Problem too_large or invalid_request.
    """
    expected = _expected(length) if length else MAX_BODY_BYTES + 1
    try:
        body = stream.read(expected)
    except (OSError, ParseException):  # Gunicorn's error for malformed chunks is not an OSError.
        raise _problem(_BROKEN) from None
    if len(body) > MAX_BODY_BYTES:
        raise _too_large()
    if length and len(body) < expected:
        # The caller meant to send more, even where the beginning is a valid request.
        raise _problem(_BROKEN)
    return body


def _expected(length: str) -> int:
    if not (length.isascii() and length.isdigit()):
        raise _problem(_LENGTH)
    # A number of thousands of digits would cost time, and Python refuses it.
    if len(length) > _MAX_LENGTH_DIGITS or int(length) > MAX_BODY_BYTES:
        raise _too_large()
    return int(length)


def _too_large() -> Problem:
    return Problem("too_large", values={"bytes": MAX_BODY_BYTES})


class Parser(Generic[Body]):
    """Parses the bodies of one call."""

    def __init__(self, shape: type[Body]) -> None:
        self._decode = msgspec.json.Decoder(shape).decode
        self._names = tuple(f'"{field.encode_name}"'.encode() for field in msgspec.structs.fields(shape))

    def parse(self, body: bytes) -> Body:
        """Return the typed request. Raises Problem invalid_request, which names the place and repeats no value."""
        try:
            parsed = self._decode(body)
        except msgspec.ValidationError as error:
            raise _validation_problem(str(error)) from None
        except msgspec.DecodeError as error:
            byte = _BYTE.search(str(error))
            raise (_problem(_NOT_JSON, byte=int(byte[1]) + 1) if byte else _problem(_CUT)) from None
        except UnicodeDecodeError:
            raise _problem(_NOT_UTF_8) from None
        if b"\\" in body or any(body.count(name) > 1 for name in self._names):
            # A name may be there twice, or only seem to, inside a text. Rare, so it may take longer.
            json.loads(body, object_pairs_hook=_refuse_duplicates)
        return parsed


def _refuse_duplicates(pairs: list[tuple[str, Any]]) -> None:
    seen = set()
    for name, _ in pairs:
        if name in seen:
            raise _problem(_DUPLICATE, name=name)
        seen.add(name)


def _validation_problem(error: str) -> Problem:
    place = _PLACE.search(error)
    values: dict[str, object] = {"place": place[1] if place else "$"}
    for pattern, message in _MESSAGES:
        match = pattern.match(error)
        if match:
            values |= {name: value[:_MAX_NAME_CHARACTERS] for name, value in match.groupdict().items()}
            values["expected"] = _TYPES.get(str(values.get("expected")), values.get("expected"))
            return _problem(message, **values)
    return _problem(gettext_lazy("Invalid value at %(place)s."), **values)


def _problem(message: Promise, **values: object) -> Problem:
    return Problem("invalid_request", message, values=values)
