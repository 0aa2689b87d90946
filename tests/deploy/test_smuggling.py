"""Requests that two programs might parse differently, and malformed ones: over TLS to nginx, and to gunicorn's socket.

Each contains, where the other program might see a second request, a call with a valid key. That call must never get a
response and never be counted. What passes nginx still reaches gunicorn, so both get the same requests.
"""

import re
import socket
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

import pytest

from tests.support.production import Production, Program
from tests.support.proxy import NO_LIMIT, proxy

pytestmark = [pytest.mark.deploy, pytest.mark.claim("nothing_hidden")]

_PATH: Final = b"/health/live"
_HOST: Final = b"ibanse.example"
_BODY: Final = b'{"iban":"SE4550000000058398257466"}'
_STATUS: Final = re.compile(rb"HTTP/1\.[01] (\d{3}) ")


Row = Callable[[bytes], bytes]


class Entrances(NamedTuple):
    """Connections to both servers, and the quota that must not be used."""

    connect: Mapping[str, Callable[[], socket.socket]]
    production: Production
    program: Program

    @property
    def hidden(self) -> bytes:
        """Return a valid call, which would be counted."""
        token = self.program.token.encode()
        return (
            b"POST /api/v1/validate HTTP/1.1\r\nHost: ibanse.example\r\nX-Forwarded-Proto: https\r\n"
            b"X-Real-IP: 192.0.2.7\r\nContent-Type: application/json\r\nAuthorization: Bearer " + token + b"\r\n"
            b"Content-Length: %d\r\n\r\n" % len(_BODY) + _BODY
        )


def first(
    *headers: bytes, path: bytes = b"/health/live", host: bytes = b"ibanse.example", end: bytes = b"\r\n"
) -> bytes:
    """Return a request with these headers; parsed correctly, its response is 200."""
    lines = [b"GET " + path + b" HTTP/1.1", b"Host: " + host, b"X-Forwarded-Proto: https", b"X-Real-IP: 192.0.2.7"]
    return end.join([*lines, *headers, b"", b""])


def last(*headers: bytes, path: bytes = _PATH, host: bytes = _HOST, end: bytes = b"\r\n") -> Row:
    """Return the last request of a connection, without a body: what follows must get no response."""
    sent = first(*headers, b"Content-Length: 0", b"Connection: close", path=path, host=host, end=end)
    return lambda hidden: sent + hidden


def line(request_line: bytes, *headers: bytes) -> Row:
    """Return the same with another request line."""
    sent = first(*headers, b"Connection: close").replace(b"GET /health/live HTTP/1.1", request_line)
    return lambda hidden: sent + hidden


def alone(sent: bytes) -> Row:
    """Return a request that cannot hide another one."""
    return lambda _: sent


def both(transfer_encoding: bytes) -> Row:
    """Return a request with a length and a variant of chunked encoding: the call is behind the last chunk."""
    return lambda hidden: first(transfer_encoding, b"Content-Length: %d" % (5 + len(hidden))) + b"0\r\n\r\n" + hidden


def length(*headers: bytes) -> Row:
    """Return a request with ambiguous lengths: if they are read as 0, its body is the call."""
    return lambda hidden: first(*headers) + hidden


def chunk(body: bytes) -> Row:
    """Return a request with a malformed chunked body, and the call behind it."""
    return lambda hidden: first(b"Transfer-Encoding: chunked") + body + hidden


# Each returns what is sent, with the hidden call in it.
TABLE: Final[dict[str, Row]] = {
    "CL.TE: a length and chunks": both(b"Transfer-Encoding: chunked"),
    "TE.CL: chunks, and a length that ends within them": lambda hidden: (
        first(b"Content-Length: 4", b"Transfer-Encoding: chunked") + b"%x\r\n" % len(hidden) + hidden + b"\r\n0\r\n\r\n"
    ),
    "TE.TE: chunked and identity": both(b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity"),
    "TE.TE: chunked twice": both(b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"),
    "TE.TE: a list": both(b"Transfer-Encoding: identity, chunked"),
    "TE: xchunked": both(b"Transfer-Encoding: xchunked"),
    "TE: a blank before the colon": both(b"Transfer-Encoding : chunked"),
    "TE: a tab before the value": both(b"Transfer-Encoding:\tchunked"),
    "TE: a vertical tab before the value": both(b"Transfer-Encoding: \x0bchunked"),
    "TE: a blank before the name": both(b" Transfer-Encoding: chunked"),
    "TE: in quotes": both(b'Transfer-Encoding: "chunked"'),
    "TE: in capital letters": both(b"Transfer-Encoding: CHUNKED"),
    "TE: with a NUL": both(b"Transfer-Encoding: chunked\x00"),
    "TE: with an underscore": both(b"Transfer_Encoding: chunked"),
    "TE: folded onto the next line": both(b"Transfer-Encoding:\r\n chunked"),
    "TE: behind a bare line feed": both(b"X: y\nTransfer-Encoding: chunked"),
    "TE: behind a bare carriage return": both(b"X: y\rTransfer-Encoding: chunked"),
    "TE: in HTTP/1.0": lambda hidden: (
        first(b"Transfer-Encoding: chunked").replace(b"HTTP/1.1", b"HTTP/1.0") + b"0\r\n\r\n" + hidden
    ),
    "CL: twice, different": lambda hidden: first(b"Content-Length: 0", b"Content-Length: %d" % len(hidden)) + hidden,
    "CL: twice, the same": length(b"Content-Length: 0", b"Content-Length: 0"),
    "CL: a list": length(b"Content-Length: 0, 5"),
    "CL: a plus sign": length(b"Content-Length: +0"),
    "CL: a minus sign": length(b"Content-Length: -1"),
    "CL: hexadecimal": length(b"Content-Length: 0x0"),
    "CL: longer than any number": length(b"Content-Length: 18446744073709551616"),
    "CL: empty": length(b"Content-Length:"),
    "CL: a blank before the colon": length(b"Content-Length : 0"),
    "chunk: the size is no number": chunk(b"zz\r\n"),
    "chunk: the size is negative": chunk(b"-1\r\n"),
    "chunk: the size begins with 0x": chunk(b"0x5\r\nhello\r\n0\r\n\r\n"),
    "chunk: the size overflows": chunk(b"10000000000000000\r\n"),
    "chunk: longer than its size": chunk(b"2\r\nhello\r\n0\r\n\r\n"),
    "chunk: bare line feeds": lambda hidden: (
        first(b"Transfer-Encoding: chunked", b"Connection: close") + b"2\nhi\n0\n\n" + hidden
    ),
    "head: NUL in a header": last(b"X: a\x00b"),
    "head: NUL in the name of a header": last(b"X\x00Y: a"),
    "head: a line without a colon": last(b"nonsense"),
    "head: a header without a name": last(b": value"),
    "head: folded": last(b"X: a\r\n b"),
    "head: bare line feeds only": last(end=b"\n"),
    "head: bare carriage returns only": last(end=b"\r"),
    "head: nothing but line ends": alone(b"\r\n" * 5_000),
    "head: a line of 10,000 bytes": last(path=b"/" + b"a" * 10_000),
    "head: a header of 20,000 bytes": last(b"X: " + b"a" * 20_000),
    "head: 2,000 headers": last(*(b"X-%d: y" % number for number in range(2_000))),
    "host: two": last(b"Host: evil.example"),
    "host: none": lambda hidden: first(b"Connection: close").replace(b"Host: ibanse.example\r\n", b"") + hidden,
    "host: another one": last(path=b"/sign-in/", host=b"evil.example"),
    "host: with a path": last(path=b"/sign-in/", host=b"ibanse.example/evil"),
    "host: with a user": last(path=b"/sign-in/", host=b"ibanse.example@evil.example"),
    "path: a whole address with another host": last(path=b"http://evil.example/sign-in/"),
    "path: NUL": last(path=b"/health/live\x00"),
    "path: a blank": last(path=b"/health/live /x"),
    "path: out of the root": last(path=b"/../../etc/passwd"),
    "path: out of the root, escaped": last(path=b"/static/%2e%2e/%2e%2e/etc/passwd"),
    "path: a request in an escape": last(path=b"/health/live%20HTTP/1.1%0d%0aX:%20y"),
    "method: in small letters": line(b"get /health/live HTTP/1.1"),
    "method: CONNECT": line(b"CONNECT evil.example:443 HTTP/1.1"),
    "method: TRACE": line(b"TRACE /health/live HTTP/1.1"),
    "version: HTTP/0.9": lambda hidden: b"GET /health/live\r\n" + hidden,
    "version: HTTP/2.0 in words": line(b"GET /health/live HTTP/2.0"),
    "version: HTTP/1.10": line(b"GET /health/live HTTP/1.10"),
    "version: the beginning of HTTP/2": lambda hidden: b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + hidden,
    "upgrade: h2c": alone(
        first(b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c", b"HTTP2-Settings: AAMAAABk")
    ),
}  # fmt: skip
# These get one response, and what is behind them gets none.
HARMLESS: Final = {
    "nginx": {
        "TE: with an underscore": "it is another header, and dropped",
        "chunk: bare line feeds": "nginx forwards it with a length and without chunks",
        "head: a line without a colon": "the line is dropped",
        "head: bare line feeds only": "the specification allows it, and nginx forwards proper line ends",
        "version: HTTP/1.10": "nginx forwards HTTP/1.1",
        "upgrade: h2c": "neither supports it",
    },
    "gunicorn": {
        "TE: with an underscore": "it is another header, and dropped",
        "CL: longer than any number": "nothing reads the body, and the connection is closed",
        "chunk: the size is no number": "as above",
        "chunk: the size is negative": "as above",
        "chunk: the size begins with 0x": "as above",
        "chunk: the size overflows": "as above",
        "chunk: longer than its size": "as above",
        "chunk: bare line feeds": "as above",
        "host: none": "this path does not depend on the host, and nginx requires one",
        "path: a whole address with another host": "the host of the header is used, which is right",
        "upgrade: h2c": "neither supports it",
    },
}


@pytest.fixture(scope="module")
def entrances(production: Production, static: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Entrances]:
    """Run gunicorn and nginx without rate limits."""
    folder = tmp_path_factory.mktemp("smuggling")
    listening = folder / "gunicorn.sock"

    def to_gunicorn() -> socket.socket:
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(str(listening))
        return connection

    changed = NO_LIMIT | {"rate=20r/s": "rate=100000r/s"}
    with production.behind(listening, workers=1), proxy(folder, [listening], static, changed) as site:
        yield Entrances({"nginx": site.connect, "gunicorn": to_gunicorn}, production, production.program())


def responses(connection: socket.socket, sent: bytes) -> list[int]:
    """Return the statuses of all responses, until the server closes or is silent for a moment."""
    received = b""
    connection.settimeout(1.5)
    with connection, suppress(OSError):
        connection.sendall(sent)
        while part := connection.recv(65536):
            received += part
    return [int(status) for status in _STATUS.findall(received)]


@pytest.mark.parametrize("server", ["nginx", "gunicorn"])
class TestRequestSmuggling:
    def test_regular_second_request_is_counted(self, entrances: Entrances, server: str) -> None:
        before = entrances.production.counted(entrances.program).units

        assert responses(entrances.connect[server](), first(b"Content-Length: 0") + entrances.hidden) == [200, 200]

        entrances.production.settled(entrances.program, lambda now: now.units == before + 1)
        assert entrances.production.counted(entrances.program).units == before + 1

    @pytest.mark.parametrize("row", TABLE)
    def test_hidden_request_gets_no_response(self, entrances: Entrances, server: str, row: str) -> None:
        statuses = responses(entrances.connect[server](), TABLE[row](entrances.hidden))

        successful = [status for status in statuses if status < 400]
        assert successful == ([200] if row in HARMLESS[server] else [])
        assert 500 not in statuses
        assert len(statuses) <= 1 + len(successful)

    def test_hidden_requests_are_not_counted(self, entrances: Entrances, server: str) -> None:
        before = entrances.production.counted(entrances.program).units
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda row: responses(entrances.connect[server](), row(entrances.hidden)), TABLE.values()))
        responses(entrances.connect[server](), entrances.hidden)

        entrances.production.settled(entrances.program, lambda now: now.units > before)
        assert entrances.production.counted(entrances.program).units == before + 1
