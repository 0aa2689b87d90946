"""Mailed codes: what they confirm waits in the sealed session, for fifteen minutes and five tries."""

import secrets
import time
from datetime import timedelta
from typing import Any, Final

from django.http import HttpRequest
from django.utils.crypto import get_random_string

VALID_FOR: Final = timedelta(minutes=15)
MAX_TRIES: Final = 5
MAX_RESENDS: Final = 3
# No vowels, so that no code spells a word, and no look-alikes. Eight of twenty letters: 25.6 thousand million codes.
_LETTERS: Final = "BCDFGHJKLMNPQRSTVWXZ"

Pending = dict[str, Any]


class WrongCode(Exception):
    """The code is not the mailed one; another try is left."""


class CodeExpired(Exception):
    """Nothing waits for a code: it expired, was tried too often, or was never requested."""


def generate() -> str:
    """Return a random code such as `BCDF-GHJK`."""
    code = get_random_string(8, _LETTERS)
    return f"{code[:4]}-{code[4:]}"


def matches(typed: str, code: str) -> bool:
    """Return whether the typed code is this one, ignoring dash, spaces and case; an empty code never matches."""
    return bool(code) and secrets.compare_digest(_normalised(typed), _normalised(code))


def _normalised(text: str) -> bytes:
    return "".join(filter(str.isalnum, text)).upper().encode()


def begin(request: HttpRequest, name: str, **values: Any) -> Pending:
    """Store values in the session until their code is typed; they replace earlier ones of this name."""
    request.session[name] = {"at": time.time(), "tries": 0, "resends": 0, **values}
    pending: Pending = request.session[name]
    return pending


def pending(request: HttpRequest, name: str) -> Pending | None:
    """Return the values that wait for their code, or None when there are none or they have expired."""
    waiting: Pending | None = request.session.get(name)
    if waiting and time.time() - waiting["at"] > VALID_FOR.total_seconds():
        forget(request, name)
        return None
    return waiting


def count_wrong_code(request: HttpRequest, name: str) -> None:
    """Count a wrong code. Raises WrongCode, or CodeExpired when that was the last try."""
    waiting = request.session[name]
    waiting["tries"] += 1
    request.session.modified = True
    if waiting["tries"] >= MAX_TRIES:
        forget(request, name)
        raise CodeExpired
    raise WrongCode


def can_resend(waiting: Pending) -> bool:
    """Return whether the code may be mailed again."""
    return bool(waiting["resends"] < MAX_RESENDS)


def forget(request: HttpRequest, name: str) -> None:
    """Drop the values that wait for a code."""
    request.session.pop(name, None)
