"""The site with built-in faults, triggered by the checked text: FAIL… raises an error, LEAK… prints the text.

A path that begins with /FAIL raises an error that only gunicorn catches.

Only the tests start it: gunicorn -c deploy/gunicorn.conf.py tests.support.leaky:application
"""

import os
from collections.abc import Callable, Iterable
from typing import Any

from ibanse import wsgi
from validation import engine
from validation.api import v1
from validation.engine import Verdict

__all__ = ["application"]

_check = engine.check


def check(text: str) -> Verdict:
    """Check what follows the first four characters, after the fault that they name."""
    match text[:4]:
        case "FAIL":
            raise RuntimeError(f"Cannot judge {text[4:]}")
        case "LEAK":
            os.write(2, f"somebody checks {text[4:]}\n".encode())
            return _check(text[4:])
        case _:
            return _check(text)


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Respond as the site does, except below /FAIL."""
    if environ["PATH_INFO"].startswith("/FAIL"):
        raise RuntimeError(f"Nobody handles {environ['PATH_INFO']}")
    return wsgi.application(environ, start_response)


engine.check = check
vars(v1)["check"] = check
