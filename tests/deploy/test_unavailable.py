"""nginx while gunicorn is down, or closes a connection early: the same response for every location and method."""

import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import pytest

from tests.support.proxy import CONFIGURATION, Proxy, proxy

pytestmark = pytest.mark.deploy

PATHS: Final = {
    "/": "/sign-in/",
    "/api/": "/api/v1/validate",
    "/api/docs/": "/api/docs/",
    "/health/": "/health/live",
    "/health/ready": "/health/ready",
}
"""Each location that is forwarded to gunicorn, with a path in it."""
PROBLEMS: Final = ("/api/", "/health/", "/health/ready")
METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


@pytest.fixture(scope="module")
def without_gunicorn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    """Run nginx without gunicorn."""
    folder = tmp_path_factory.mktemp("without-gunicorn")
    with proxy(folder, [folder / "gunicorn.sock"]) as running:
        yield running


@contextmanager
def closing_early(listening: Path) -> Iterator[None]:
    """Close each connection after the first bytes, as gunicorn does when a response does not need the body."""
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(listening))
    server.listen()

    def serve() -> None:
        with suppress(OSError):  # Raised by accept, once the test is over.
            while True:
                connection, _ = server.accept()
                with connection, suppress(OSError):
                    connection.recv(1000)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield
    finally:
        server.shutdown(socket.SHUT_RDWR)
        server.close()
        thread.join()


def test_every_proxied_location_is_tested() -> None:
    text = (CONFIGURATION / "ibanse" / "site.conf").read_text(encoding="utf-8")
    blocks = re.findall(r"^    location (?:= |\^~ )?(\S+) \{\n(.*?)^    \}", text, re.MULTILINE | re.DOTALL)

    assert sorted(location for location, block in blocks if "include ibanse/proxy.conf;" in block) == sorted(PATHS)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("location", PATHS)
def test_every_method_gets_503(without_gunicorn: Proxy, location: str, method: str) -> None:
    body = "iban=x" if method in ("POST", "PUT", "PATCH") else ""

    response = without_gunicorn.asks(PATHS[location], method=method, body=body)

    kind = "application/problem+json" if location in PROBLEMS else "text/html; charset=utf-8"
    assert (response.status, response.headers["content-type"]) == (503, kind)
    assert int(response.headers["retry-after"]) > 0
    assert "strict-transport-security" in response.headers
    if location not in PROBLEMS and method != "HEAD":
        assert "Tjänsten startar om" in response.body
        assert response.headers["cache-control"] == "no-store"
        assert "default-src 'none'" in response.headers["content-security-policy"]


@pytest.mark.parametrize("path", ["/sign-in/", "/api/v1/validate"])
def test_early_close_gets_503(tmp_path: Path, path: str) -> None:
    with closing_early(tmp_path / "gunicorn.sock"), proxy(tmp_path, [tmp_path / "gunicorn.sock"]) as site:
        response = site.asks(path, method="POST", body="x" * 1_000_000)

    assert response.status == 503
    assert int(response.headers["retry-after"]) > 0


def test_page_has_no_url(without_gunicorn: Proxy) -> None:
    assert without_gunicorn.asks("/unavailable.html").status == 404
