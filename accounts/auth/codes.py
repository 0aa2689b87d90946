"""Codes that are mailed and typed in again. They wait in the sealed session, for fifteen minutes and five tries."""

import secrets
import time
from datetime import timedelta
from typing import Any, Final

from django.http import HttpRequest
from django.utils.crypto import get_random_string

VALID_FOR: Final = timedelta(minutes=15)
MAX_TRIES: Final = 5
MAX_RESENDS: Final = 3
# No vowels, so that no code spells a word; no look-alikes. Eight of twenty letters: 25.6 thousand million codes.
_LETTERS: Final = "BCDFGHJKLMNPQRSTVWXZ"

Pending = dict[str, Any]


class Wrong(Exception):
    """The code is not the one we mailed; another try is left."""


class Over(Exception):
    """Nothing is waiting for a code: it expired, was tried too often, or never began."""


def new() -> str:
    """Return a fresh code such as `BCDF-GHJK`."""
    code = get_random_string(8, _LETTERS)
    return f"{code[:4]}-{code[4:]}"


def fits(typed: str, code: str) -> bool:
    """Return whether somebody typed this code, with or without dash, blanks and capitals; an empty code never fits."""
    return bool(code) and secrets.compare_digest(_plain(typed), _plain(code))


def _plain(text: str) -> bytes:
    return "".join(filter(str.isalnum, text)).upper().encode()


def begin(request: HttpRequest, name: str, **kept: Any) -> Pending:
    """Let something wait in the session for its code; it replaces what waited under this name."""
    request.session[name] = {"at": time.time(), "tries": 0, "resends": 0, **kept}
    pending: Pending = request.session[name]
    return pending


def pending(request: HttpRequest, name: str) -> Pending | None:
    """Return what waits for its code, or None when nothing does or it has waited too long."""
    waiting: Pending | None = request.session.get(name)
    if waiting and time.time() - waiting["at"] > VALID_FOR.total_seconds():
        forget(request, name)
        return None
    return waiting


def miss(request: HttpRequest, name: str) -> None:
    """Count a wrong code. Raises Wrong, or Over when that was the last try."""
    waiting = request.session[name]
    waiting["tries"] += 1
    request.session.modified = True
    if waiting["tries"] >= MAX_TRIES:
        forget(request, name)
        raise Over
    raise Wrong


def may_resend(waiting: Pending) -> bool:
    """Return whether the code may be mailed once more."""
    return bool(waiting["resends"] < MAX_RESENDS)


def forget(request: HttpRequest, name: str) -> None:
    """Drop what waits."""
    request.session.pop(name, None)
