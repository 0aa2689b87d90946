"""The sign-in pages do not reveal who has an account: responses cost and look the same."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from unittest import mock

import pytest
from django.contrib.auth.hashers import MD5PasswordHasher
from django.core import mail
from django.core.cache import cache
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext

from accounts.auth import sessions
from accounts.models import User
from privacy import vault
from tests.base import Visitor
from tests.support.entrance import SIGN_UP, SignInTest, plain

pytestmark = pytest.mark.claim("sign_in_is_silent")

KNOWN, UNKNOWN = "known@example.com", "other@example.com"
Visit = Callable[[Visitor, str], None]


@dataclass(frozen=True)
class Seen:
    """Everything by which an outsider could tell two responses apart."""

    responses: tuple[tuple[int, str, str, str], ...]
    hashes: int
    queries: tuple[str, ...]
    mails: int


class EnumerationTests(SignInTest):
    def setUp(self) -> None:
        super().setUp()
        # Whoever comes first in a worker's minute opens the sessions' data key, known or not.
        vault.seal(sessions.OWNER, "", purpose="session", record="first")
        self.user = self.member(KNOWN)
        # Opens the key of all sessions, which the first request of a minute pays for, known or not.
        self.send(Visitor(), "/sign-in/forgotten/", {"email": "first@example.com"})

    def seen(self, email: str, *visits: tuple[str, dict[str, str]]) -> Seen:
        """Return what there is to see when somebody sends these forms, with `email` for every `@`."""
        cache.clear()
        mail.outbox.clear()
        who, responses = Visitor(), []
        who.opens("/sign-in/")
        with (
            mock.patch.object(
                MD5PasswordHasher, "encode", autospec=True, side_effect=MD5PasswordHasher.encode
            ) as hashes,
            CaptureQueriesContext(connection) as ours,
            CaptureQueriesContext(connections["keyring"]) as keys,
        ):
            for path, fields in visits:
                response = self.send(who, path, {name: value.replace("@", email) for name, value in fields.items()})
                page = who.opens(response.headers["Location"]) if response.status_code == 302 else response
                responses.append(
                    (response.status_code, response.headers.get("Location", ""), plain(page.content, email), "")
                )
        queries = tuple(shape(query["sql"]) for query in (*ours.captured_queries, *keys.captured_queries))
        return Seen(tuple(responses), hashes.call_count, queries, len(mail.outbox))

    def assert_alike(self, *visits: tuple[str, dict[str, str]]) -> Seen:
        """Fail unless a known and an unknown e-mail address look the same; return the responses."""
        known, unknown = self.seen(KNOWN, *visits), self.seen(UNKNOWN, *visits)
        self.assertEqual(known.responses, unknown.responses)
        self.assertEqual(known.queries, unknown.queries)
        self.assertEqual((known.hashes, known.mails), (unknown.hashes, unknown.mails))
        return known

    def test_sign_in_reveals_nothing(self) -> None:
        seen = self.assert_alike(("/sign-in/", {"login": "@", "password": "a wrong password"}))

        self.assertEqual((seen.hashes, seen.mails), (1, 0))

    def test_sign_in_reveals_no_deactivated_user(self) -> None:
        for fields in ({"is_active": False}, {"password": "!"}):
            User.objects.filter(pk=self.user.pk).update(**fields)
            seen = self.assert_alike(("/sign-in/", {"login": "@", "password": "a wrong password"}))
            self.assertEqual(seen.hashes, 1)

    def test_sign_up_reveals_nothing(self) -> None:
        seen = self.assert_alike(("/sign-up/", {**SIGN_UP, "email": "@"}))

        self.assertEqual((seen.hashes, seen.mails), (1, 1))

    def test_sign_up_codes_reveal_nothing(self) -> None:
        wrong = ("/sign-up/code/", {"code": "BBBB-BBBB"})
        self.assert_alike(("/sign-up/", {**SIGN_UP, "email": "@"}), *[wrong] * 5, ("/sign-up/code/", {"resend": "1"}))

    def test_another_code_reveals_nothing(self) -> None:
        seen = self.assert_alike(("/sign-up/", {**SIGN_UP, "email": "@"}), ("/sign-up/code/", {"resend": "1"}))

        self.assertEqual(seen.mails, 2)

    def test_a_password_reset_reveals_nothing(self) -> None:
        seen = self.assert_alike(("/sign-in/forgotten/", {"email": "@"}))

        self.assertEqual((seen.hashes, seen.mails), (0, 1))

    def test_password_reset_codes_reveal_nothing(self) -> None:
        wrong = ("/sign-in/forgotten/code/", {"code": "BBBB-BBBB"})
        self.assert_alike(("/sign-in/forgotten/", {"email": "@"}), *[wrong] * 3)

    def test_the_limits_count_alike(self) -> None:
        wrong = ("/sign-in/", {"login": "@", "password": "a wrong password"})
        self.assert_alike(*[wrong] * 7)
        self.assert_alike(*[("/sign-in/forgotten/", {"email": "@"})] * 7)
        self.assert_alike(*[("/sign-up/", {**SIGN_UP, "email": "@"})] * 7)


def shape(sql: str) -> str:
    """Return a statement without its values."""
    sql = re.sub(r'SAVEPOINT "\w+"', "SAVEPOINT", sql)
    return re.sub(r"'(?:[^']|'')*'|\b[0-9a-f]{32}\b|\b\d+\b", "?", sql)
