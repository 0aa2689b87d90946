"""The cast of the tests, and how they come in.

Alice owns a client, Vera is her sub-user, Mallory owns another client, Sten is staff; a visitor has no account.
"""

from collections.abc import Sequence
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

from allauth.account.internal.flows.login import record_authentication
from django.core.cache import cache
from django.http import HttpRequest
from django.test import Client as Browser
from django.test import TestCase
from django.utils import timezone

from accounts import history
from accounts.models import Client, User
from apikeys import keys

if TYPE_CHECKING:
    from django.test.client import _MonkeyPatchedWSGIResponse

    Answer = _MonkeyPatchedWSGIResponse

PASSWORD = "correct horse battery staple 7"


class Visitor:
    """Somebody without an account, at an address of their own."""

    def __init__(self, address: str = "192.0.2.7", language: str = "en") -> None:
        self.browser = Browser(enforce_csrf_checks=True, REMOTE_ADDR=address, HTTP_ACCEPT_LANGUAGE=language)

    def opens(self, path: str = "/", **extra: Any) -> "Answer":
        """Return the answer to a visit."""
        return self.browser.get(path, **extra)

    def posts(self, path: str, fields: dict[str, Any] | None = None, **extra: Any) -> "Answer":
        """Return the answer to a form sent from a page that this visitor had opened."""
        if "csrftoken" not in self.browser.cookies:
            self.opens()
        token = self.browser.cookies["csrftoken"].value
        return self.browser.post(path, {"csrfmiddlewaretoken": token, **(fields or {})}, **extra)

    def checks(self, text: str, **extra: Any) -> "Answer":
        """Return the answer of the check page to one IBAN."""
        return self.posts("/", {"iban": text}, **extra)


class Person(Visitor):
    """Somebody with an account, signed in just now."""

    def __init__(self, user: User, address: str = "192.0.2.7") -> None:
        super().__init__(address)
        self.user = user
        self.browser.force_login(user)
        self.proves_themselves()

    def proves_themselves(self) -> None:
        """Count as having given the password just now, as allauth notes it."""
        request = HttpRequest()
        request.session = self.browser.session
        record_authentication(request, self.user, "password", reauthenticated=True)
        request.session.save()

    @property
    def client(self) -> Client:
        """The client this person belongs to."""
        assert self.user.client is not None
        return self.user.client

    def key(self, networks: Sequence[str] = (), **draft: Any) -> str:
        """Make a key with every scope and return its text; with `networks` it works from nowhere else."""
        wished = {
            "name": "Accounting",
            "scopes": ("validate", "tools", "bulk", "usage"),
            "expires_at": timezone.now() + timedelta(days=365),
            "any_address": not networks,
            "networks": tuple(networks),
            **draft,
        }
        _key, text = keys.create(self.client, keys.Draft(**wished), by=self.user)
        return text


class HouseTest(TestCase):
    """A test with the cast at hand and no limit counted before it begins."""

    databases = {"default", "keyring"}  # noqa: RUF012 - Django reads it from the class

    def setUp(self) -> None:
        cache.clear()
        self.visitor = Visitor()

    @cached_property
    def alice(self) -> Person:
        """Owns a client."""
        return self.person("alice@example.com", client=Client.objects.create(), role=User.Role.OWNER)

    @cached_property
    def vera(self) -> Person:
        """Is Alice's sub-user."""
        return self.person("vera@example.com", client=self.alice.client, role=User.Role.SUB_USER)

    @cached_property
    def mallory(self) -> Person:
        """Owns another client, and tries her luck."""
        return self.person("mallory@example.net", client=Client.objects.create(), role=User.Role.OWNER)

    @cached_property
    def sten(self) -> Person:
        """Works for the operator."""
        return self.person("sten@operator.example", is_staff=True)

    def person(self, email: str, **fields: Any) -> Person:
        """Bring in somebody else."""
        return Person(User.objects.create_user(email, PASSWORD, **{"language": "en", **fields}))

    def assert_recorded(self, tag: str, client: Client) -> None:
        """Fail unless the client's history has an entry of this tag."""
        tags = [entry.tag for entry in history.entries(client)]
        self.assertIn(tag, tags)
