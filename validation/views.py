"""The check page."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def check(request: HttpRequest) -> HttpResponse:
    """Show the form."""
    return render(request, "validation/check.html")
