"""The signed-in user's language and time zone. A visitor's language is a cookie, see ibanse/languages.py."""

import zoneinfo
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone, translation

from accounts.models import User


class PreferencesMiddleware:
    """Activates the user's language and time zone, if they have chosen any."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Activate both for this request; LocaleMiddleware resets the language at the next one."""
        user = request.user
        if not isinstance(user, User):
            return self.get_response(request)
        if user.language in dict(settings.LANGUAGES):
            translation.activate(user.language)
            request.LANGUAGE_CODE = user.language
        with timezone.override(_zone(user.time_zone)):
            return self.get_response(request)


def remember_language(user: User, language: str) -> None:
    """Store the language that the user has switched to, for other browsers and for mails."""
    if language in dict(settings.LANGUAGES) and language != user.language:
        user.language = language
        user.save(update_fields=["language"])


def _zone(name: str) -> zoneinfo.ZoneInfo | str:
    try:
        return zoneinfo.ZoneInfo(name) if name else settings.TIME_ZONE
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        return settings.TIME_ZONE
