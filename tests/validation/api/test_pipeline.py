"""The pipeline: request ids, what every response has, and what a call leaves nowhere."""

import io
import logging
import random
import re
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch
from uuid import uuid4
from wsgiref.validate import validator

import pytest
from django.db import connection
from django.test import Client

from accounts.guard import blocks
from apikeys import tokens
from apikeys.limits import quota
from apikeys.models import KeyUsageDay
from ibanse import api_gate
from privacy import vault
from tests.base import BaseTest, connections_stay_open, site
from tests.validation.api.test_problems import PRODUCED
from validation.api import pipeline
from validation.api.pipeline import ApiRequest, respond
from validation.recording import writer
from validation.recording.spool import SpoolFull

VALIDATE = "/api/v1/validate"
BATCH = "/api/v1/validate/batch"
CANARY = "SE4550000000058398257466"
IBAN = {"iban": CANARY}


class RequestIdTests(BaseTest):
    def test_the_callers_id_comes_back(self) -> None:
        key = self.alice.key()
        for name in ("a", "A-1.b_c:d", "0" * 128, "0191f2c4-7c3e-7a3a-9f0e-1b2c3d4e5f60"):
            with self.subTest(name=name[:40]):
                right = self.calls(key, VALIDATE, IBAN, HTTP_X_REQUEST_ID=name)
                wrong = self.calls(None, VALIDATE, IBAN, HTTP_X_REQUEST_ID=name)
                health = self.calls(None, "/health/live", method="GET", HTTP_X_REQUEST_ID=name)

                self.assertEqual(right["X-Request-Id"], name)
                self.assertEqual(self.assert_problem(wrong, "key_missing", 401)["request_id"], name)
                self.assertEqual(health["X-Request-Id"], name)

    def test_any_other_id_is_replaced(self) -> None:
        for name in (
            None,
            "",
            " ",
            "a b",
            "a\n",
            "a\r\nSet-Cookie: x=1",
            "0" * 129,
            "\xe5",
            "٣",
            "ａ",
            "a\x00",
            "<script>",
            "${jndi:ldap://x}",
            "%n",
            "a,a",
            "/",
            '"',
        ):
            with self.subTest(name=name):
                response = self.calls(None, VALIDATE, IBAN, HTTP_X_REQUEST_ID=name)

                problem = self.assert_problem(response, "key_missing", 401)
                self.assertRegex(problem["request_id"], r"\A[0-9a-f]{32}\Z")

    def test_ids_are_unique(self) -> None:
        names = {self.calls(None, VALIDATE)["X-Request-Id"] for _ in range(100)}

        self.assertEqual(len(names), 100)


class ResponseHeaderTests(BaseTest):
    def test_a_response_has_nothing_for_browsers(self) -> None:
        key = self.alice.key(rate_per_minute=100)
        response = self.calls(key, VALIDATE, IBAN)

        self.assertEqual(
            set(response.headers),
            {
                "Content-Type",
                "Content-Length",
                "Cache-Control",
                "X-Request-Id",
                "X-Content-Type-Options",
                "RateLimit-Policy",
                "RateLimit",
            },
        )
        self.assertEqual(response["RateLimit-Policy"], '"minute";q=100;w=60')
        self.assertEqual(response["RateLimit"], '"minute";r=9;t=1')

    def test_the_rate_is_counted_down(self) -> None:
        key = self.alice.key(rate_per_minute=100)
        left = []
        for _ in range(10):
            match = re.search(r"r=(\d+)", self.calls(key, VALIDATE, IBAN)["RateLimit"])
            assert match
            left.append(int(match[1]))

        self.assertEqual(left, sorted(left, reverse=True))
        self.assertLess(left[-1], 2)

    def test_a_call_may_turn_logging_off(self) -> None:
        key = self.alice.key()
        for value in ("1", "0", "", "yes", "x" * 8000, "\xff"):
            self.assertEqual(self.calls(key, VALIDATE, IBAN, HTTP_X_NO_LOG=value).status_code, 200)


class GateTests(BaseTest):
    def test_the_gate_conforms_to_wsgi(self) -> None:
        """PEP 3333, as Python's own validator reads it."""
        key = self.alice.key()
        strict = validator(site())
        for method, path, token, body in (
            ("POST", VALIDATE, key, b'{"iban": "x"}'),
            ("POST", VALIDATE, None, b"{}"),
            ("POST", VALIDATE, key, b"\xff"),
            ("HEAD", "/api/v1/countries", key, b""),
            ("GET", "/api/v1/nothing", None, b""),
            ("GET", "/health/ready", None, b""),
        ):
            environ = {
                "REQUEST_METHOD": method,
                "SCRIPT_NAME": "",
                "PATH_INFO": path,
                "QUERY_STRING": "",
                "REMOTE_ADDR": "192.0.2.7",
                "SERVER_NAME": "localhost",
                "SERVER_PORT": "8000",
                "SERVER_PROTOCOL": "HTTP/1.1",
                "CONTENT_TYPE": "application/json",
                "CONTENT_LENGTH": str(len(body)),
                "wsgi.version": (1, 0),
                "wsgi.url_scheme": "http",
                "wsgi.input": io.BytesIO(body),
                "wsgi.errors": sys.stderr,
                "wsgi.multithread": True,
                "wsgi.multiprocess": False,
                "wsgi.run_once": False,
                **({"HTTP_AUTHORIZATION": f"Bearer {token}"} if token else {}),
            }
            with self.subTest(method=method, path=path), connections_stay_open():
                response = strict(environ, lambda _status, _headers, _failure=None: lambda _written: None)
                b"".join(response)
                response.close()  # type: ignore[attr-defined]  # the validator's own iterator, which insists on it

    def test_djangos_handler_leads_to_the_same_pipeline(self) -> None:
        key = self.alice.key()
        program = Client(headers={"Authorization": f"Bearer {key}", "X-Request-Id": "same"}, REMOTE_ADDR="192.0.2.7")

        by_handler = program.post(VALIDATE, IBAN, content_type="application/json")
        by_gate = self.calls(key, VALIDATE, IBAN, HTTP_X_REQUEST_ID="same")
        self.assertEqual(by_handler.content, by_gate.content)
        self.assertEqual(set(by_handler.headers), set(by_gate.headers))

        refused = program.post("/api/v1/nothing", IBAN, content_type="application/json")
        self.assert_problem(refused, "not_found", 404)

    def test_a_page_is_left_to_django(self) -> None:
        with patch.object(api_gate, "respond", side_effect=AssertionError("called for a page")):
            response = self.calls(None, "/", method="GET")

        self.assertEqual(response.status_code, 200)
        self.assertTrue(response["Content-Type"].startswith("text/html"))

    def test_an_api_call_touches_no_session_and_sets_no_cookie(self) -> None:
        response = self.calls(self.alice.key(), VALIDATE, IBAN, HTTP_COOKIE="session=x; csrftoken=y; language=sv")

        self.assertEqual(response.status_code, 200)
        self.assertNotIn("Set-Cookie", response)
        self.assertNotIn("Vary", response)


class PipelineTests(BaseTest):
    def test_it_works_without_a_django_request(self) -> None:
        headers = {"HTTP_AUTHORIZATION": f"Bearer {self.alice.key()}", "CONTENT_TYPE": "application/json"}
        body = io.BytesIO(b'{"iban": "x"}')

        response = respond(ApiRequest("POST", VALIDATE, headers, "192.0.2.7", body, is_secure=True))

        self.assertEqual(response.status, 200)
        self.assertEqual(response.headers["Content-Length"], str(len(response.body)))

    def test_it_never_raises(self) -> None:
        """Half-right calls in great number, always the same ones: each gets a response below 500."""
        chance = random.Random(4)
        key = self.alice.key(rate_per_minute=10_000_000)
        pieces = (
            *(
                b'{"iban":',
                b'{"ibans":[',
                b'{"text":',
                b'"',
                b"}",
                b"]",
                b",",
                b":",
                b"[",
                b"{",
                b"\\",
                b"\\u",
                b"ud800",
            ),
            *(b"DE89", b"370400440532013000", b"?", b" ", b"\x00", b"\xff", b"\xc3\xa5", b"1e9", b"null", b"NaN", b"-"),
        )
        paths = (VALIDATE, BATCH, "/api/v1/calculate", "/api/v1/recover", "/api/v1/extract")
        for number in range(800):
            body = b"".join(chance.choices(pieces, k=chance.randrange(12)))
            if number % 2:
                text = "".join(chance.choices('DE89370400 ?-\x00åſ\u200b😀\\"', k=chance.randrange(40)))
                path, shape = chance.choice(
                    [(VALIDATE, "iban"), ("/api/v1/recover", "iban"), ("/api/v1/extract", "text")]
                )
                response = self.calls(key, path, {shape: text})
            else:
                response = self.calls(key, chance.choice(paths), body)
            self.assertLess(response.status_code, 500, body)
            response.json()

    def test_a_call_that_is_not_recorded_is_not_charged(self) -> None:
        self.alice.client.monthly_quota = 1
        self.alice.client.save()
        key = self.alice.key()
        for place, name, error in ((writer, "put", SpoolFull), (pipeline, "build_record", vault.NoKey)):
            with (
                self.subTest(name),
                patch.object(place, name, side_effect=error),
                self.assertLogs("validation.api.pipeline", "ERROR"),
            ):
                for _ in range(3):
                    self.assert_problem(self.calls(key, VALIDATE, IBAN), "unavailable", 503)

        self.assertEqual(self.calls(key, VALIDATE, IBAN).status_code, 200)
        self.assert_problem(self.calls(key, VALIDATE, IBAN), "quota_exhausted", 429)


@pytest.mark.claim("kept_when_off")
class LeakTests(BaseTest):
    """What was checked, and the key it was checked with, are in no log, no spool and no table."""

    def test_no_log_of_any_level_holds_an_iban_or_a_key(self) -> None:
        key = self.alice.key(rate_per_minute=1_000_000)
        wrong = tokens.mint(is_test=False).text
        root = logging.getLogger()
        output = io.StringIO()
        listener = logging.StreamHandler(output)
        listener.setLevel(logging.DEBUG)
        level = root.level
        root.addHandler(listener)
        root.setLevel(logging.DEBUG)
        django_level = logging.getLogger("django").level
        logging.getLogger("django").setLevel(logging.INFO)  # Below that it writes SQL, which a test database does.
        try:
            for token in (key, wrong, f"{key}x", None):
                self.calls(token, VALIDATE, IBAN)
                self.calls(token, VALIDATE, {"iban": f"x{CANARY}x"})
                self.calls(token, VALIDATE, {CANARY: 1})
                self.calls(token, VALIDATE, f'{{"iban": "{CANARY}'.encode())
                self.calls(token, BATCH, {"ibans": [CANARY, 1]})
                self.calls(token, "/api/v1/recover", {"iban": f"{CANARY[:-1]}?"})
                self.calls(token, "/api/v1/extract", {"text": f"Pay {CANARY}"})
                self.calls(token, f"{VALIDATE}/{CANARY}", IBAN)
                self.calls(token, f"/api/v1/countries/{CANARY}", method="GET")
                self.calls(token, VALIDATE, IBAN, QUERY_STRING=f"iban={CANARY}&key={key}")
                self.calls(token, VALIDATE, IBAN, HTTP_X_REQUEST_ID=CANARY, HTTP_USER_AGENT=CANARY)
            for produced in PRODUCED.values():
                produced(self)
                blocks.unblock("192.0.2.7")
        finally:
            root.removeHandler(listener)
            root.setLevel(level)
            logging.getLogger("django").setLevel(django_level)

        self.assert_clean(output.getvalue().encode(), key, wrong)

    def test_the_spool_holds_counts_and_neither_an_iban_nor_a_key(self) -> None:
        key = self.alice.key()
        folder = Path(self.enterContext(TemporaryDirectory()))
        ours = writer.Writer(folder)  # Not started: what is put stays in the file.
        self.addCleanup(quota.hold_as, uuid4())
        with patch.object(writer, "_writer", ours):
            self.calls(key, VALIDATE, IBAN)
            self.calls(key, BATCH, {"ibans": [CANARY, "wrong"]})
            self.calls(key, "/api/v1/extract", {"text": f"Pay {CANARY}"})

        [spooled] = [path.read_bytes() for path in folder.iterdir()]
        self.assertEqual(spooled.count(b"\n"), 3)
        self.assert_clean(spooled, key)

    def test_no_table_holds_an_iban_or_a_key(self) -> None:
        key = self.alice.key()
        self.calls(key, VALIDATE, IBAN)
        self.calls(key, BATCH, {"ibans": [CANARY, "wrong"]})
        self.assertEqual(KeyUsageDay.objects.get().calls, 2)

        with connection.cursor() as cursor:
            for table in connection.introspection.table_names(cursor):
                cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
                self.assert_clean(repr([[_plain(value) for value in row] for row in cursor]).encode(), key)

    def assert_clean(self, content: bytes, *keys: str) -> None:
        self.assertNotIn(CANARY.encode(), content)
        self.assertNotIn(CANARY[4:20].encode(), content)
        for key in keys:
            secret = key.rsplit("_", 1)[1]
            self.assertNotIn(secret.encode(), content)
            self.assertNotIn(secret[:20].encode(), content)


def _plain(value: object) -> object:
    return bytes(value) if isinstance(value, memoryview) else value
