"""Guards of the account pages: who may open one, and who must prove their identity once more."""

from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import Concatenate, Final, ParamSpec

from allauth.account.decorators import reauthentication_required
from django.contrib.auth.views import redirect_to_login
from django.core.cache import cache
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render

from accounts import audit, roles
from accounts.actor import Actor
from accounts.audit.events import AuditEvent
from accounts.models import Client, User
from accounts.permissions import Permission

P = ParamSpec("P")
_REFUSAL_RECORDED_FOR = timedelta(days=1)
_OPEN: Final[dict[str, frozenset[Permission]]] = {
    Client.State.CLOSING: roles.WHILE_CLOSING,
    Client.State.SUSPENDED: roles.WHILE_SUSPENDED,
}


class MemberRequest(HttpRequest):
    """A request of a signed-in user who belongs to a client."""

    user: User
    client: Client
    actor: Actor


MemberView = Callable[Concatenate[MemberRequest, P], HttpResponseBase]
View = Callable[Concatenate[HttpRequest, P], HttpResponseBase]


def allowed(permission: Permission) -> Callable[[MemberView[P]], View[P]]:
    """Let only users in whose role has the permission; the view gets `request.client` and `request.actor`.

    Visitors are sent to sign in, others get a 403; so do the users of a client that is not active, with a page that
    says so. While a client waits to be deleted or is suspended, its owners may do what roles.WHILE_CLOSING and
    roles.WHILE_SUSPENDED list.
    """

    def guard(view: MemberView[P]) -> View[P]:
        @wraps(view)
        def guarded(request: MemberRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            if not request.user.is_authenticated:
                return redirect_to_login(request.get_full_path())
            client = request.user.client
            if not request.user.may(permission) or client is None:
                _note_refusal(request, permission)
                raise PermissionDenied
            if client.state != Client.State.ACTIVE and permission not in _OPEN.get(client.state, frozenset()):
                context = {"state": client.state, "since": client.suspended_at}
                return render(request, "accounts/closed.html", context, status=403)
            request.client = client
            request.actor = Actor.of(request)
            return view(request, *args, **kwargs)

        guarded.permission = permission  # type: ignore[attr-defined]  # the walk of all pages and roles reads it
        return guarded  # type: ignore[return-value]  # a member's request is made of any request here

    return guard


def client_of(request: HttpRequest, permission: Permission) -> Client | None:
    """Return the active client of a signed-in user who has the permission: for pages that are public as well."""
    user = request.user
    if not isinstance(user, User) or not user.may(permission) or user.client is None:
        return None
    return user.client if user.client.state == Client.State.ACTIVE else None


def recent_login(view: MemberView[P]) -> MemberView[P]:
    """Ask once more for the password or second factor when the last proof is older than five minutes."""
    decorated: MemberView[P] = reauthentication_required(view)
    return decorated


def _note_refusal(request: MemberRequest, permission: Permission) -> None:
    """Record, once a day and page, that a member tried to open a page that is only for owners."""
    user = request.user
    page = permission.page
    if user.client and cache.add(f"refused:{user.pk}:{page}", 1, int(_REFUSAL_RECORDED_FOR.total_seconds())):
        audit.record(AuditEvent.PAGE_REFUSED, client=user.client, by=Actor.of(request), detail={"page": page})
