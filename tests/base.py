"""The cast of the tests, and how they come in.

Alice owns a client, Vera is her sub-user, Mallory owns another client, Sten is staff; a visitor has no account.
Staff in a group of the back-office come in by `HouseTest.staff`.
A client's program comes in through the API: see `HouseTest.calls`.
"""

import io
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any
from unittest.mock import patch
from uuid import uuid4

from allauth.account.internal.flows.login import record_authentication
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib.auth.models import Group
from django.core.cache import cache as counters
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.test import Client as Browser
from django.test import TestCase
from django.utils import timezone

from accounts.actor import Actor
from accounts.audit import client_log
from accounts.models import Client, User
from accounts.staff import groups as staff_groups
from apikeys import keys
from apikeys.problems import KINDS
from ibanse.api_gate import in_front_of

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication
    from django.test.client import _MonkeyPatchedWSGIResponse

    Answer = _MonkeyPatchedWSGIResponse

PASSWORD = "correct horse battery staple 7"


@cache
def site() -> "WSGIApplication":
    """The site as a server has it: the gate of the API in front of Django's handler."""
    return in_front_of(WSGIHandler())


@contextmanager
def connections_stay_open() -> Iterator[None]:
    """Let go of no database at the end of a call: the test's transaction lives on it. Django's test client does so."""
    ends = (request_started, request_finished)
    for signal in ends:
        signal.disconnect(close_old_connections)
    try:
        with patch("ibanse.api_gate._release_databases"):
            yield
    finally:
        for signal in ends:
            signal.connect(close_old_connections)


class ApiAnswer(HttpResponse):
    """What a program gets."""

    def json(self) -> Any:
        """Return the body, read as JSON."""
        return json.loads(self.content)


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

    def proves_themselves(self, method: str = "password") -> None:
        """Count as having given the password (or, with `mfa`, the second factor) just now, as allauth notes it."""
        request = HttpRequest()
        request.session = self.browser.session
        record_authentication(request, self.user, method, reauthenticated=True)
        request.session.save()

    @property
    def actor(self) -> Actor:
        """This person, as rules take who acts."""
        return Actor(self.user)

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
        _key, text = keys.create(self.client, keys.Draft(**wished), by=self.actor)
        return text


class BaseTest(TestCase):
    """A test with the cast at hand and no limit counted before it begins."""

    databases = {"default", "keyring"}

    def setUp(self) -> None:
        counters.clear()
        self.visitor = Visitor()

    @cached_property
    def alice(self) -> Person:
        """Owns a client."""
        return self.person("alice@example.com", client=Client.objects.create(), role=User.Role.OWNER)

    @cached_property
    def vera(self) -> Person:
        """Is Alice's sub-user."""
        return self.person("vera@example.com", client=self.alice.client, role=User.Role.MEMBER)

    @cached_property
    def mallory(self) -> Person:
        """Owns another client, and tries her luck."""
        return self.person("mallory@example.net", client=Client.objects.create(), role=User.Role.OWNER)

    @cached_property
    def sten(self) -> Person:
        """Works for the operator."""
        return self.person("sten@operator.example", is_staff=True)

    def staff(self, *groups: str, address: str = "192.0.2.7") -> Person:
        """Bring in somebody of these groups of the operator, signed in with a second factor just now."""
        if not Group.objects.exists():
            staff_groups.sync()
        user = User.objects.create_user(f"{uuid4().hex[:8]}@operator.example", PASSWORD, is_staff=True, language="en")
        user.groups.set(Group.objects.filter(name__in=groups))
        Authenticator.objects.create(user=user, type=Authenticator.Type.TOTP, data={"secret": "x"})
        person = Person(user, address)
        person.proves_themselves("mfa")
        return person

    def person(self, email: str, **fields: Any) -> Person:
        """Bring in somebody else."""
        return Person(User.objects.create_user(email, PASSWORD, **{"language": "en", **fields}))

    def calls(
        self, token: str | None, path: str, body: object = None, *, method: str = "POST", **sent: Any
    ) -> "ApiAnswer":
        """Return what a client's program gets that calls the API with a key, through the gate as under a server.

        The body goes as JSON, bytes as they are, and what has a `read` as the stream itself, without a length.
        `address` is the caller's; what else is `sent` is named as in CGI, and None takes a header away:
        `HTTP_ACCEPT_LANGUAGE="sv"`, `CONTENT_TYPE=None`.
        """
        is_stream = body is None or hasattr(body, "read")
        raw = body if isinstance(body, bytes) else b"" if is_stream else json.dumps(body).encode()
        environ = {
            "REQUEST_METHOD": method,
            "SCRIPT_NAME": "",
            "PATH_INFO": path,
            "QUERY_STRING": "",
            "REMOTE_ADDR": sent.pop("address", "192.0.2.7"),
            "SERVER_NAME": "localhost",
            "SERVER_PORT": "8000",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "CONTENT_TYPE": "application/json" if body is not None else None,
            "CONTENT_LENGTH": None if is_stream else str(len(raw)),
            "HTTP_HOST": "localhost",
            "HTTP_AUTHORIZATION": f"Bearer {token}" if token else None,
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": body if hasattr(body, "read") else io.BytesIO(raw),
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
            **sent,
        }
        given = {name: value for name, value in environ.items() if value is not None}
        started: list[tuple[str, list[tuple[str, str]]]] = []

        def start(status: str, headers: list[tuple[str, str]], _failure: object = None, /) -> Callable[[bytes], object]:
            started.append((status, headers))
            return lambda _written: None

        with connections_stay_open():
            answered = site()(given, start)
            content = b"".join(answered)
            if isinstance(answered, HttpResponseBase):
                answered.close()
        [(status, headers)] = started
        return ApiAnswer(content, status=int(status[:3]), headers=dict(headers))

    def assert_problem(self, response: "Answer | ApiAnswer", code: str, status: int) -> dict[str, Any]:
        """Fail unless the answer is exactly this Problem, with everything that each of them has; return it."""
        problem: dict[str, Any] = json.loads(response.content)
        self.assertEqual((problem["code"], problem["status"], response.status_code), (code, status, status), problem)
        self.assertEqual(list(problem), ["type", "title", "status", "code", "detail", "request_id"])
        self.assertEqual(problem["type"], f"{settings.SITE_URL}/api/docs/#{code}")
        self.assertEqual(KINDS[code].status, status)
        self.assertTrue(problem["title"])
        self.assertEqual(problem["request_id"], response["X-Request-Id"])
        self.assertEqual(response["Content-Type"], "application/problem+json")
        self.assertEqual(response["Cache-Control"], "no-store")
        return problem

    def assert_recorded(self, tag: str, client: Client) -> None:
        """Fail unless the client's history has an entry of this tag."""
        tags = [entry.tag for entry in client_log.entries(client)]
        self.assertIn(tag, tags)
