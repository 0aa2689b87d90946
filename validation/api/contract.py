"""What a call of the API is: its route, what its handler receives and what it returns. Knows no particular call."""

from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

import msgspec
from django.utils.functional import Promise

from apikeys.authentication import Key
from apikeys.problems import Problem
from validation.api.bodies import Parser
from validation.engine import Verdict

READ_METHODS: Final = ("GET", "HEAD")


class Call(NamedTuple):
    """What a handler receives: the typed body, the last part of the path, the language of messages, and the key."""

    body: Any
    argument: str
    language: str
    key: Key | None


class CallResult(NamedTuple):
    """What a handler returns: the content of the response, and what the call counts as."""

    content: msgspec.Struct | msgspec.Raw
    verdicts: Sequence[Verdict] = ()
    """What is counted as valid or invalid, and what the check records may hold."""
    units: int = 0
    """What it costs of the month's quota."""


Handler = Callable[[Call], CallResult]


class Route(NamedTuple):
    """One call. Name and docstring of its handler are its name and summary in the OpenAPI document."""

    method: str
    path: str
    """A last part in braces is the argument: `/api/v1/countries/{code}`."""
    handler: Handler
    response_type: Any
    scope: str | None = None
    """None: a key of any scope."""
    needs_key: bool = True
    body_type: type[msgspec.Struct] | None = None
    parser: Parser[msgspec.Struct] | None = None
    costs: Promise | None = None
    """What it costs of the month's quota, for people; None: nothing."""

    @property
    def allowed_methods(self) -> tuple[str, ...]:
        """The methods that the path accepts."""
        return READ_METHODS if self.method == "GET" else (self.method,)

    @property
    def argument_name(self) -> str | None:
        """The name in the braces of the path, or None."""
        return self.path.partition("{")[2].rstrip("}") or None


def refuse_other_methods(method: str, allowed: tuple[str, ...]) -> None:
    """Raise Problem method_not_allowed, with the methods in `Allow`, for any method that is not allowed."""
    if method not in allowed:
        names = ", ".join(allowed)
        raise Problem("method_not_allowed", headers={"Allow": names}, values={"allowed": names})
