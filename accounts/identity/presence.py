"""Who is signed in where: noticed every few minutes, ended after twelve idle hours, at once when something changed."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from allauth.usersessions.adapter import get_adapter
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.auth import logout
from django.contrib.sessions.models import Session
from django.http import HttpRequest, HttpResponseBase

from accounts import chunks
from accounts.models import User

NOTICED_EVERY_SECONDS: Final = 5 * 60
LONGEST_SECONDS: Final = 30 * 24 * 3600
_SEEN: Final = "seen_at"
_BEGAN: Final = "began_at"


class PresenceMiddleware:
    """Prolongs a session that is in use, without writing to the database at every request; ends one that is too old."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Notice the visit, then pass the request on."""
        if request.user.is_authenticated:
            _notice(request)
        response = self.get_response(request)
        if request.user.is_authenticated:
            # What a page shows to one user no cache and no back button may show to the next.
            response.headers.setdefault("Cache-Control", "no-store, private")
        return response


def _notice(request: HttpRequest) -> None:
    now = int(time.time())
    began = request.session.get(_BEGAN, now)
    seen = request.session.get(_SEEN, 0)
    # The row itself expires as well; this also ends a session whose row a slow write had prolonged.
    if now - began > LONGEST_SECONDS or (seen and now - seen > settings.SESSION_COOKIE_AGE):
        logout(request)
    elif now - seen >= NOTICED_EVERY_SECONDS:
        request.session[_BEGAN] = began
        # Changing the session saves it, which moves its end twelve hours ahead.
        request.session[_SEEN] = now
        UserSession.objects.create_from_request(request)


def forget_ended(now: datetime) -> int:
    """Forget the addresses and browsers of sessions that ended by themselves, and the sessions; return how many."""
    longest = timedelta(seconds=settings.SESSION_COOKIE_AGE + NOTICED_EVERY_SECONDS)
    chunks.delete(UserSession.objects.filter(last_seen_at__lt=now - longest))
    return chunks.delete(Session.objects.filter(expire_date__lt=now))


def of(user: User) -> list[UserSession]:
    """Return the user's living sessions, the one used last first; what has ended is forgotten."""
    living: list[UserSession] = UserSession.objects.purge_and_list(user)
    return sorted(living, key=lambda session: session.last_seen_at, reverse=True)


def end(sessions: list[UserSession]) -> None:
    """Sign the browsers of these sessions out."""
    get_adapter().end_sessions(sessions)


def end_all(user: User) -> None:
    """Sign a user out everywhere: after a deactivation, a removal or a reset of factors."""
    end(list(UserSession.objects.filter(user_id=user.pk)))


def end_others(request: HttpRequest, user: User) -> None:
    """Sign a user out everywhere but in the browser that asks."""
    end(list(UserSession.objects.filter(user_id=user.pk).exclude(session_key=request.session.session_key or "")))
