"""The test case of most tests, with the people in them.

Alice owns a client, Vera is a member of it, Mallory owns another client, Sten is staff; a visitor has no account.
`BaseTest.staff` makes staff in groups of the back-office, `BaseTest.calls` sends what a client's program sends.
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

    PageResponse = _MonkeyPatchedWSGIResponse

PASSWORD = "correct horse battery staple 7"


@cache
def site() -> "WSGIApplication":
    """Return the site as a server runs it: the gate of the API in front of Django's handler."""
    return in_front_of(WSGIHandler())


@contextmanager
def connections_stay_open() -> Iterator[None]:
    """Close no connection at the end of a call: the test's transaction is on it. Django's test client does the same."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    try:
        with patch("ibanse.api_gate._release_databases"):
            yield
    finally:
        for signal in signals:
            signal.connect(close_old_connections)


class CallResponse(HttpResponse):
    """A response of the API."""

    def json(self) -> Any:
        """Return the body, read as JSON."""
        return json.loads(self.content)


class Visitor:
    """A person without an account, with their own IP address."""

    def __init__(self, ip_address: str = "192.0.2.7", language: str = "en") -> None:
        self.browser = Browser(enforce_csrf_checks=True, REMOTE_ADDR=ip_address, HTTP_ACCEPT_LANGUAGE=language)

    def opens(self, path: str = "/", **extra: Any) -> "PageResponse":
        """Return the response to a GET request."""
        return self.browser.get(path, **extra)

    def posts(self, path: str, fields: dict[str, Any] | None = None, **extra: Any) -> "PageResponse":
        """Return the response to a form that this visitor sends from a page."""
        if "csrftoken" not in self.browser.cookies:
            self.opens()
        token = self.browser.cookies["csrftoken"].value
        return self.browser.post(path, {"csrfmiddlewaretoken": token, **(fields or {})}, **extra)

    def checks(self, text: str, **extra: Any) -> "PageResponse":
        """Return the response of the check page to one IBAN."""
        return self.posts("/", {"iban": text}, **extra)


class Person(Visitor):
    """A person with an account, signed in just now."""

    def __init__(self, user: User, ip_address: str = "192.0.2.7") -> None:
        super().__init__(ip_address)
        self.user = user
        self.browser.force_login(user)
        self.proves_themselves()

    def proves_themselves(self, method: str = "password") -> None:
        """Record a re-authentication by password (or, with `mfa`, by a second factor) just now, as allauth does."""
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
        """Make a key with every scope and return its text; with `networks` it works only from these."""
        fields = {
            "name": "Accounting",
            "scopes": ("validate", "tools", "bulk", "usage"),
            "expires_at": timezone.now() + timedelta(days=365),
            "any_address": not networks,
            "networks": tuple(networks),
            **draft,
        }
        _key, text = keys.create(self.client, keys.Draft(**fields), by=self.actor)
        return text


class BaseTest(TestCase):
    """A test with people at hand, which begins with all rate limits at zero."""

    databases = {"default", "keyring"}

    def setUp(self) -> None:
        counters.clear()
        self.visitor = Visitor()

    @cached_property
    def alice(self) -> Person:
        """Return the owner of a client."""
        return self.person("alice@example.com", client=Client.objects.create(), role=User.Role.OWNER)

    @cached_property
    def vera(self) -> Person:
        """Return a member of Alice's client."""
        return self.person("vera@example.com", client=self.alice.client, role=User.Role.MEMBER)

    @cached_property
    def mallory(self) -> Person:
        """Return the owner of another client, who attacks the first one."""
        return self.person("mallory@example.net", client=Client.objects.create(), role=User.Role.OWNER)

    @cached_property
    def sten(self) -> Person:
        """Return one of the operator's staff."""
        return self.person("sten@operator.example", is_staff=True)

    def staff(self, *groups: str, address: str = "192.0.2.7") -> Person:
        """Make one of the operator's staff in these groups, signed in with a second factor just now."""
        if not Group.objects.exists():
            staff_groups.sync()
        user = User.objects.create_user(f"{uuid4().hex[:8]}@operator.example", PASSWORD, is_staff=True, language="en")
        user.groups.set(Group.objects.filter(name__in=groups))
        Authenticator.objects.create(user=user, type=Authenticator.Type.TOTP, data={"secret": "x"})
        person = Person(user, address)
        person.proves_themselves("mfa")
        return person

    def person(self, email: str, **fields: Any) -> Person:
        """Make another person with an account."""
        return Person(User.objects.create_user(email, PASSWORD, **{"language": "en", **fields}))

    def calls(
        self, token: str | None, path: str, body: object = None, *, method: str = "POST", **sent: Any
    ) -> "CallResponse":
        """Return the response to a call of the API with a key, through the gate as under a server.

        The body is sent as JSON, bytes as they are, and an object with a `read` as a stream without a length.
        `address` is the caller's IP address; all else in `sent` is named as in CGI, and None removes a header:
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
        present = {name: value for name, value in environ.items() if value is not None}
        started: list[tuple[str, list[tuple[str, str]]]] = []

        def start(status: str, headers: list[tuple[str, str]], _failure: object = None, /) -> Callable[[bytes], object]:
            started.append((status, headers))
            return lambda _written: None

        with connections_stay_open():
            result = site()(present, start)
            content = b"".join(result)
            if isinstance(result, HttpResponseBase):
                result.close()
        [(status, headers)] = started
        return CallResponse(content, status=int(status[:3]), headers=dict(headers))

    def assert_problem(self, response: "PageResponse | CallResponse", code: str, status: int) -> dict[str, Any]:
        """Fail unless the response is exactly this Problem, with everything that each of them has; return it."""
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
        """Fail unless the client's audit log has an entry of this tag."""
        tags = [entry.tag for entry in client_log.entries(client)]
        self.assertIn(tag, tags)
