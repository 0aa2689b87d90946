"""What stands on top of every page while an account waits to be deleted."""

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from accounts.models import Client, User
from privacy.deletion import requesting
from privacy.models import DeletionRequest


def banner(request: HttpRequest) -> dict[str, object]:
    """Return the deletion of the account of who is signed in, once it is confirmed; nothing is looked up before."""
    return {"closing": SimpleLazyObject(lambda: _closing(request))}


def _closing(request: HttpRequest) -> DeletionRequest | None:
    user = getattr(request, "user", None)
    if not isinstance(user, User) or user.client is None or user.client.state != Client.State.CLOSING:
        return None
    return requesting.of(user.client)
