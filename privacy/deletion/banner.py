"""The banner shown on every page while an account is scheduled for deletion."""

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from accounts.models import Client, User
from privacy.deletion import requesting
from privacy.models import DeletionRequest


def banner(request: HttpRequest) -> dict[str, object]:
    """Return the confirmed deletion of the signed-in user's account; lazy, since most pages do not need the query."""
    return {"closing": SimpleLazyObject(lambda: _closing(request))}


def _closing(request: HttpRequest) -> DeletionRequest | None:
    user = getattr(request, "user", None)
    if not isinstance(user, User) or user.client is None or user.client.state != Client.State.CLOSING:
        return None
    return requesting.deletion_of(user.client)
