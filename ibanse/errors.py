"""The pages for 400 and 500. Django renders 403, 404 and the missing form token from the templates by itself."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001 - its text may hold input
    """Answer 400 and repeat nothing of what was sent."""
    return render(request, "400.html", status=400)


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer 500 in the visitor's language; what happened is in the log, not on the page."""
    return render(request, "500.html", status=500)
