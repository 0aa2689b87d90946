"""The language switcher: returns to the same page, and on the check page to the result."""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponseBase
from django.views.decorators.http import require_POST
from django.views.i18n import set_language

from accounts.auth import preferences
from accounts.models import User


@login_not_required
@require_POST
def switch(request: HttpRequest) -> HttpResponseBase:
    """Store the language in a cookie, and of a signed-in user also with their account; go back to the page.

    A form with an IBAN is sent again as it came (307), so that the page checks it again in the new language; the IBAN
    never gets into a URL.
    """
    response = set_language(request)
    if isinstance(request.user, User):
        preferences.remember_language(request.user, request.POST.get("language", ""))
    if "iban" in request.POST:
        response.status_code = 307
    return response
