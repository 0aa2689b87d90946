"""What a program may send as a body, and what of it is refused: exactly, with its place, and without repeating it."""

import io
import json
import socket
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from gunicorn.http.errors import InvalidChunkSize  # type: ignore[import-untyped]  # it has no types

from tests.base import BaseTest, CallResponse
from tests.validation.api.conftest import LiveApi
from validation.api.bodies import MAX_BODY_BYTES

pytestmark = pytest.mark.claim("strict_bodies")

VALIDATE = "/api/v1/validate"
BATCH = "/api/v1/validate/batch"
EXTRACT = "/api/v1/extract"
IBAN = "DE89370400440532013000"
GOOD = json.dumps({"iban": IBAN}).encode()


class CountingStream(io.BytesIO):
    """A body that counts what was read of it."""

    def __init__(self, content: bytes) -> None:
        super().__init__(content)
        self.bytes_read = 0

    def read(self, size: int | None = -1) -> bytes:
        assert size is not None, "read without a limit"
        assert size >= 0, "read without a limit"
        read = super().read(size)
        self.bytes_read += len(read)
        return read


class RequestBodyTest(BaseTest):
    def setUp(self) -> None:
        super().setUp()
        self.key = self.alice.key(rate_per_minute=1_000_000)

    def sends(self, body: object, path: str = VALIDATE, **sent: Any) -> CallResponse:
        """Return the response to a call with a good key."""
        return self.calls(self.key, path, body, **sent)

    def assert_invalid(self, body: object, *parts: str, path: str = VALIDATE, **sent: Any) -> None:
        problem = self.assert_problem(self.sends(body, path, **sent), "invalid_request", 400)
        for words in parts:
            self.assertIn(words, problem["detail"])
        self.assertNotIn(IBAN, json.dumps(problem))

    def assert_accepted(self, body: object, path: str = VALIDATE, **sent: Any) -> None:
        response = self.sends(body, path, **sent)
        self.assertEqual(response.status_code, 200, response.content)


class JsonTests(RequestBodyTest):
    def test_invalid_json_is_refused_with_its_place(self) -> None:
        for body, expected in (
            (b"", "its end is missing"),
            (b"   ", "its end is missing"),
            (b'{"iban":', "its end is missing"),
            (b'{"iban": "' + IBAN.encode(), "its end is missing"),
            (b'{"iban": NaN}', "byte 10"),
            (b'{"iban": Infinity}', "byte 10"),
            (b'{"iban": -Infinity}', "byte"),
            (b'{"iban": undefined}', "byte 10"),
            (b"{'iban': 'x'}", "byte 2"),
            (b'{iban: "x"}', "byte 2"),
            (b'{"iban": "x",}', "byte"),
            (b'{"iban": "x"} x', "byte"),
            (GOOD + GOOD, "byte"),
            (b'// x\n{"iban": "x"}', "byte 1"),
            (b'{"iban": "a\nb"}', "byte"),
            (b'{"iban": "a\x00b"}', "byte"),
            (b'{"iban": "\\x41"}', "byte"),
            (b'{"iban": "\\u12"}', "byte"),
            (b"iban=" + IBAN.encode(), "byte 1"),
            (b"<iban/>", "byte 1"),
            (b"\xef\xbb\xbf" + GOOD, "byte 1"),
            (GOOD.decode().encode("utf-16"), "byte 1"),
            (GOOD.decode().encode("utf-32"), "byte 1"),
        ):
            with self.subTest(body=body[:30]):
                self.assert_invalid(body, "not valid JSON", expected)

    def test_invalid_utf_8_is_refused(self) -> None:
        for body in (
            b'{"iban": "\xff"}',
            b'{"iban": "\xe4"}',
            b'{"iban": "\xc0\xaf"}',
            b'{"iban": "\xed\xa0\x80"}',
            b'{"iban": "\xf4\x90\x80\x80"}',
            b'{"\xff": "x"}',
            b'{"iban": "x", "\xfe": 1}',
        ):
            with self.subTest(body=body):
                self.assert_invalid(body, "not valid UTF-8")

    def test_half_a_character_is_refused(self) -> None:
        for body in (b'{"iban": "\\ud800"}', b'{"iban": "\\udc00x"}', b'{"iban": "\\ud800\\ud800"}', b'{"\\ud800": 1}'):
            with self.subTest(body=body):
                self.assert_invalid(body, "not valid JSON")

    def test_a_wrong_character_is_a_reason_not_a_problem(self) -> None:
        for body in (b'{"iban": "a\\u0000b"}', b'{"iban": "\\ud83d\\ude00"}', '{"iban": "😀"}'.encode()):
            response = self.sends(body)

            self.assertEqual(response.json()["reasons"][0]["code"], "characters")

    def test_a_duplicate_field_is_refused(self) -> None:
        for body in (
            b'{"iban": "x", "iban": "y"}',
            b'{"iban": "x", "iban": "x"}',
            b'{"iban": "x", "\\u0069ban": "y"}',
            b'{"\\u0069ban": "x", "iban": "y"}',
            b'{"\\u0069ban": "x", "i\\u0062an": "y"}',
        ):
            with self.subTest(body=body):
                self.assert_invalid(body, "Duplicate field “iban”")
        self.assert_invalid(b'{"ibans": ["x"], "ibans": ["y"]}', "Duplicate field “ibans”", path=BATCH)
        self.assert_invalid(b'{"text": "x", "text": "y"}', "Duplicate field “text”", path=EXTRACT)

    def test_a_text_that_looks_like_a_duplicate_is_accepted(self) -> None:
        for body in (
            {"iban": "iban"},
            {"iban": '"iban": "iban"'},
            {"iban": '{"iban": "x", "iban": "y"}'},
            {"iban": "\\u0069ban"},
        ):
            with self.subTest(body=body):
                self.assert_accepted(body)
        self.assert_accepted({"text": '"text" "text"'}, EXTRACT)
        self.assert_accepted({"ibans": ["ibans", '"ibans"', "ibans"]}, BATCH)

    def test_deep_nesting_is_harmless(self) -> None:
        deep = 100_000
        for body in (
            b"[" * deep,
            b"[" * deep + b"]" * deep,
            b'{"iban": ' + b"[" * deep,
            b'{"iban":' * deep,
            b'{"x":' * deep,
            b'{"x": ' + b"[" * deep + b"]" * deep + b"}",
            b'{"iban": "x", "y": ' + b"[" * deep + b"]" * deep + b"}",
        ):
            with self.subTest(body=body[:20]):
                self.assert_invalid(body)


class BodySchemaTests(RequestBodyTest):
    def test_a_wrong_schema_is_refused_with_its_place(self) -> None:
        for path, body, *expected in (
            (VALIDATE, [], "$", "an object"),
            (VALIDATE, "x", "$", "an object"),
            (VALIDATE, b"null", "$", "an object"),
            (VALIDATE, 7, "$", "an object"),
            (VALIDATE, [{"iban": "x"}], "$", "an object"),
            (VALIDATE, {}, "Missing field “iban”"),
            (VALIDATE, {"IBAN": "x"}, "Unknown field “IBAN”"),
            (VALIDATE, {"iban ": "x"}, "Unknown field “iban ”"),
            (VALIDATE, {"": "x"}, "Unknown field “”"),
            (VALIDATE, {"iban": "x", "note": "y"}, "Unknown field “note”"),
            (VALIDATE, {"ibans": ["x"]}, "Unknown field “ibans”"),
            (VALIDATE, {"%(n)s%s": 1}, "Unknown field “%(n)s%s”"),
            (VALIDATE, {"iban": None}, "$.iban", "a string"),
            (VALIDATE, {"iban": 7}, "$.iban", "a string"),
            (VALIDATE, b'{"iban": 1e400}', "$.iban"),
            (VALIDATE, b'{"iban": 1' + b"0" * 5000 + b"}", "$.iban"),
            (VALIDATE, {"iban": True}, "$.iban", "a string"),
            (VALIDATE, {"iban": ["x"]}, "$.iban", "a string"),
            (VALIDATE, {"iban": {"iban": "x"}}, "$.iban", "a string"),
            (BATCH, {"ibans": []}, "$.ibans", "at least one"),
            (BATCH, {"ibans": ["x"] * 1001}, "$.ibans", "at most 1000"),
            (BATCH, {"ibans": "x"}, "$.ibans", "a list"),
            (BATCH, {"ibans": {"0": "x"}}, "$.ibans", "a list"),
            (BATCH, {"ibans": None}, "$.ibans", "a list"),
            (BATCH, {"ibans": ["x", 7]}, "$.ibans[1]", "a string"),
            (BATCH, {"ibans": [1, 2, 3]}, "$.ibans[0]", "a string"),
            (BATCH, {"ibans": [None]}, "$.ibans[0]", "a string"),
            (BATCH, {"ibans": [["x"]]}, "$.ibans[0]", "a string"),
            (BATCH, {"ibans": [{"iban": "x"}]}, "$.ibans[0]", "a string"),
            (EXTRACT, {"text": "x" * 100_001}, "$.text", "at most 100000 characters"),
            (EXTRACT, {"text": "😀" * 100_001}, "$.text", "at most 100000 characters"),
            ("/api/v1/recover", {"iban": "?" * 4}),
            ("/api/v1/recover", {"iban": "x" * 5000}),
            ("/api/v1/recover", {"iban": ""}),
            ("/api/v1/calculate", {"country": "DE", "bank_code": "37040044"}, "Missing field “account_number”"),
            ("/api/v1/calculate", {"country": "XX", "bank_code": "1", "account_number": "1"}),
            ("/api/v1/calculate", {"country": "DE", "bank_code": "", "account_number": ""}),
            ("/api/v1/calculate", {"country": "DE", "bank_code": "1" * 9999, "account_number": "1"}),
            (
                "/api/v1/calculate",
                {"country": "DE", "bank_code": "37040044", "account_number": "1", "branch_code": None},
                "$.branch_code",
            ),
        ):
            with self.subTest(path=path, body=str(body)[:40]):
                self.assert_invalid(body, *expected, path=path)

    def test_the_limits_are_accepted(self) -> None:
        for path, body in (
            (BATCH, {"ibans": ["x"]}),
            (BATCH, {"ibans": [IBAN] * 1000}),
            (EXTRACT, {"text": "x" * 100_000}),
            (EXTRACT, {"text": ""}),
            (EXTRACT, {"text": "😀" * 100_000}),
            (VALIDATE, {"iban": ""}),
            (VALIDATE, {"iban": "x" * 1_000_000}),
        ):
            with self.subTest(path=path, body=str(body)[:40]):
                self.assert_accepted(body, path)

    def test_the_longest_text_may_be_escaped(self) -> None:
        self.assert_accepted(b'{"text": "' + b"\\ud83d\\ude00" * 100_000 + b'"}', EXTRACT)

    def test_a_long_field_name_is_cut(self) -> None:
        problem = self.assert_problem(self.sends({"n" * 100_000: 1}), "invalid_request", 400)

        self.assertLess(len(problem["detail"]), 100)


class ContentLengthTests(RequestBodyTest):
    def test_a_body_that_is_too_large_is_not_read_whole(self) -> None:
        ten_megabytes = b'{"iban": "' + b"x" * 10_000_000 + b'"}'
        for length, most in ((str(len(ten_megabytes)), 0), (None, MAX_BODY_BYTES + 1)):
            with self.subTest(length=length):
                body = CountingStream(ten_megabytes)

                problem = self.assert_problem(self.sends(body, CONTENT_LENGTH=length), "too_large", 413)

                self.assertEqual(body.bytes_read, most)
                self.assertIn(str(MAX_BODY_BYTES), problem["detail"])

    def test_the_size_limit_is_accepted(self) -> None:
        padded = GOOD + b" " * (MAX_BODY_BYTES - len(GOOD))
        self.assert_accepted(padded)
        self.assert_accepted(CountingStream(padded))

        self.assert_problem(self.sends(padded + b" "), "too_large", 413)
        self.assert_problem(self.sends(CountingStream(padded + b" ")), "too_large", 413)

    def test_a_malformed_length_is_refused_unread(self) -> None:
        for length in ("-1", "-0", "+18", "1e3", "0x12", "18.0", "1_8", "18, 18", "18 ", "１８", "²", "x", "NaN"):
            with self.subTest(length=length):
                body = CountingStream(GOOD)

                problem = self.assert_problem(self.sends(body, CONTENT_LENGTH=length), "invalid_request", 400)

                self.assertIn("Content-Length", problem["detail"])
                self.assertEqual(body.bytes_read, 0)

    def test_an_enormous_length_is_too_large(self) -> None:
        for length in (str(MAX_BODY_BYTES + 1), "9" * 19, "9" * 20, "9" * 5000):
            with self.subTest(length=length[:30]):
                body = CountingStream(GOOD)

                self.assert_problem(self.sends(body, CONTENT_LENGTH=length), "too_large", 413)

                self.assertEqual(body.bytes_read, 0)

    def test_a_truncated_body_is_refused(self) -> None:
        self.assert_invalid(CountingStream(GOOD), "ended too early", CONTENT_LENGTH=str(len(GOOD) + 1))

    def test_a_body_is_read_up_to_its_length(self) -> None:
        body = CountingStream(GOOD + b"GET / HTTP/1.1")

        self.assert_accepted(body, CONTENT_LENGTH=str(len(GOOD)))

        self.assertEqual(body.bytes_read, len(GOOD))

    def test_a_chunked_body_is_accepted(self) -> None:
        self.assert_accepted(CountingStream(GOOD), HTTP_TRANSFER_ENCODING="chunked")

    def test_a_broken_stream_is_a_problem_not_an_error(self) -> None:
        for trouble in (ConnectionResetError("reset"), TimeoutError(), OSError("x"), InvalidChunkSize(b"z")):

            class BrokenStream:
                def read(self, _size: int, trouble: Exception = trouble) -> bytes:
                    raise trouble

            with self.subTest(trouble=trouble):
                self.assert_invalid(BrokenStream(), "ended too early")


class ContentTypeTests(RequestBodyTest):
    def test_json_in_utf_8_is_accepted_in_any_spelling(self) -> None:
        for content_type in (
            "application/json",
            "application/json; charset=utf-8",
            "application/json;charset=UTF-8",
            'Application/JSON ; Charset="utf-8"',
            "application/json;",
        ):
            with self.subTest(content_type=content_type):
                self.assert_accepted(GOOD, CONTENT_TYPE=content_type)

    def test_other_content_types_are_refused(self) -> None:
        for content_type in (
            None,
            "",
            "text/plain",
            "text/json",
            "application/jsonx",
            "application/problem+json",
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=x",
            "application/json; charset=latin-1",
            "application/json; charset=utf-16",
            "application/json; charset=utf-8; charset=latin-1",
            "application/json; charset*=bogus'en'%41",
            "application/json, application/json",
            "application/json\xa0",
            "*/*",
            "x" * 8000,
        ):
            with self.subTest(content_type=(content_type or "")[:40]):
                response = self.sends(GOOD, CONTENT_TYPE=content_type)

                self.assert_problem(response, "unsupported_media_type", 415)

    def test_a_compressed_body_is_refused(self) -> None:
        for encoding in ("gzip", "deflate", "br", "identity", "gzip, gzip", "x"):
            with self.subTest(encoding=encoding):
                response = self.sends(GOOD, HTTP_CONTENT_ENCODING=encoding)

                self.assert_problem(response, "unsupported_media_type", 415)

    def test_a_call_without_body_reads_none(self) -> None:
        for content_type in (None, "text/plain", "application/json"):
            body = CountingStream(GOOD)
            response = self.calls(self.key, "/api/v1/countries", body, method="GET", CONTENT_TYPE=content_type)

            self.assertEqual(response.status_code, 200)
            self.assertEqual(body.bytes_read, 0)


class TestOnASocket:
    """What no client library would send, to the real server: it responds or hangs up, and serves the next one."""

    @pytest.fixture(autouse=True)
    def log(self, live_api: LiveApi) -> Iterator[None]:
        """Fail when the server has written a traceback, an IBAN or a key."""
        written = live_api.log.stat().st_size
        yield
        with live_api.log.open("rb") as log:
            log.seek(written)
            output = log.read().decode(errors="replace")
        assert "Traceback" not in output
        assert IBAN not in output
        assert live_api.key[12:] not in output

    @pytest.mark.parametrize(
        ("chunks", "status"),
        [
            pytest.param(b"%x\r\n%b\r\n0\r\n\r\n" % (len(GOOD), GOOD), 200, id="one"),
            pytest.param(b"".join(b"1\r\n%c\r\n" % byte for byte in GOOD) + b"0\r\n\r\n", 200, id="many"),
            pytest.param(b'%x;name="a;b"\r\n%b\r\n0\r\n\r\n' % (len(GOOD), GOOD), 200, id="extension"),
            pytest.param(b"%x\r\n%b\r\n0\r\nX-More: x\r\n\r\n" % (len(GOOD), GOOD), 200, id="trailer"),
            pytest.param(b"0\r\n\r\n", 400, id="none"),
            pytest.param(b"zz\r\nx\r\n0\r\n\r\n", 400, id="no number"),
            pytest.param(b"-5\r\nxxxxx\r\n0\r\n\r\n", 400, id="negative"),
            pytest.param(b"0x5\r\nxxxxx\r\n0\r\n\r\n", 400, id="prefixed"),
            pytest.param(b"5_0\r\nxxxxx\r\n0\r\n\r\n", 400, id="underscore"),
            pytest.param(b"\r\n\r\n\r\n", 400, id="empty size"),
            pytest.param(b"5\r\nxxxxxxxxxx\r\n0\r\n\r\n", 400, id="longer than said"),
            pytest.param(b"%x\r\n%b\r\n" % (len(GOOD), GOOD), 400, id="no end"),
            pytest.param(b"ffffffff\r\n%b" % GOOD, 400, id="shorter than said"),
            pytest.param(b"f" * 100 + b"\r\n" + GOOD, 400, id="endless size"),
            pytest.param(b"1;" + b"x" * 100_000, 400, id="endless extension"),
            pytest.param(b"1" * 100_000, 400, id="size without end"),
            pytest.param(b"%x\r\n%b\r\n0\r\nX: \x00\r\n\r\n" % (len(GOOD), GOOD), 400, id="wrong trailer"),
            pytest.param(b"200000\r\n%b\r\n0\r\n\r\n" % (b" " * 0x200000), 413, id="too large"),
        ],
    )
    def test_chunks(self, live_api: LiveApi, chunks: bytes, status: int) -> None:
        got = ask(live_api, chunks, "Transfer-Encoding: chunked")

        assert got == status
        assert ask(live_api, GOOD, f"Content-Length: {len(GOOD)}") == 200

    @pytest.mark.parametrize(
        ("headers", "body", "statuses"),
        [
            pytest.param(["Content-Length: 100"], GOOD, {400}, id="longer than sent"),
            pytest.param(["Content-Length: -1"], GOOD, {400}, id="negative"),
            pytest.param(["Content-Length: 1e3"], GOOD, {400}, id="exponent"),
            pytest.param([f"Content-Length: {'9' * 5000}"], GOOD, {400, 413}, id="beyond all measure"),
            pytest.param(["Content-Length: 5", "Content-Length: 18"], GOOD, {400}, id="two lengths"),
            pytest.param(["Content-Length: 35", "Transfer-Encoding: chunked"], GOOD, {400}, id="length and chunks"),
            pytest.param(["Transfer-Encoding: gzip, chunked"], b"0\r\n\r\n", {400, 415, 501}, id="packed chunks"),
            pytest.param(["Transfer-Encoding: xchunked"], GOOD, {400, 501}, id="unknown coding"),
            pytest.param(["Transfer_Encoding: chunked"], GOOD, {400}, id="underscore"),
            pytest.param(["Content-Length: 10000000"], b" " * 10_000_000, {413}, id="ten megabytes"),
            pytest.param([], b"", {400}, id="no body"),
            pytest.param(["Content-Type: application/json; charset*=bogus'en'%41"], b"", {415}, id="charset"),
        ],
    )
    def test_lengths(self, live_api: LiveApi, headers: list[str], body: bytes, statuses: set[int]) -> None:
        assert ask(live_api, body, *headers) in statuses
        assert ask(live_api, GOOD, f"Content-Length: {len(GOOD)}") == 200

    def test_the_rest_of_a_refused_body_is_no_request(self, live_api: LiveApi) -> None:
        """A call smuggled in a body that nobody reads must not be answered as a call of its own."""
        smuggled = b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n"
        output = exchange(live_api, "/api/v1/nothing", smuggled, f"Content-Length: {len(smuggled)}")

        assert output.count(b"HTTP/1.1 ") == 1
        assert output.startswith(b"HTTP/1.1 404 ")


def ask(live_api: LiveApi, body: bytes, *headers: str) -> int:
    """Return the status of the response to one call of `validate`."""
    output = exchange(live_api, VALIDATE, body, *headers)
    assert output.startswith(b"HTTP/1.1 "), output
    return int(output[9:12])


def exchange(live_api: LiveApi, path: str, body: bytes, *headers: str) -> bytes:
    """Send one call as it stands, hang up our side, and return everything that comes back."""
    lines = [f"POST {path} HTTP/1.1", "Host: localhost", f"Authorization: Bearer {live_api.key}"]
    if not any(header.startswith("Content-Type") for header in headers):
        lines.append("Content-Type: application/json")
    head = "\r\n".join([*lines, *headers, "", ""]).encode()
    with socket.create_connection(("127.0.0.1", urlsplit(live_api.url).port), timeout=10) as connection:
        output = b""
        try:
            connection.sendall(head + body)
            connection.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # It has hung up before it had heard all of it; what it output counts.
        try:
            while part := connection.recv(65536):
                output += part
        except ConnectionResetError:
            pass
    return output
