"""The language switcher: keeps the page, and on the check page the verdict."""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponseBase
from django.views.decorators.http import require_POST
from django.views.i18n import set_language

from accounts.auth import preferences
from accounts.models import User


@login_not_required
@require_POST
def switch(request: HttpRequest) -> HttpResponseBase:
    """Remember the language in a cookie, and for whoever is signed in with their account; go back to the page.

    A form that brings an IBAN along is sent on as it came (307), so that the page judges the number again in the new
    language; it never gets into an address.
    """
    response = set_language(request)
    if isinstance(request.user, User):
        preferences.remember_language(request.user, request.POST.get("language", ""))
    if "iban" in request.POST:
        response.status_code = 307
    return response
