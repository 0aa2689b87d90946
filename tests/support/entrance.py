"""Helpers for tests of sign-in: forms with their mails, and codes read from the mailbox."""

import re
from typing import TYPE_CHECKING, Any

from allauth.account.models import EmailAddress
from django.core import mail

from accounts.models import Client, User
from tests.base import PASSWORD, BaseTest, Visitor

if TYPE_CHECKING:
    from tests.base import PageResponse

CODE = re.compile(r"\b[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}\b")
NEW_PASSWORD = "four wild geese over Skåne"
SIGN_UP = {
    "email": "nora@newcomer.example",
    "company": "Newcomer AB",
    "password1": NEW_PASSWORD,
    "password2": NEW_PASSWORD,
    "terms": "on",
}


def plain(page: bytes, email: str) -> str:
    """Return a page without its random parts: the CSRF token and the typed e-mail address."""
    text = page.decode().replace(email, "@")
    return re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", text)


class SignInTest(BaseTest):
    """A test of sign-in pages, whose mails are sent as after a commit."""

    def send(self, who: Visitor, path: str, fields: dict[str, Any] | None = None, **extra: Any) -> "PageResponse":
        """Send a form and its mails."""
        with self.captureOnCommitCallbacks(execute=True):
            return who.posts(path, fields, **extra)

    def sign_in(self, who: Visitor, email: str, password: str = PASSWORD, **fields: str) -> "PageResponse":
        """Sign in by the form."""
        return self.send(who, "/sign-in/", {"login": email, "password": password, **fields})

    def member(self, email: str, **fields: Any) -> User:
        """Create a user with a verified e-mail address, not signed in."""
        fields = fields or {"client": Client.objects.create(), "role": User.Role.OWNER}
        user = User.objects.create_user(email, PASSWORD, **fields)
        EmailAddress.objects.create(user=user, email=email, verified=True, primary=True)
        return user

    def enter(self, user: User, ip_address: str = "192.0.2.7") -> Visitor:
        """Return a visitor who has just signed in by the form, and so need not reauthenticate."""
        who = Visitor(ip_address)
        self.assertEqual(self.sign_in(who, user.email).status_code, 302)
        self.assert_in(who)
        return who

    def code_for(self, email: str) -> str:
        """Return the code of the latest mail to this e-mail address."""
        message = [message for message in mail.outbox if message.to == [email]][-1]
        found = CODE.search(str(message.body))
        assert found, message.body
        return found.group()

    def assert_in(self, who: Visitor) -> None:
        """Fail unless this browser is signed in."""
        self.assertEqual(who.opens("/account/sessions/").status_code, 200)

    def assert_out(self, who: Visitor) -> None:
        """Fail unless this browser has to sign in."""
        response = who.opens("/account/sessions/")
        self.assertRedirects(response, "/sign-in/?next=/account/sessions/", fetch_redirect_response=False)

    def assert_tags(self, user: User, *tags: str) -> None:
        """Fail unless the client's audit log ends with these events."""
        assert user.client is not None
        recorded = list(user.client.history.order_by("number").values_list("tag", flat=True))
        self.assertEqual(tuple(recorded[-len(tags) :]), tags)
