"""Every entry of the Problem table, each produced by a call through the gate."""

import re
from collections.abc import Callable
from unittest.mock import patch

import pytest
from django.db import OperationalError
from django.test import override_settings

from accounts.guard import blocks
from apikeys import problems, tokens
from apikeys.models import ApiKey
from tests.base import BaseTest, CallResponse
from validation.api.bodies import MAX_BODY_BYTES

VALIDATE = "/api/v1/validate"
IBAN = {"iban": "DE89370400440532013000"}


def invalid_request(test: BaseTest, **sent: str) -> CallResponse:
    return test.calls(test.alice.key(), VALIDATE, {}, **sent)


def key_missing(test: BaseTest, **sent: str) -> CallResponse:
    return test.calls(None, VALIDATE, IBAN, **sent)


def key_malformed(test: BaseTest, **sent: str) -> CallResponse:
    return test.calls("ibanse_live_0000000000", VALIDATE, IBAN, **sent)


def key_unknown(test: BaseTest, **sent: str) -> CallResponse:
    return test.calls(tokens.mint(is_test=False).text, VALIDATE, IBAN, **sent)


def address_blocked(test: BaseTest, **sent: str) -> CallResponse:
    blocks.block("192.0.2.7")
    return test.calls(test.alice.key(), VALIDATE, IBAN, **sent)


def address_not_allowed(test: BaseTest, **sent: str) -> CallResponse:
    return test.calls(test.alice.key(networks=["203.0.113.0/24"]), VALIDATE, IBAN, **sent)


def https_required(test: BaseTest, **sent: str) -> CallResponse:
    with override_settings(EMBEDDED=False, SECURE_PROXY_SSL_HEADER=("HTTP_X_FORWARDED_PROTO", "https")):
        return test.calls(test.alice.key(), VALIDATE, IBAN, HTTP_X_FORWARDED_PROTO="http", **sent)


def scope_missing(test: BaseTest, **sent: str) -> CallResponse:
    return test.calls(test.alice.key(scopes=("usage",)), VALIDATE, IBAN, **sent)


def not_found(test: BaseTest, **sent: str) -> CallResponse:
    return test.calls(test.alice.key(), "/api/v2/validate", IBAN, **sent)


def method_not_allowed(test: BaseTest, **sent: str) -> CallResponse:
    return test.calls(test.alice.key(), VALIDATE, method="GET", **sent)


def too_large(test: BaseTest, **sent: str) -> CallResponse:
    return test.calls(test.alice.key(), VALIDATE, b" " * (MAX_BODY_BYTES + 1), **sent)


def unsupported_media_type(test: BaseTest, **sent: str) -> CallResponse:
    return test.calls(test.alice.key(), VALIDATE, IBAN, CONTENT_TYPE="text/plain", **sent)


def rate_limited(test: BaseTest, **sent: str) -> CallResponse:
    key = test.alice.key(rate_per_minute=1)
    test.calls(key, VALIDATE, IBAN)
    return test.calls(key, VALIDATE, IBAN, **sent)


def quota_exhausted(test: BaseTest, **sent: str) -> CallResponse:
    test.alice.client.monthly_quota = 0
    test.alice.client.save()
    return test.calls(test.alice.key(), VALIDATE, IBAN, **sent)


def unavailable(test: BaseTest, **sent: str) -> CallResponse:
    key = test.alice.key()
    with (
        patch.object(ApiKey.objects, "select_related", side_effect=OperationalError),
        test.assertLogs("validation.api.pipeline", "ERROR"),
    ):
        return test.calls(key, VALIDATE, IBAN, **sent)


PRODUCED: dict[str, Callable[..., CallResponse]] = {
    produced.__name__: produced
    for produced in (
        invalid_request,
        key_missing,
        key_malformed,
        key_unknown,
        address_blocked,
        address_not_allowed,
        https_required,
        scope_missing,
        not_found,
        method_not_allowed,
        too_large,
        unsupported_media_type,
        rate_limited,
        quota_exhausted,
        unavailable,
    )
}
STATUS = {
    "invalid_request": 400,
    "key_missing": 401,
    "key_malformed": 401,
    "key_unknown": 401,
    "address_blocked": 403,
    "address_not_allowed": 403,
    "https_required": 403,
    "scope_missing": 403,
    "not_found": 404,
    "method_not_allowed": 405,
    "too_large": 413,
    "unsupported_media_type": 415,
    "rate_limited": 429,
    "quota_exhausted": 429,
    "unavailable": 503,
}
# Of RFC 9110 and 6585: what a response of this status must or should say in its headers.
HEADERS = {401: "WWW-Authenticate", 405: "Allow", 429: "Retry-After", 503: "Retry-After"}


class ProblemTests(BaseTest):
    def test_every_problem_is_produced(self) -> None:
        self.assertEqual(set(PRODUCED), set(problems.KINDS))
        self.assertEqual(set(STATUS), set(problems.KINDS))


def _test_of(code: str) -> Callable[[ProblemTests], None]:
    def test(self: ProblemTests) -> None:
        for language in ("sv", "de"):
            response = PRODUCED[code](self, HTTP_ACCEPT_LANGUAGE=language)
            self.assert_problem(response, code, STATUS[code])
            self.assertEqual(response["Content-Language"], language)

        response = PRODUCED[code](self)

        problem = self.assert_problem(response, code, STATUS[code])
        self.assertTrue(problem["detail"].endswith("."), problem["detail"])
        self.assertNotIn("%(", problem["detail"])
        self.assertRegex(problem["request_id"], r"\A[0-9a-f]{32}\Z")
        self.assertEqual(response["Content-Language"], "en")
        self.assertEqual(response["Content-Length"], str(len(response.content)))
        self.assertEqual(response["X-Content-Type-Options"], "nosniff")
        self.assertNotIn("Set-Cookie", response)
        if needed := HEADERS.get(STATUS[code]):
            self.assertIn(needed, response)
        # Neither what was to be checked nor any part of the key comes back.
        self.assertNotIn(IBAN["iban"], response.content.decode())
        self.assertIsNone(re.search(tokens.PATTERN, response.content.decode()))

    return test


for _code in PRODUCED:
    # One test for each entry, by its name: a wrong one is found at a glance, and none shares a client with another.
    setattr(ProblemTests, f"test_{_code}", _test_of(_code))


class RefusalOrderTests(BaseTest):
    """Which problem comes first when several things are wrong: never more for callers who have proven less."""

    @pytest.mark.claim("blocked_addresses")
    def test_a_block_comes_first(self) -> None:
        blocks.block("192.0.2.7")
        for path in (VALIDATE, "/api/v2/nothing", "/api/v1/openapi.json"):
            self.assert_problem(self.calls(None, path, IBAN), "address_blocked", 403)

    def test_a_wrong_path_needs_no_key(self) -> None:
        self.assert_problem(self.calls(None, "/api/v1/nothing"), "not_found", 404)
        self.assert_problem(self.calls(None, VALIDATE, method="GET"), "method_not_allowed", 405)

    def test_the_key_comes_before_the_body(self) -> None:
        class Untouched:
            def read(self, _size: int) -> bytes:
                raise AssertionError("read without a key")

        response = self.calls(None, VALIDATE, Untouched())

        self.assert_problem(response, "key_missing", 401)

    @pytest.mark.claim("encrypted_calls")
    def test_a_key_without_https_is_not_compared(self) -> None:
        key = self.alice.key()
        with (
            override_settings(EMBEDDED=False, SECURE_PROXY_SSL_HEADER=("HTTP_X_FORWARDED_PROTO", "https")),
            patch.object(tokens, "fits", side_effect=AssertionError("compared")),
        ):
            for scheme in ("http", "", "HTTPS", "https,http", None):
                response = self.calls(key, VALIDATE, IBAN, HTTP_X_FORWARDED_PROTO=scheme)

                self.assert_problem(response, "https_required", 403)

    def test_a_call_by_https_behind_the_proxy_works(self) -> None:
        key = self.alice.key()
        with override_settings(EMBEDDED=False, SECURE_PROXY_SSL_HEADER=("HTTP_X_FORWARDED_PROTO", "https")):
            response = self.calls(key, VALIDATE, IBAN, HTTP_X_FORWARDED_PROTO="https")

        self.assertEqual(response.status_code, 200)

    def test_a_wrong_body_comes_before_the_quota(self) -> None:
        self.alice.client.monthly_quota = 0
        self.alice.client.save()
        key = self.alice.key()

        self.assert_problem(self.calls(key, VALIDATE, {"wrong": 1}), "invalid_request", 400)
        self.assert_problem(self.calls(key, VALIDATE, IBAN), "quota_exhausted", 429)

    def test_a_refused_call_has_rate_headers(self) -> None:
        key = self.alice.key(rate_per_minute=100)
        for body, code, status in (({"wrong": 1}, "invalid_request", 400), (None, "unsupported_media_type", 415)):
            response = self.calls(key, VALIDATE, body)

            self.assert_problem(response, code, status)
            self.assertEqual(response["RateLimit-Policy"], '"minute";q=100;w=60')
            self.assertRegex(response["RateLimit"], r'\A"minute";r=\d;t=\d+\Z')

    def test_a_limited_call_has_retry_after(self) -> None:
        response = rate_limited(self)

        problem = self.assert_problem(response, "rate_limited", 429)
        self.assertEqual(response["Retry-After"], "60")
        self.assertIn("1 calls per minute", problem["detail"])
        self.assertEqual(response["RateLimit"], '"minute";r=0;t=60')

    def test_a_used_up_quota_names_the_next_month(self) -> None:
        response = quota_exhausted(self)

        problem = self.assert_problem(response, "quota_exhausted", 429)
        self.assertRegex(problem["detail"], r"\d{4}-\d\d-01")
        self.assertLessEqual(int(response["Retry-After"]), 31 * 24 * 3600)


class ProblemTableTests(BaseTest):
    def test_a_problem_has_a_code_of_the_table(self) -> None:
        with self.assertRaises(KeyError):
            problems.Problem("something_else")
