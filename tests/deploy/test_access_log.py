"""nginx's logs: enough to see that something is wrong, nothing about what people check or who they are."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Self

import pytest

from tests.support.production import IBAN, Production, Program
from tests.support.proxy import HOST, NO_LIMIT, PRETENDED, FormBrowser, Proxy, proxy

pytestmark = [pytest.mark.deploy, pytest.mark.claim("proxy_log")]

COMPACT_IBAN: Final = IBAN.replace(" ", "")
LINE: Final = re.compile(
    r"(-|[0-9a-f.:]+/(?:24|48)) \[[0-9T:+-]{25}\] (-|[A-Z]+) (-|/[a-z1/-]*) (?:HTTP/\d\.\d)? ?(\d{3}) \d+ \d+\.\d{3}"
)
# IP addresses, and how they are logged.
LOGGED_NETWORKS: Final = {
    "192.0.2.77": "192.0.2.0/24",
    "203.0.113.255": "203.0.113.0/24",
    "2001:db8:1:2:3:4:5:6": "2001:db8:1::/48",
    "2001:db8:1::77": "2001:db8:1::/48",
    "2001:db8::77": "2001:db8::/48",
    "2001:db8::1:2:3:77": "2001:db8::/48",
    "fe80::77": "fe80::/48",
    "::77": "::/48",
}


@pytest.fixture(scope="module")
def site(production: Production, static: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    """Run the site, where callers can claim any IP address."""
    folder = tmp_path_factory.mktemp("access-log")
    listening = folder / "gunicorn.sock"
    with production.behind(listening), proxy(folder, [listening], static, NO_LIMIT | PRETENDED) as running:
        yield running


@pytest.fixture(scope="module")
def program(production: Production) -> Program:
    """Create a key."""
    return production.program()


class LoggedLines:
    """The fields of the lines that are logged within the context: network, method, start of the path, status."""

    def __init__(self, site: Proxy) -> None:
        self._site = site
        self.lines: list[tuple[str, ...]] = []

    def __enter__(self) -> Self:
        self._before = len(self._site.written())
        return self

    def __exit__(self, *_: object) -> None:
        for line in self._site.written()[self._before :].splitlines():
            parts = LINE.fullmatch(line)
            assert parts, line
            self.lines.append(parts.groups())


def calls(site: Proxy, path: str, token: str, **headers: str) -> int:
    """Return the status of a call with one IBAN."""
    all_headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json", **headers}
    return site.asks(path, method="POST", body=json.dumps({"iban": IBAN}), headers=all_headers).status


class TestAccessLog:
    @pytest.mark.parametrize("ip_address", LOGGED_NETWORKS)
    def test_ip_address_is_logged_as_its_network(self, site: Proxy, ip_address: str) -> None:
        with LoggedLines(site) as log:
            site.asks("/countries/", headers={"X-Pretend": ip_address})

        assert log.lines == [(LOGGED_NETWORKS[ip_address], "GET", "/countries", "200")]

    def test_path_is_logged_up_to_its_first_segment(self, site: Proxy) -> None:
        with LoggedLines(site) as log:
            site.asks(
                f"/sign-in/?next=/{COMPACT_IBAN}/",
                headers={"Referer": f"https://{HOST}/{COMPACT_IBAN}", "User-Agent": COMPACT_IBAN},
            )
            site.asks(f"/?iban={COMPACT_IBAN}")
            site.asks(f"/{COMPACT_IBAN}/")
            site.asks("/join/0123456789-secret/")
            site.asks("/alice@ibanse.example")

        assert [line[2:] for line in log.lines] == [
            ("/sign-in", "200"), ("/", "200"), ("-", "404"), ("/join", "404"), ("-", "404"),
        ]  # fmt: skip

    def test_check_is_not_logged(self, site: Proxy, program: Program) -> None:
        visitor = FormBrowser(site)
        visitor.opens("/")
        with LoggedLines(site) as log:
            assert calls(site, "/api/v1/validate", program.token) == 200
            assert calls(site, "/api/v1/validate/", program.token) == 404
            assert calls(site, f"/api/v1/validate?iban={COMPACT_IBAN}", program.token) == 400
            assert site.asks("/health/live").status == 200
        assert log.lines == []

        with LoggedLines(site) as log:
            assert visitor.sends("/", {"iban": IBAN}).status == 200
        # The visitor opens the page before it sends the form.
        assert [line[1:] for line in log.lines] == [("GET", "/", "200")]

    def test_refused_call_is_logged(self, site: Proxy, program: Program) -> None:
        with LoggedLines(site) as log:
            assert calls(site, "/api/v1/validate", program.token[:-1]) == 401

        assert log.lines == [("127.0.0.0/24", "POST", "/api/v1/validate", "401")]

    def test_marked_request_is_not_logged(self, site: Proxy, program: Program) -> None:
        with LoggedLines(site) as log:
            assert calls(site, "/api/v1/validate", program.token[:-1], **{"X-No-Log": "1"}) == 401
            assert site.asks("/countries/", headers={"X-No-Log": "1"}).status == 200
            assert site.asks("/countries/", headers={"X-No-Log": "true"}).status == 200
        assert log.lines == []

        with LoggedLines(site) as log:
            assert site.asks("/countries/", headers={"X-No-Log": "0"}).status == 200
        assert len(log.lines) == 1


class TestBothLogs:
    def test_logs_contain_nothing_of_failing_requests(self, tmp_path: Path) -> None:
        secret = "ibanse_live_0123456789_secret"
        listening = tmp_path / "gunicorn.sock"
        changed = {"rate=200r/s": "rate=1r/s", "burst=400": "burst=3"}
        with proxy(tmp_path, [listening], changed=changed | PRETENDED) as site:
            headers = {"X-Pretend": "192.0.2.77", "User-Agent": COMPACT_IBAN, "Referer": COMPACT_IBAN}
            statuses = {
                calls(site, f"/api/v1/validate?iban={COMPACT_IBAN}", secret, **headers),
                site.asks(f"/api/v1/{COMPACT_IBAN}", method="POST", body="x" * 1_600_000, headers=headers).status,
                *(calls(site, f"/api/v1/validate?iban={COMPACT_IBAN}", secret, **headers) for _ in range(5)),
                site.asks(f"/{COMPACT_IBAN}?iban={COMPACT_IBAN}", headers=headers).status,
                site.asks(f"/{COMPACT_IBAN}?{'x' * 9000}", headers=headers).status,
                site.asks(f"/static/{COMPACT_IBAN}", headers=headers).status,
                site.asks("/health/ready", headers=headers).status,
                site.asks(f"/{COMPACT_IBAN}", encrypted=False, headers=headers).status,
            }
            with site.connect() as connection:
                connection.sendall(f"GET /{COMPACT_IBAN} {COMPACT_IBAN} HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode())
                connection.recv(100)
            site.reload()
            logs = site.written("access") + site.written("error")

        assert statuses == {301, 404, 413, 414, 429, 503}
        for trace in (COMPACT_IBAN, COMPACT_IBAN[:9], secret, "0123456789", "192.0.2.77", "iban=", "?"):
            assert trace not in logs
        assert "reconfiguring" in logs
        assert "192.0.2.0/24" in logs
        assert "POST /api/v1/validate HTTP/1.1 503" in logs
