"""nginx with its real configuration in front of gunicorn, PostgreSQL and Redis."""

import base64
import hashlib
import json
import re
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from django.utils import translation

from apikeys import problems
from apikeys.problems import Problem
from tests.support.production import IBAN, Production, Program
from tests.support.programs import proxy as proxy_programs
from tests.support.proxy import CONFIGURATION, HOST, FormBrowser, Proxy, ProxyResponse, proxy
from validation.api import bodies

pytestmark = pytest.mark.deploy

PASSWORD = "a password for these tests only"
# Every header in which a caller might claim another IP address.
IP_ADDRESS_HEADERS = (
    "X-Real-IP", "X-Real-Ip", "x-real-ip", "X_Real_IP", "X_REAL_IP", "X-Forwarded-For", "X_Forwarded_For",
    "X-Client-IP", "True-Client-IP", "CF-Connecting-IP", "Remote-Addr", "REMOTE_ADDR", "HTTP_X_REAL_IP",
)  # fmt: skip
FORGED = {
    **dict.fromkeys(IP_ADDRESS_HEADERS, "127.0.0.2"),
    "Forwarded": 'for=127.0.0.2;proto=https;host="ibanse.example"',
}


@pytest.fixture(scope="module")
def site(production: Production, static: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    """Run gunicorn with nginx in front."""
    folder = tmp_path_factory.mktemp("site")
    listening = folder / "gunicorn.sock"
    with production.behind(listening), proxy(folder, [listening], static) as running:
        yield running


@pytest.fixture(scope="module")
def bound(production: Production) -> Program:
    """Create a key that works from 127.0.0.2. The form would not accept it, since it is the server itself."""
    program = production.program(networks=["192.0.2.2"])
    production.run(proxy_programs.allow_loopback, str(program.key))
    return program


def validate(site: Proxy, program: Program, source: str = "127.0.0.1", **headers: str) -> ProxyResponse:
    """Return the response to a call with one IBAN."""
    all_headers = {"Authorization": f"Bearer {program.token}", "Content-Type": "application/json", **headers}
    return site.asks(
        "/api/v1/validate", method="POST", body=json.dumps({"iban": IBAN}), source=source, headers=all_headers
    )


def problem_code(response: ProxyResponse) -> str:
    """Return the code of the problem in a response."""
    assert response.headers["content-type"] == problems.CONTENT_TYPE
    assert response.headers["strict-transport-security"] == "max-age=63072000; includeSubDomains"
    return str(json.loads(response.body)["code"])


@pytest.mark.claim("caller_address")
class TestCallers:
    def test_user_can_sign_in(self, site: Proxy, production: Production) -> None:
        production.run(proxy_programs.create_owner, PASSWORD)
        visitor = FormBrowser(site)

        response = visitor.sends("/sign-in/", {"login": "olga@ibanse.example", "password": PASSWORD})

        assert (response.status, response.headers["location"]) == (302, "/overview/")
        assert visitor.opens("/overview/").status == 200
        assert "olga@ibanse.example" in visitor.opens("/account/").body

    def test_key_works_from_its_networks_only(self, site: Proxy, bound: Program) -> None:
        allowed, refused = validate(site, bound, "127.0.0.2"), validate(site, bound, "127.0.0.1")

        assert (allowed.status, json.loads(allowed.body)["valid"]) == (200, True)
        assert (refused.status, problem_code(refused)) == (403, "address_not_allowed")
        assert "127.0.0.1" in json.loads(refused.body)["detail"]

    @pytest.mark.parametrize("name", FORGED)
    def test_forged_header_has_no_effect(self, site: Proxy, bound: Program, name: str) -> None:
        body = json.dumps({"iban": IBAN})
        head = (
            f"POST /api/v1/validate HTTP/1.1\r\nHost: {HOST}\r\nAuthorization: Bearer {bound.token}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\nConnection: close\r\n"
            f"{name}: {FORGED[name]}\r\n\r\n"
        )
        with site.connect("127.0.0.1") as connection:
            connection.sendall(f"{head}{body}".encode())
            response = b"".join(iter(lambda: connection.recv(65536), b""))

        assert response.startswith(b"HTTP/1.1 403 ")
        assert b"127.0.0.1 is not one of them" in response

    def test_forged_headers_do_not_hide_the_real_one(self, site: Proxy, bound: Program) -> None:
        elsewhere = dict.fromkeys(FORGED, "198.51.100.1")

        assert validate(site, bound, "127.0.0.2", **elsewhere).status == 200

    def test_forged_host_is_in_no_link(self, site: Proxy) -> None:
        forged = {"X-Forwarded-Host": "evil.example", "X-Host": "evil.example", "Forwarded": "host=evil.example"}

        response = site.asks("/", headers=forged)

        assert response.status == 200
        assert "evil.example" not in response.body + str(response.headers)


@pytest.mark.claim("encrypted_calls")
class TestPlainHttp:
    def test_pages_are_redirected_to_https(self, site: Proxy) -> None:
        for path in ("/", "/sign-in/?next=/overview/", "/api/docs/"):
            response = site.asks(path, encrypted=False)
            assert (response.status, response.headers["location"]) == (301, f"https://{HOST}{path}")

    def test_calls_are_refused(self, site: Proxy, production: Production) -> None:
        program = production.program()
        headers = {"Authorization": f"Bearer {program.token}", "Content-Type": "application/json"}

        response = site.asks(
            "/api/v1/validate", method="POST", body=json.dumps({"iban": IBAN}), encrypted=False, headers=headers
        )

        assert_problem_of_ibanse(response, "https_required")
        assert production.counted(program).units == 0

    def test_certbot_challenge_is_served(self, site: Proxy) -> None:
        challenge = site.folder / "acme" / ".well-known" / "acme-challenge" / "token"
        challenge.parent.mkdir(parents=True)
        challenge.write_text("token.thumbprint")

        response = site.asks("/.well-known/acme-challenge/token", encrypted=False)

        assert (response.status, response.body) == (200, "token.thumbprint")


@pytest.mark.claim("own_name_only")
class TestOtherHosts:
    def test_no_certificate(self, site: Proxy) -> None:
        with pytest.raises(ssl.SSLError, match="UNRECOGNIZED_NAME"):
            site.connect(name="evil.example")

    @pytest.mark.parametrize("name", ["evil.example", "127.0.0.1", f"{HOST}.evil.example", f"evil-{HOST}"])
    def test_no_response(self, site: Proxy, name: str) -> None:
        request = f"GET / HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n".encode()
        for connection in (socket.create_connection(("127.0.0.1", site.http), timeout=10), site.connect()):
            with connection, suppress(ConnectionResetError):
                connection.sendall(request)
                assert connection.recv(100) == b""


@pytest.mark.claim("own_name_only")
class TestLimits:
    def test_body_may_be_as_large_as_ibanse_allows(self, site: Proxy, production: Production) -> None:
        program = production.program()
        headers = {"Authorization": f"Bearer {program.token}", "Content-Type": "application/json"}

        def send(size: int) -> ProxyResponse:
            body = json.dumps({"iban": IBAN}).ljust(size)
            return site.asks("/api/v1/validate", method="POST", body=body, headers=headers)

        assert send(bodies.MAX_BODY_BYTES).status == 200
        assert_problem_of_ibanse(send(bodies.MAX_BODY_BYTES + 1), "too_large", {"bytes": bodies.MAX_BODY_BYTES})
        assert site.asks("/sign-in/", method="POST", body="x" * 1_100_000).status == 413

    @pytest.mark.parametrize("path", ["/nothing/", "/sign-in/", "/api/v1/nothing"])
    def test_large_unread_body_gets_a_response(self, site: Proxy, path: str) -> None:
        statuses = [site.asks(path, method="POST", body="x" * 1_000_000).status for _ in range(40)]

        assert set(statuses) <= {403, 404}

    @pytest.mark.claim("nothing_at_the_proxy")
    def test_no_body_is_written_to_disk(self, site: Proxy, production: Production) -> None:
        program = production.program()
        headers = {"Authorization": f"Bearer {program.token}", "Content-Type": "application/json"}
        temporary = site.folder / "temporary"
        before = {path: path.stat().st_mtime_ns for path in temporary.rglob("*")}
        batch = json.dumps({"ibans": [IBAN] * 1000}).ljust(bodies.MAX_BODY_BYTES)

        response = site.asks("/api/v1/validate/batch", method="POST", body=batch, headers=headers)

        # A file that was removed at once would have changed the time of its folder.
        assert (response.status, len(response.body) > 200_000) == (200, True)
        assert {path: path.stat().st_mtime_ns for path in temporary.rglob("*")} == before

    def test_too_many_requests_of_one_caller_are_refused(self, site: Proxy) -> None:
        deadline = time.monotonic() + 60
        statuses: set[int] = set()
        # A slow machine sends hardly more than the limit allows, so it takes many until the burst is used up.
        while len(statuses) < 2 and time.monotonic() < deadline:
            statuses.add(site.asks("/health/live", source="127.0.0.9").status)

        assert statuses == {200, 429}
        assert site.asks("/health/live", source="127.0.0.10").status == 200

    def test_slow_header_is_cut_off(self, site: Proxy) -> None:
        with site.connect() as connection:
            connection.sendall(b"GET / HTTP/1.1\r\nHost: ibanse.example\r\n")
            connection.settimeout(14)
            assert connection.recv(100) == b""


class TestResponses:
    def test_readiness_is_local_only(self, site: Proxy) -> None:
        assert site.asks("/health/ready").status == 200
        for path in ("/health/ready", "/health//ready", "/x/../health/ready", "/health/%72eady", "/health/ready?x"):
            assert site.asks(path, source="127.0.0.2").status == 404, path
        assert site.asks("/health/live", source="127.0.0.2").status == 200

    @pytest.mark.claim("https_only")
    def test_every_response_has_one_hsts_header(self, site: Proxy) -> None:
        for path in ("/", "/nothing/", "/api/docs/", "/api/v1/openapi.json", "/api/v1/nothing", "/health/live"):
            response = site.asks(path)
            assert response.headers["strict-transport-security"] == "max-age=63072000; includeSubDomains", path
            assert "nginx/" not in response.headers["server"]

    def test_pages_are_never_compressed(self, site: Proxy) -> None:
        response = site.asks("/sign-in/", headers={"Accept-Encoding": "gzip, br"})

        assert "content-encoding" not in response.headers

    def test_static_files_are_compressed_and_cached(self, site: Proxy, static: Path) -> None:
        names = re.findall(r'"/static/([^"]+\.(?:css|js))"', site.asks("/").body)
        assert names
        for name in names:
            response = site.asks(f"/static/{name}", headers={"Accept-Encoding": "gzip"})
            assert (response.status, response.headers["content-encoding"]) == (200, "gzip")
            assert response.headers["cache-control"] == "public, max-age=31536000, immutable"
            assert response.headers["content-length"] == str((static / f"{name}.gz").stat().st_size)
            assert response.headers["x-content-type-options"] == "nosniff"
            assert "strict-transport-security" in response.headers
        assert site.asks("/static/staticfiles.json").headers["cache-control"] == "max-age=3600"
        assert site.asks("/static/../keyring.sqlite3").status in {400, 404}
        assert site.asks("/static../keyring.sqlite3").status == 404

    def test_unavailable_page_allows_its_own_style_only(self) -> None:
        page = (CONFIGURATION / "ibanse" / "unavailable.html").read_text()
        style = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(style[0].encode()).digest()).decode()

        assert len(style) == 1
        assert f"style-src 'sha256-{digest}'" in (CONFIGURATION / "ibanse" / "site.conf").read_text()


def assert_problem_of_ibanse(response: ProxyResponse, code: str, values: dict[str, object] | None = None) -> None:
    """Assert that nginx responds exactly as ibanse would."""
    problem = json.loads(response.body)
    with translation.override("en"):
        ours = json.loads(
            problems.render(Problem(code, values=values), request_id=problem["request_id"], language="en")
        )
    assert response.status == ours["status"]
    assert response.headers["content-type"] == problems.CONTENT_TYPE
    assert problem == ours | {"type": f"https://{HOST}/api/docs/#{code}"}
