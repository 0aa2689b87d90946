"""Looks a user up by e-mail address, at the same cost whether or not there is one. Staff may what their groups may."""

from typing import Any

from allauth.account.auth_backends import AuthenticationBackend
from django.conf import settings
from django.contrib.auth.models import Permission
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.models import Client, User


class EmailBackend(AuthenticationBackend):
    """allauth's backend with one query in place of one or two: the number would tell a known address.

    allauth hashes the password of a stranger as well, and knows what to do with somebody who is deactivated.
    """

    def _authenticate(self, request: HttpRequest | None, **credentials: Any) -> User | None:
        email: str = credentials.get("email") or ""
        # Whoever is being deleted is not there any more, also while their rows still are.
        user = User.objects.filter(email=email.lower()).exclude(client__state=Client.State.GONE).first()
        return user if self._check_password(user, credentials["password"]) else None

    def user_can_authenticate(self, user: Any) -> bool:
        """Return whether somebody may be signed in: nobody who may do everything, but on a developer's machine."""
        too_mighty = isinstance(user, User) and user.is_superuser and not settings.EMBEDDED
        return not too_mighty and bool(super().user_can_authenticate(user))

    def _get_user_permissions(self, user_obj: User) -> QuerySet[Permission]:
        """Rights come from groups alone: see accounts/staff/groups.py."""
        return Permission.objects.none()

    def get_user(self, user_id: Any) -> User | None:
        """Return who is signed in, with their client: every page asks whether it waits to be deleted."""
        user = User.objects.select_related("client").filter(pk=user_id).first()
        return user if user is not None and self.user_can_authenticate(user) else None
