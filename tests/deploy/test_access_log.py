"""What nginx writes down: enough to see that something is wrong, nothing of what people check and who they are."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Self

import pytest

from tests.support.production import IBAN, Production, Program
from tests.support.proxy import HOST, NO_LIMIT, PRETENDED, FormBrowser, Proxy, proxy

pytestmark = [pytest.mark.deploy, pytest.mark.claim("proxy_log")]

NUMBER: Final = IBAN.replace(" ", "")
LINE: Final = re.compile(
    r"(-|[0-9a-f.:]+/(?:24|48)) \[[0-9T:+-]{25}\] (-|[A-Z]+) (-|/[a-z1/-]*) (?:HTTP/\d\.\d)? ?(\d{3}) \d+ \d+\.\d{3}"
)
# An address, and how it is written: its network of 256, and of IPv6 what a whole house or company has.
ADDRESSES: Final = {
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
    """Run the site, where callers may pretend to come from anywhere."""
    folder = tmp_path_factory.mktemp("access-log")
    listening = folder / "gunicorn.sock"
    with production.behind(listening), proxy(folder, [listening], static, NO_LIMIT | PRETENDED) as running:
        yield running


@pytest.fixture(scope="module")
def program(production: Production) -> Program:
    """Create a key."""
    return production.program()


class Watched:
    """The lines that are written within the context, taken apart: network, method, place, status."""

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
    """Return the status of a call for one number."""
    told = {"Authorization": f"Bearer {token}", "Content-Type": "application/json", **headers}
    return site.asks(path, method="POST", body=json.dumps({"iban": IBAN}), headers=told).status


class TestTheAccessLog:
    @pytest.mark.parametrize("address", ADDRESSES)
    def test_an_address_is_written_as_its_network(self, site: Proxy, address: str) -> None:
        with Watched(site) as log:
            site.asks("/countries/", headers={"X-Pretend": address})

        assert log.lines == [(ADDRESSES[address], "GET", "/countries", "200")]

    def test_a_page_is_a_word_without_what_follows(self, site: Proxy) -> None:
        with Watched(site) as log:
            site.asks(
                f"/sign-in/?next=/{NUMBER}/", headers={"Referer": f"https://{HOST}/{NUMBER}", "User-Agent": NUMBER}
            )
            site.asks(f"/?iban={NUMBER}")
            site.asks(f"/{NUMBER}/")
            site.asks("/join/0123456789-secret/")
            site.asks("/alice@ibanse.example")

        assert [line[2:] for line in log.lines] == [
            ("/sign-in", "200"), ("/", "200"), ("-", "404"), ("/join", "404"), ("-", "404"),
        ]  # fmt: skip

    def test_a_check_leaves_no_line_by_the_api_nor_by_the_page(self, site: Proxy, program: Program) -> None:
        visitor = FormBrowser(site)
        visitor.opens("/")
        with Watched(site) as log:
            assert calls(site, "/api/v1/validate", program.token) == 200
            assert calls(site, "/api/v1/validate/", program.token) == 404
            assert calls(site, f"/api/v1/validate?iban={NUMBER}", program.token) == 400
            assert site.asks("/health/live").status == 200
        assert log.lines == []

        with Watched(site) as log:
            assert visitor.sends("/", {"iban": IBAN}).status == 200
        # That the page was opened, before the form was sent.
        assert [line[1:] for line in log.lines] == [("GET", "/", "200")]

    def test_a_call_without_a_right_to_it_does(self, site: Proxy, program: Program) -> None:
        with Watched(site) as log:
            assert calls(site, "/api/v1/validate", program.token[:-1]) == 401

        assert log.lines == [("127.0.0.0/24", "POST", "/api/v1/validate", "401")]

    def test_nothing_is_written_of_what_is_marked(self, site: Proxy, program: Program) -> None:
        with Watched(site) as log:
            assert calls(site, "/api/v1/validate", program.token[:-1], **{"X-No-Log": "1"}) == 401
            assert site.asks("/countries/", headers={"X-No-Log": "1"}).status == 200
            assert site.asks("/countries/", headers={"X-No-Log": "true"}).status == 200
        assert log.lines == []

        with Watched(site) as log:
            assert site.asks("/countries/", headers={"X-No-Log": "0"}).status == 200
        assert len(log.lines) == 1


class TestBothLogs:
    def test_they_hold_nothing_of_a_request_whatever_goes_wrong(self, tmp_path: Path) -> None:
        secret = "ibanse_live_0123456789_secret"
        listening = tmp_path / "gunicorn.sock"
        changed = {"rate=200r/s": "rate=1r/s", "burst=400": "burst=3"}
        with proxy(tmp_path, [listening], changed=changed | PRETENDED) as site:
            told = {"X-Pretend": "192.0.2.77", "User-Agent": NUMBER, "Referer": NUMBER}
            statuses = {
                calls(site, f"/api/v1/validate?iban={NUMBER}", secret, **told),
                site.asks(f"/api/v1/{NUMBER}", method="POST", body="x" * 1_600_000, headers=told).status,
                *(calls(site, f"/api/v1/validate?iban={NUMBER}", secret, **told) for _ in range(5)),
                site.asks(f"/{NUMBER}?iban={NUMBER}", headers=told).status,
                site.asks(f"/{NUMBER}?{'x' * 9000}", headers=told).status,
                site.asks(f"/static/{NUMBER}", headers=told).status,
                site.asks("/health/ready", headers=told).status,
                site.asks(f"/{NUMBER}", encrypted=False, headers=told).status,
            }
            with site.connect() as connection:
                connection.sendall(f"GET /{NUMBER} {NUMBER} HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode())
                connection.recv(100)
            site.reload()
            logs = site.written("access") + site.written("error")

        assert statuses == {301, 404, 413, 414, 429, 503}
        for trace in (NUMBER, NUMBER[:9], secret, "0123456789", "192.0.2.77", "iban=", "?"):
            assert trace not in logs
        assert "reconfiguring" in logs
        assert "192.0.2.0/24" in logs
        assert "POST /api/v1/validate HTTP/1.1 503" in logs
