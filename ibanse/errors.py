"""The pages for 400, 500 and 503. Django itself renders 403, 404 and the missing CSRF token from the templates."""

import logging
from collections.abc import Callable
from typing import Final

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from redis import RedisError

log = logging.getLogger(__name__)

_TRY_AGAIN_AFTER_SECONDS: Final = "5"


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001 - its text may hold input
    """Answer 400 without repeating what was sent."""
    return render(request, "400.html", status=400)


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer 500 in the visitor's language; the error is in the log, not on the page."""
    return render(request, "500.html", status=500)


class CounterOutageMiddleware:
    """Answer 503 for a page that counts attempts (sign-in, mailed codes, invitations) while Redis does not answer.

    Such a page is refused before it does anything: otherwise passwords could be guessed without a limit.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Pass the request on."""
        return self._get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Answer 503 for an error of Redis; every other error is a 500."""
        if not isinstance(exception, RedisError):
            return None
        # Not the exception itself: its text may hold the server's password.
        log.error("A page was refused, since REDIS_URL does not answer: %s", type(exception).__name__)
        page = render(request, "503.html", status=503)
        page.headers["Retry-After"] = _TRY_AGAIN_AFTER_SECONDS
        return page
