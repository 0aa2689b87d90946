"""What a client does not want stored is nowhere: a canary goes through every entry, then every file is searched.

Searched are the databases with their write-ahead logs, the keyring, the spool, temporary files and the server's own
logs: after the server was killed, so that nothing is tidied up, and after it has ended in order. Of the sealed log
nothing at all can be read on the machine.
"""

import http.client
import json
import os
import random
import re
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import urlencode, urlsplit

import psycopg
import pytest

from tests.support import canary, services
from tests.support.production import Production, Server, wait_until
from tests.support.programs import canary as canary_programs
from tests.support.programs import site as site_programs
from validation.engine.national import mod_97_10

pytestmark = pytest.mark.claim("sealed_log")

_HOST: Final = "ibanse.example"


class CanaryClient(NamedTuple):
    """A client, its key and the session of its owner."""

    client: str
    token: str
    session: str


class CanarySite:
    """A site that is sent a canary, and everything that it writes."""

    def __init__(self, production: Production, temporary: Path) -> None:
        self.production = production
        self.temporary = temporary
        self.started_at = time.time() - 1
        self.iban = make_canary()

    @contextmanager
    def serving(self) -> Iterator[Server]:
        """Run the site with built-in faults."""
        port = services.free_port()
        command = [sys.executable, "-m", "gunicorn", "-c", "deploy/gunicorn.conf.py", "--bind", f"127.0.0.1:{port}"]
        environment = self.production.environment | {"IBANSE_WORKERS": "1", "TMPDIR": str(self.temporary)}
        command.append("tests.support.leaky:application")
        with services.serving(command, self.temporary, port, environment) as process:
            server = Server(process, port)
            wait_until(lambda: len(server.ready()) == 1, seconds=services.STARTS_WITHIN_SECONDS)
            yield server

    def create_client(self, mode: str) -> CanaryClient:
        """Make a client with a mode of check logging."""
        return CanaryClient(*self.production.run(canary_programs.create_client, mode))

    def found(self) -> list[str]:
        """Return where the canary is in clear."""
        places = [self.production.spools.parent, self.temporary]
        with self._postgresql() as written:
            return [line for place in [*places, *written] for line in canary.found_in(place, [self.iban])]

    @contextmanager
    def _postgresql(self) -> Iterator[list[Path]]:
        """Yield a folder with links to what PostgreSQL has written since the beginning: tables and write-ahead log."""
        if urlsplit(self.production.database).scheme == "sqlite":
            yield []
            return
        with psycopg.connect(self.production.database, autocommit=True) as server:
            server.execute("CHECKPOINT")
            row = server.execute("SHOW data_directory").fetchone()
        assert row is not None
        data = Path(row[0])
        links = self.temporary.with_name(self.temporary.name + "-postgresql")
        links.mkdir()
        for index, path in enumerate([*data.rglob("*"), *data.parent.glob("log*")]):
            if path.is_file() and path.stat().st_mtime >= self.started_at:
                (links / f"{index}-{path.name}").symlink_to(path)
        assert any(links.iterdir()), "PostgreSQL's files are not on this machine, or cannot be read"
        try:
            yield [links]
        finally:
            for link in links.iterdir():
                link.unlink()
            links.rmdir()


def make_canary() -> str:
    """Return another valid IBAN for each test: one of another test would be found, too."""
    bban = f"500{random.randrange(10**16):016d}{random.randrange(10)}"
    return f"SE{mod_97_10(bban + 'SE00')}{bban}"


class RawClient:
    """Sends requests as a program or a browser does, with the headers that nginx adds."""

    def __init__(self, port: int, canary_client: CanaryClient) -> None:
        self._port = port
        self._client = canary_client

    def calls(self, path: str, body: Any, **headers: str) -> int:
        """Return the status of a call of the API; a broken connection is an error of the server's, 500."""
        request_headers = {
            "Authorization": f"Bearer {self._client.token}",
            "Content-Type": "application/json",
            **headers,
        }
        return self._request("POST", path, json.dumps(body), request_headers)[0]

    def checks(self, text: str, *, signed_in: bool) -> int:
        """Return the status of the check page."""
        cookies = {"session": self._client.session} if signed_in else {}
        _, response = self._request("GET", "/", "", {"Cookie": cookie_header(cookies)})
        cookies["csrftoken"] = response["csrftoken"]
        form = urlencode({"iban": text, "csrfmiddlewaretoken": response["csrftoken"]})
        headers = {"Cookie": cookie_header(cookies), "Content-Type": "application/x-www-form-urlencoded"}
        return self._request("POST", "/", form, headers)[0]

    def _request(self, method: str, path: str, body: str, headers: dict[str, str]) -> tuple[int, dict[str, str]]:
        common = {"Host": _HOST, "X-Forwarded-Proto": "https", "X-Real-IP": "192.0.2.7", "Referer": f"https://{_HOST}/"}
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=20)
        try:
            connection.request(method, path, body, common | headers)
            response = connection.getresponse()
            response.read()
        finally:
            connection.close()
        pairs = (cookie.split(";")[0].split("=", 1) for cookie in response.headers.get_all("Set-Cookie") or [])
        return response.status, dict(pairs)


def cookie_header(cookies: dict[str, str]) -> str:
    """Return the cookies as a header."""
    return "; ".join(f"{name}={value}" for name, value in cookies.items())


def use_every_entry(raw_client: RawClient, iban: str, **headers: str) -> None:
    """Send the IBAN to every entry, in valid and invalid requests; each must respond as it should."""
    spaced = " ".join(iban[start : start + 4] for start in range(0, len(iban), 4))
    unreadable = iban[:-1] + "?"
    statuses_by_entry = {
        "page": [raw_client.checks(spaced, signed_in=False)] if not headers else [],
        "page, signed in": [raw_client.checks(spaced, signed_in=True)] if not headers else [],
        "single": [raw_client.calls("/api/v1/validate", {"iban": text}, **headers) for text in (iban, iban.lower())],
        "batch": [raw_client.calls("/api/v1/validate/batch", {"ibans": [iban, spaced, iban[:-1]]}, **headers)],
        "recover": [raw_client.calls("/api/v1/recover", {"iban": unreadable}, **headers)],
        "extract": [raw_client.calls("/api/v1/extract", {"text": f"Pay to {spaced}, please."}, **headers)],
        "calculate": [calculated(raw_client, iban, **headers)],
    }
    assert {status for statuses in statuses_by_entry.values() for status in statuses} == {200}, statuses_by_entry
    refused = [
        raw_client.calls("/api/v1/validate", {"iban": iban, iban: 1}, **headers),
        raw_client.calls("/api/v1/validate", [iban], **headers),
        raw_client.calls(f"/api/v1/validate?iban={iban}", {"iban": iban}, **headers),
        raw_client.calls(f"/api/v1/{iban}", {"iban": iban}, **headers),
        raw_client.calls("/api/v1/validate", {"iban": iban}, **{**headers, "Content-Type": f"text/{iban}"}),
        raw_client.calls("/api/v1/validate", {"iban": iban}, **{**headers, "Authorization": f"Bearer {iban}"}),
        raw_client.calls("/api/v1/validate", {"iban": iban}, **{**headers, "X-Request-Id": f"{iban}!"}),
    ]
    assert refused == [400, 400, 400, 404, 415, 401, 200]
    assert raw_client.calls("/api/v1/validate", {"iban": f"FAIL{spaced}"}, **headers) == 500
    if not headers:
        assert raw_client.checks(f"FAIL{spaced}", signed_in=True) == 500


def calculated(raw_client: RawClient, iban: str, **headers: str) -> int:
    """Calculate the IBAN from its parts: the bank code of three digits, and the rest."""
    parts = {"country": "SE", "bank_code": iban[4:7], "account_number": iban[7:]}
    return raw_client.calls("/api/v1/calculate", parts, **headers)


@pytest.fixture
def site(production: Production, tmp_path: Path) -> CanarySite:
    """Return a site with static files, which its pages need."""
    production.run(site_programs.collect_static)
    return CanarySite(production, tmp_path)


@pytest.mark.claim("off_is_never_written")
class TestTheCanary:
    def test_nothing_of_it_is_anywhere_when_nothing_is_stored(self, site: CanarySite) -> None:
        with site.serving() as server:
            use_every_entry(RawClient(server.port, site.create_client("off")), site.iban)
            server.kill_everything()
        assert site.found() == []

        with site.serving() as server:
            server.ends()
        assert site.found() == []

    def test_nothing_is_in_clear_when_everything_is_stored(self, site: CanarySite) -> None:
        with site.serving() as server:
            canary_client = site.create_client("full")
            use_every_entry(RawClient(server.port, canary_client), site.iban)
            server.kill_everything()
        assert site.found() == []

        with site.serving() as server:
            server.ends()
        assert site.found() == []
        # The page, three single calls, three IBANs in a batch, one in a text and one calculated.
        assert site.production.run(canary_programs.count_records, canary_client.client) == 9

    @pytest.mark.claim("one_silent_call")
    def test_a_call_without_logging_leaves_nothing_in_any_mode(self, site: CanarySite) -> None:
        canary_client = site.create_client("full")
        with site.serving() as server:
            use_every_entry(RawClient(server.port, canary_client), site.iban, **{"X-No-Log": "1"})
            server.ends()
        assert site.found() == []
        assert site.production.run(canary_programs.count_records, canary_client.client) == 0

    def test_the_search_finds_a_careless_print(self, site: CanarySite) -> None:
        with site.serving() as server:
            RawClient(server.port, site.create_client("off")).calls("/api/v1/validate", {"iban": f"LEAK{site.iban}"})
            server.ends()

        assert any(line.startswith("log: ") for line in site.found())


class TestTheLog:
    EMAIL: Final = "alice@example.org"
    KEY: Final = "ibanse_live_0123456789_" + "aB3" * 16 + "z"

    def test_nothing_of_it_can_be_read_here_and_all_of_it_where_the_private_key_is(self, site: CanarySite) -> None:
        before = set(site.production.logs.glob("*"))
        with site.serving() as server:
            raw_client = RawClient(server.port, site.create_client("off"))
            secrets = f"{site.iban} {self.EMAIL} {self.KEY}"
            assert raw_client.calls("/api/v1/validate", {"iban": f"FAIL{secrets}"}) == 500
            assert raw_client.checks(f"FAIL{secrets}", signed_in=True) == 500
            assert raw_client.calls(f"/FAIL/{site.iban}", {}) == 500
            worker = server.workers()[0]
            os.kill(worker, signal.SIGKILL)
            wait_until(lambda: server.ready() not in ([], [worker]))
            server.ends()
        journal = (site.temporary / "log").read_text()
        assert site.found() == []
        assert self.readable(site) == []

        log = site.production.log()
        entries = list(log.entries())
        text = "\n".join(entry.text for entry in entries)
        for line in (
            "RuntimeError: Cannot judge [IBAN] [e-mail] [key]\n",
            "ERROR django.request Internal Server Error: /\nTraceback",
            "ERROR gunicorn.error Error handling request POST /FAIL/[IBAN]\nTraceback",
            f"INFO gunicorn.error Booting worker with pid: {worker}\n",
            f"ERROR gunicorn.error Worker (pid:{worker}) was sent SIGKILL!",
        ):
            assert line in f"{text}\n"
        # What is incomplete hours later: the killed worker's last segment, and no other of this site.
        later = datetime.now(UTC) + timedelta(hours=3)
        wrong = [problem for problem in log.problems(as_of=later) if site.production.logs / problem.file not in before]
        assert len(wrong) == 1
        assert "has no trailer: its process was killed" in wrong[0].what
        # The journal names the sealed file, and the site's start and end.
        notice = re.search(r"ERROR gunicorn\.error: RuntimeError in support/leaky\.py:\d+; sealed in (\S+),", journal)
        assert notice
        assert notice[1] == wrong[0].file
        assert " INFO gunicorn.error Listening at: " in journal
        assert f"Worker (pid:{worker}) was sent SIGKILL!" in journal

    def readable(self, site: CanarySite) -> list[str]:
        """Return the files in which a word of the log can be read."""
        words = ("Traceback", "Cannot judge", "Nobody handles", "Internal Server Error", self.EMAIL, self.KEY)
        places = (site.production.spools.parent, site.temporary)
        files = [path for place in places for path in place.rglob("*") if path.is_file()]
        return [f"{path}: {word}" for path in files for word in words if word.encode() in path.read_bytes()]
