"""The door of every page of the client area: who may come in, and whether they must prove themselves once more."""

from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import Concatenate, Final, ParamSpec

from allauth.account.decorators import reauthentication_required
from django.contrib.auth.views import redirect_to_login
from django.core.cache import cache
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render

from accounts import roles
from accounts.audit import client_log
from accounts.models import Client, User

P = ParamSpec("P")
_REFUSAL_RECORDED_FOR = timedelta(days=1)
_OPEN: Final[dict[str, frozenset[str]]] = {
    Client.State.CLOSING: roles.WHILE_CLOSING,
    Client.State.SUSPENDED: roles.WHILE_SUSPENDED,
}


class MemberRequest(HttpRequest):
    """A request of a signed-in user who belongs to a client."""

    user: User
    client: Client


MemberView = Callable[Concatenate[MemberRequest, P], HttpResponseBase]
View = Callable[Concatenate[HttpRequest, P], HttpResponseBase]


def allowed(action: str) -> Callable[[MemberView[P]], View[P]]:
    """Let only users in whose role may do `deed` by the matrix; the view gets the client as `request.client`.

    Strangers are sent to sign in, others answered 403; so are the users of a client that is not active, with a page
    that says so. While a client waits to be deleted or is suspended, its owners may do what roles.WHILE_CLOSING and
    roles.WHILE_SUSPENDED list. Raises KeyError at import for a deed that is not in the matrix.
    """
    roles.MATRIX[action]

    def guard(view: MemberView[P]) -> View[P]:
        @wraps(view)
        def guarded(request: MemberRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            if not request.user.is_authenticated:
                return redirect_to_login(request.get_full_path())
            if not request.user.may(action) or request.user.client is None:
                _note_refusal(request, action)
                raise PermissionDenied
            if not _is_open(request.user.client.state, action):
                return _closed(request, request.user.client)
            request.client = request.user.client
            return view(request, *args, **kwargs)

        guarded.action = action  # type: ignore[attr-defined]  # the walk of all pages and roles reads it
        return guarded  # type: ignore[return-value]  # a member's request is made of any request here

    return guard


def _is_open(state: str, action: str) -> bool:
    return state == Client.State.ACTIVE or action in _OPEN.get(state, frozenset())


def client_of(request: HttpRequest, action: str) -> Client | None:
    """Return the client for whom a public page is used: that of a signed-in user who may do `deed`, if it is active."""
    user = request.user
    if not isinstance(user, User) or not user.may(action) or user.client is None:
        return None
    return user.client if user.client.state == Client.State.ACTIVE else None


def recent_login(view: MemberView[P]) -> MemberView[P]:
    """Ask once more for the password or second factor when the last proof is older than five minutes."""
    decorated: MemberView[P] = reauthentication_required(view)
    return decorated


def _note_refusal(request: MemberRequest, action: str) -> None:
    """Tell the owners, by the history, that a colleague tried a door that is not theirs: once a day and page."""
    user = request.user
    page, _, _ = action.partition(".")
    if user.client and cache.add(f"refused:{user.pk}:{page}", 1, int(_REFUSAL_RECORDED_FOR.total_seconds())):
        client_log.record("users.refused", client=user.client, by=user, request=request, detail={"page": page})


def _closed(request: HttpRequest, client: Client) -> HttpResponse:
    return render(request, "accounts/closed.html", {"state": client.state, "since": client.suspended_at}, status=403)
