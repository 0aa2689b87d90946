"""The cast of the tests, and how they come in: a visitor at the door. Clients and users join with the client area."""

from typing import TYPE_CHECKING, Any

from django.core.cache import cache
from django.test import Client, TestCase

if TYPE_CHECKING:
    from django.test.client import _MonkeyPatchedWSGIResponse

    Answer = _MonkeyPatchedWSGIResponse


class Visitor:
    """Somebody without an account, at an address of their own."""

    def __init__(self, address: str = "192.0.2.7", language: str = "en") -> None:
        self.browser = Client(enforce_csrf_checks=True, REMOTE_ADDR=address, HTTP_ACCEPT_LANGUAGE=language)

    def opens(self, path: str = "/", **extra: Any) -> "Answer":
        """Return the answer to a visit."""
        return self.browser.get(path, **extra)

    def posts(self, path: str, fields: dict[str, Any], **extra: Any) -> "Answer":
        """Return the answer to a form sent from a page that this visitor had opened."""
        if "csrftoken" not in self.browser.cookies:
            self.opens()
        token = self.browser.cookies["csrftoken"].value
        return self.browser.post(path, {"csrfmiddlewaretoken": token, **fields}, **extra)

    def checks(self, text: str, **extra: Any) -> "Answer":
        """Return the answer of the check page to one IBAN."""
        return self.posts("/", {"iban": text}, **extra)


class HouseTest(TestCase):
    """A test with the cast at hand and no limit counted before it begins."""

    def setUp(self) -> None:
        cache.clear()
        self.visitor = Visitor()
