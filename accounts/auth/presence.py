"""Who is signed in where: noticed every few minutes, ended when idle for too long, at once when something changed."""

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


class Limits(NamedTuple):
    """How long a session lasts, in seconds."""

    idle: int
    """Without a visit."""
    longest: int
    """Whatever its use."""
    noticed_every: int
    """A visit sooner after the last one writes nothing; a session may end that much too early."""


MEMBER: Final = Limits(idle=settings.SESSION_COOKIE_AGE, longest=30 * 24 * 3600, noticed_every=5 * 60)
STAFF: Final = Limits(idle=30 * 60, longest=12 * 3600, noticed_every=60)
_SEEN: Final = "seen_at"
_BEGAN: Final = "began_at"


class PresenceMiddleware:
    """Prolongs a session that is in use, without writing to the database at every request; ends one that is too old."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Notice the visit, then pass the request on."""
        addresses.take(request)
        if request.user.is_authenticated:
            _notice(request)
        response = self.get_response(request)
        if request.user.is_authenticated:
            entry.note_proof(request)
            # What a page shows to one user no cache and no back button may show to the next.
            response.headers.setdefault("Cache-Control", "no-store, private")
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Ask for the proof, and keep nothing of what was sent; comes before allauth's own.

        That would keep the whole request in the session, with its address, and carry it out in the place of the one
        that gives the proof.
        """
        if not isinstance(exception, ReauthenticationRequired):
            return None
        methods = get_account_adapter().get_reauthentication_methods(request.user)
        path = methods[0]["url"] if methods else reverse("account_login")
        return redirect(f"{path}?{urlencode({'next': request.get_full_path()})}")


def limits_of(user: object) -> Limits:
    """Return how long this user's sessions last."""
    return STAFF if isinstance(user, User) and user.is_staff else MEMBER


def _notice(request: HttpRequest) -> None:
    now, limits = int(time.time()), limits_of(request.user)
    began = request.session.get(_BEGAN, now)
    seen = request.session.get(_SEEN, 0)
    # The row itself expires as well; this also ends a session whose row a slow write had prolonged.
    if now - began > limits.longest or (seen and now - seen > limits.idle):
        logout(request)
    elif now - seen >= limits.noticed_every:
        request.session[_BEGAN] = began
        # Changing the session saves it, which moves its end twelve hours ahead.
        request.session[_SEEN] = now
        UserSession.objects.create_from_request(request)


def forget_ended(now: datetime) -> int:
    """Forget the addresses and browsers of sessions that ended by themselves, and the sessions; return how many."""
    longest = timedelta(seconds=MEMBER.idle + MEMBER.noticed_every)
    batch.delete(UserSession.objects.filter(last_seen_at__lt=now - longest))
    return batch.delete(Session.objects.filter(expire_date__lt=now))


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
