"""The entry point of gunicorn. WSGI only: the same Django under ASGI measured seven times slower."""

import os
from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

import django
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler, WSGIRequest

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ibanse.settings")
django.setup(set_prefix=False)

from ibanse import api_gate  # noqa: E402 - the API's modules can be imported only now that the apps are loaded

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication


MAX_DRAINED_BYTES: Final = 4 * 1024 * 1024
"""More than nginx lets through: a longer body is not from nginx, and could make a worker wait."""


class Request(WSGIRequest):
    """A request whose content type may be invalid: Django parses it before any middleware, and would answer 500."""

    def get_host(self) -> str:
        """Return the host, which must be one of ours; monitors ask for /health/ by IP address, or without one."""
        return str(settings.ALLOWED_HOSTS[0]) if self.path.startswith("/health/") else super().get_host()

    def _set_content_type_params(self, meta: dict[str, Any]) -> None:
        try:
            super()._set_content_type_params(meta)  # type: ignore[misc]  # Django's own, not in its stubs
        except ValueError:
            super()._set_content_type_params({})  # type: ignore[misc]  # as above


class Handler(WSGIHandler):
    """Django's handler, with our request."""

    request_class = Request


def draining_the_body(application: "WSGIApplication") -> "WSGIApplication":
    """Return the application, made to read also a body that its response did not need.

    gunicorn closes a connection on which something is left unread. nginx, still writing, then takes the connection for
    broken and reports an outage instead of our 404 or 403. Only behind nginx, which has the whole body already and
    limits it: a caller of the embedded mode could make us wait.
    """

    def respond(environ: dict[str, Any], start_response: "StartResponse") -> Iterable[bytes]:
        response = application(environ, start_response)
        if 0 < int(environ.get("CONTENT_LENGTH") or 0) <= MAX_DRAINED_BYTES:
            with suppress(OSError):
                while environ["wsgi.input"].read(65536):
                    pass
        return response

    return respond


application = api_gate.in_front_of(Handler())
if not settings.EMBEDDED:
    application = draining_the_body(application)
