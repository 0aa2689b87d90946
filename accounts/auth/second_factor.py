"""Enforces two-factor authentication where it is required: for all staff, and for clients that require it."""

from collections.abc import Callable
from typing import Final

from allauth.mfa.utils import is_mfa_enabled
from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from accounts.models import User

# What a user without a factor needs to add one or to sign out, and what is public.
# allauth's pages for factors are named mfa_….
_OPEN_TO_ALL: Final = frozenset(
    {
        "account_logout",
        "account_reauthenticate",
        "language",
        "terms",
        "privacy",
        "security",
        "security_txt",
        "check",
        "countries",
        "country",
    }
)
_FACTOR_PAGES: Final = "mfa_"


def is_required(user: User) -> bool:
    """Return whether this user must have a second factor."""
    return user.is_staff or (user.client is not None and user.client.needs_second_factor)


class SecondFactorMiddleware:
    """Redirects users who lack a required factor to the page where it is added."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Pass the request on; process_view decides once the page is known."""
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *_view: object) -> HttpResponseBase | None:
        """Return a redirect to the page of factors, or None to continue."""
        user = request.user
        name = request.resolver_match.url_name if request.resolver_match else ""
        if not isinstance(user, User) or (name or "").startswith(_FACTOR_PAGES) or name in _OPEN_TO_ALL:
            return None
        if not is_required(user) or is_mfa_enabled(user):
            return None
        messages.warning(request, _("Your account requires two-factor authentication. Set it up to continue."))
        return redirect("mfa_index")
