"""Who acts: made from a request, or for a command, and handed down into the rules, which know no HTTP."""

from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.http import HttpRequest

from accounts.errors import Refusal
from accounts.guard import addresses
from accounts.models import Client, User
from accounts.permissions import Permission


@dataclass(frozen=True, slots=True)
class Actor:
    """A signed-in user, a visitor (without a user) or the service itself (SYSTEM), and where they act from."""

    user: User | None = None
    ip_address: str = ""
    """In the canonical form of guard.addresses; empty when there is none, or it is not known."""
    session: str = field(default="", repr=False)
    """The key of the browser's session: a secret, so it is in no log line."""
    is_system: bool = False

    @classmethod
    def of(cls, request: HttpRequest, *, user: User | None = None) -> "Actor":
        """Return who sent the request; `user` during a sign-in, before `request.user` is set."""
        signed_in = getattr(request, "user", None)
        session = getattr(request, "session", None)
        return cls(
            user=user or (signed_in if isinstance(signed_in, User) else None),
            ip_address=_ip_address(request),
            session=(session.session_key or "") if session is not None else "",
        )

    @property
    def signed_in(self) -> User:
        """The user, for rules that only a signed-in user reaches. Raises PermissionDenied when there is none."""
        if self.user is None:
            raise PermissionDenied
        return self.user

    @property
    def pk(self) -> UUID | None:
        """The user's id, as the audit log stores it."""
        return self.user.pk if self.user else None

    @property
    def email(self) -> str:
        """The user's e-mail address, empty without a user."""
        return self.user.email if self.user else ""

    @property
    def client(self) -> Client | None:
        """The client to which the user belongs."""
        return self.user.client if self.user else None

    @property
    def role(self) -> str:
        """The user's role in that client, empty without one."""
        return self.user.role if self.user else ""

    def lock(self, client: Client, permission: Permission) -> Client:
        """Lock the client for an action of this actor and return it as it is now.

        Raises Refusal `no_longer_owner` when they have lost the permission since the page was opened.
        """
        client = Client.objects.lock(client)
        if not self.still_may(permission, client):
            raise Refusal("no_longer_owner")
        return client

    def still_may(self, permission: Permission, client: Client) -> bool:
        """Return whether the database permits it at this moment; the service itself may do all.

        Call it while the client is locked and before anything is changed.
        """
        if self.is_system:
            return True
        user = client.users.filter(pk=self.pk).first() if self.pk else None
        return user is not None and user.may(permission)


SYSTEM: Final = Actor(is_system=True)
"""The service itself: commands, timers, and the operator towards a client."""


def _ip_address(request: HttpRequest) -> str:
    try:
        return addresses.caller(request)
    except SuspiciousOperation:  # The action goes on all the same; the log says that its address is unknown.
        return ""
