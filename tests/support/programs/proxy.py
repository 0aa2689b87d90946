"""What the tests of nginx need in the site behind it."""

from uuid import UUID

from allauth.account.models import EmailAddress

from accounts.models import Client, User
from apikeys.models import AllowedNetwork


def create_owner(password: str) -> None:
    """Make an owner whose e-mail is verified."""
    user = User.objects.create_user(
        "olga@ibanse.example", password, client=Client.objects.create(), role=User.Role.OWNER
    )
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)


def allow_loopback(key_id: str) -> None:
    """Let a key work from 127.0.0.2, which no form accepts: it is the server itself."""
    AllowedNetwork.objects.filter(key=UUID(key_id)).update(network="127.0.0.2/32")
