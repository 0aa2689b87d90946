"""Authentication by e-mail address, at the same cost for a known and an unknown one; permissions of staff by group."""

from typing import Any

from allauth.account.auth_backends import AuthenticationBackend
from django.conf import settings
from django.contrib.auth.models import Permission
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.models import Client, User


class EmailBackend(AuthenticationBackend):
    """allauth's backend with always one query: one or two would reveal whether the address is known.

    allauth also hashes the password when there is no user, and handles deactivated users.
    """

    def _authenticate(self, request: HttpRequest | None, **credentials: Any) -> User | None:
        email: str = credentials.get("email") or ""
        # A client that is being deleted has no users any more, even while their rows exist.
        user = User.objects.filter(email=email.lower()).exclude(client__state=Client.State.GONE).first()
        return user if self._check_password(user, credentials["password"]) else None

    def user_can_authenticate(self, user: Any) -> bool:
        """Return whether the user may sign in: superusers only on a developer's machine."""
        is_refused_superuser = isinstance(user, User) and user.is_superuser and not settings.EMBEDDED
        return not is_refused_superuser and bool(super().user_can_authenticate(user))

    def _get_user_permissions(self, user_obj: User) -> QuerySet[Permission]:
        """Permissions come from groups alone: see accounts/staff/groups.py."""
        return Permission.objects.none()

    def get_user(self, user_id: Any) -> User | None:
        """Return the signed-in user with their client: every page checks whether it is about to be deleted."""
        user = User.objects.select_related("client").filter(pk=user_id).first()
        return user if user is not None and self.user_can_authenticate(user) else None
