"""The gate: sends calls of the API to their pipeline, past everything that only browsers need.

It is used twice. Under a server, in front of Django's handler (wsgi.py): what Django does around every request would
take as long as the call itself. And as the first middleware, for requests that come through the handler: those of
Django's test client and development server.
"""

import threading
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings
from django.core.handlers.wsgi import get_path_info
from django.db import connections
from django.http import HttpRequest, HttpResponse, HttpResponseBase

from validation.api.pipeline import ApiRequest, respond
from validation.api.responses import ApiResponse

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication

_API: Final = "/api/"
_PAGES: Final = "/api/docs/"
_STATUS_LINES: Final = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}

View = Callable[[HttpRequest], HttpResponseBase]


def in_front_of(application: "WSGIApplication") -> "WSGIApplication":
    """Return a WSGI application that answers the paths of the API itself and passes on every other request."""

    def gate(environ: dict[str, Any], start_response: "StartResponse") -> Iterable[bytes]:
        path = get_path_info(environ)
        if not _is_api(path):
            return application(environ, start_response)
        response = _respond(environ, path)
        _release_databases()
        start_response(_STATUS_LINES[response.status], list(response.headers.items()))
        return (response.body,)

    return gate


def api_gate(get_response: View) -> View:
    """Send the paths of the API to the same pipeline, and pass on every other request."""

    def gate(request: HttpRequest) -> HttpResponseBase:
        if not _is_api(request.path_info):
            return get_response(request)
        response = _respond(request.META, request.path_info)
        return HttpResponse(response.body, status=response.status, headers=response.headers)

    return gate


def _is_api(path: str) -> bool:
    # With a slash at its end, so that a path which only begins like it does not match.
    folder = f"{path}/"
    return folder.startswith(_API) and not folder.startswith(_PAGES)


def _respond(environ: dict[str, Any], path: str) -> ApiResponse:
    # The proxy overwrites the header, and only the proxy reaches our socket.
    header, value = settings.SECURE_PROXY_SSL_HEADER or ("wsgi.url_scheme", "https")
    return respond(
        ApiRequest(
            method=environ["REQUEST_METHOD"],
            path=path,
            headers=environ,
            ip_address=environ.get(settings.CLIENT_ADDRESS_META_KEY, ""),
            body=environ["wsgi.input"],
            is_secure=settings.EMBEDDED or environ.get(header) == value,
        )
    )


class _Databases(threading.local):
    """The connections of a thread, looked up once: that takes longer than checking an IBAN."""

    def __init__(self) -> None:
        self.all = connections.all()


_databases = _Databases()


def _release_databases() -> None:
    """Do what Django does at the end of a request, if the call has used a database; few do."""
    for connection in _databases.all:
        if connection.connection is not None:
            connection.close_if_unusable_or_obsolete()
