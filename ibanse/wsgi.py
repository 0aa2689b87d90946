"""Where gunicorn enters. WSGI only: the same Django under ASGI measured seven times slower."""

import os
from typing import Any

import django
from django.core.handlers.wsgi import WSGIHandler, WSGIRequest

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ibanse.settings")
django.setup(set_prefix=False)

from ibanse import api_gate  # noqa: E402 - the API's modules can be imported only now that the apps are loaded


class Request(WSGIRequest):
    """A request whose content type may be nonsense: Django reads it before any middleware, and would answer 500."""

    def _set_content_type_params(self, meta: dict[str, Any]) -> None:
        try:
            super()._set_content_type_params(meta)  # type: ignore[misc]  # Django's own, not in its stubs
        except ValueError:
            super()._set_content_type_params({})  # type: ignore[misc]  # as above


class Handler(WSGIHandler):
    """Django's handler, with our request."""

    request_class = Request


application = api_gate.in_front_of(Handler())
