"""Active sessions: noted every few minutes, ended when idle for too long, or at once by an action."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from allauth.account.adapter import get_adapter as get_account_adapter
from allauth.core.exceptions import ReauthenticationRequired
from allauth.usersessions.adapter import get_adapter
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.auth import logout
from django.contrib.sessions.models import Session
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode

from accounts import batch
from accounts.guard import addresses
from accounts.models import User
from accounts.staff import entry


class SessionLimits(NamedTuple):
    """How long a session lasts, in seconds."""

    idle: int
    """Without a request."""
    longest: int
    """In total."""
    noted_every: int
    """A request sooner after the last one writes nothing; a session may end that much too early."""


MEMBER: Final = SessionLimits(idle=settings.SESSION_COOKIE_AGE, longest=30 * 24 * 3600, noted_every=5 * 60)
STAFF: Final = SessionLimits(idle=30 * 60, longest=12 * 3600, noted_every=60)
_SEEN: Final = "seen_at"
_BEGAN: Final = "began_at"


class PresenceMiddleware:
    """Extends sessions in use, without writing to the database at every request, and ends those that are too old."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Note the request, then pass it on."""
        addresses.pin(request)
        if request.user.is_authenticated:
            _note_request(request)
        response = self.get_response(request)
        if request.user.is_authenticated:
            entry.note_proof(request)
            # Neither a cache nor the back button may show one user's page to the next.
            response.headers.setdefault("Cache-Control", "no-store, private")
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Ask for reauthentication without storing the request; runs before allauth's own handler.

        That one would store the whole request in the session, with its IP address, and later carry it out in the place
        of the request that reauthenticates.
        """
        if not isinstance(exception, ReauthenticationRequired):
            return None
        methods = get_account_adapter().get_reauthentication_methods(request.user)
        path = methods[0]["url"] if methods else reverse("account_login")
        return redirect(f"{path}?{urlencode({'next': request.get_full_path()})}")


def _note_request(request: HttpRequest) -> None:
    now, user = int(time.time()), request.user
    limits = STAFF if isinstance(user, User) and user.is_staff else MEMBER
    began = request.session.get(_BEGAN, now)
    seen = request.session.get(_SEEN, 0)
    # The row expires by itself; this also ends a session whose row was extended by a late write.
    if now - began > limits.longest or (seen and now - seen > limits.idle):
        logout(request)
    elif now - seen >= limits.noted_every:
        request.session[_BEGAN] = began
        # Changing the session saves it, which extends it by twelve hours.
        request.session[_SEEN] = now
        UserSession.objects.create_from_request(request)


def forget_ended(now: datetime) -> int:
    """Delete expired sessions with their IP addresses and browsers; return how many."""
    longest = timedelta(seconds=MEMBER.idle + MEMBER.noted_every)
    batch.delete(UserSession.objects.filter(last_seen_at__lt=now - longest))
    return batch.delete(Session.objects.filter(expire_date__lt=now))


def sessions_of(user: User) -> list[UserSession]:
    """Return the user's active sessions, the one used last first; ended ones are deleted."""
    active: list[UserSession] = UserSession.objects.purge_and_list(user)
    return sorted(active, key=lambda session: session.last_seen_at, reverse=True)


def end_sessions(sessions: list[UserSession]) -> None:
    """Sign out the browsers of these sessions."""
    get_adapter().end_sessions(sessions)


def end_all(user: User) -> None:
    """Sign a user out everywhere: after a deactivation, a removal or a reset of factors."""
    end_sessions(list(UserSession.objects.filter(user_id=user.pk)))


def end_others(request: HttpRequest, user: User) -> None:
    """Sign a user out everywhere but in the browser of this request."""
    own_key = request.session.session_key or ""
    end_sessions(list(UserSession.objects.filter(user_id=user.pk).exclude(session_key=own_key)))
