"""Records each page view and each refusal in the back-office, and alarms when refusals look deliberate."""

from datetime import timedelta
from typing import Final
from uuid import UUID

from django.core.cache import cache
from django.http import HttpRequest

from accounts import audit
from accounts.actor import Actor
from accounts.audit.events import StaffEvent
from accounts.models import User
from accounts.staff.entry import is_staff
from accounts.staff.justification import shorten_keys

MOST_REFUSALS: Final = 5
"""Within WITHIN: a link from yesterday, a group that was changed. More looks like probing."""
WITHIN: Final = timedelta(minutes=10)
_OTHERS_RECORDED_FOR: Final = timedelta(days=1)

ALARMING: Final = frozenset({"moved", "tampered"})
"""What no page leads to: the cookie in another network, a list URL with a filter that is not offered."""


def looked(request: HttpRequest, status: int) -> None:
    """Record that a page was viewed, or a form sent."""
    user = _user(request)
    if user is None:
        return
    is_view = request.method in ("GET", "HEAD")
    detail = {"page": _page(request)} if is_view else {"page": _page(request), "answer": str(status)}
    if term := request.GET.get("q", "").strip():
        detail["searched"] = shorten_keys(term)[:100]
    event = StaffEvent.PAGE_VIEWED if is_view else StaffEvent.FORM_SENT
    audit.record_staff(event, by=Actor.of(request), client=_client(request), detail=detail)


def refused(request: HttpRequest, reason: str) -> None:
    """Record a refusal: of staff each time, of other signed-in users once a day."""
    user = _user(request)
    if user is None or not (
        is_staff(user) or cache.add(f"office-stranger:{user.pk}", 1, _seconds(_OTHERS_RECORDED_FOR))
    ):
        return
    detail = {"page": _page(request), "reason": reason, "method": str(request.method)}
    event = StaffEvent.BACKOFFICE_MISUSED if _looks_deliberate(user, reason) else StaffEvent.PAGE_REFUSED
    audit.record_staff(event, by=Actor.of(request), client=_client(request), detail=detail)


def _looks_deliberate(user: User, reason: str) -> bool:
    key = f"office-refused:{user.pk}"
    cache.add(key, 0, _seconds(WITHIN))
    try:
        tried = cache.incr(key)
    except ValueError:  # It ended between the two.
        tried = 1
    return reason in ALARMING or tried > MOST_REFUSALS


def _user(request: HttpRequest) -> User | None:
    return request.user if isinstance(request.user, User) else None


def _client(request: HttpRequest) -> UUID | None:
    return getattr(request, "looked_at", None)


def _page(request: HttpRequest) -> str:
    return request.resolver_match.url_name or "" if request.resolver_match else ""


def _seconds(span: timedelta) -> int:
    return int(span.total_seconds())
