"""The first middleware: a call of the API is answered before everything that only browsers need."""

from collections.abc import Callable
from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase

from validation.api.answer import Call, answer

_PATHS: Final = ("/api/", "/health/")
_PAGES: Final = "/api/docs"

View = Callable[[HttpRequest], HttpResponseBase]


def api_gate(get_response: View) -> View:
    """Hand the paths of the API to `validation.api.answer`, and every other request on."""

    def gate(request: HttpRequest) -> HttpResponseBase:
        path = request.path_info
        if not path.startswith(_PATHS) or path.startswith(_PAGES):
            return get_response(request)
        given = answer(
            Call(
                method=request.method or "",
                path=path,
                headers=request.META,
                address=request.META.get(settings.CLIENT_ADDRESS_META_KEY, ""),
                body=request.META["wsgi.input"],
                is_secure=settings.EMBEDDED or request.is_secure(),
            )
        )
        return HttpResponse(given.body, status=given.status, headers=given.headers)

    return gate
