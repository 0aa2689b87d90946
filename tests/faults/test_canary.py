"""What a client does not want kept is nowhere: a canary goes through every door, then every file is searched.

Searched are the databases with their logs, the keyring, the spool, temporary files and whatever the server has written
about itself; while it runs (it is killed, so that nothing is tidied up) and after it has ended in order. Of the log
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
from validation.engine.national import mod_97_10

pytestmark = pytest.mark.claim("sealed_log")

_HOST: Final = "ibanse.example"
_MAKE: Final = """
from datetime import timedelta
from importlib import import_module
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.utils import timezone
from accounts.actor import Actor
from accounts.models import Client, User
from apikeys import keys
from privacy.models import PrivacySettings

client = Client.objects.create()
PrivacySettings.objects.create(client=client, mode=told["mode"])
user = User.objects.create_user(f"{client.pk}@example.com", "a password that nobody types", client=client, role="owner")
draft = keys.Draft("Canary", ("validate", "tools"), timezone.now() + timedelta(days=1))
session = import_module(settings.SESSION_ENGINE).SessionStore()
session[SESSION_KEY] = str(user.pk)
session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
session[HASH_SESSION_KEY] = user.get_session_auth_hash()
session.save()
print(client.pk, keys.create(client, draft, by=Actor(user))[1], session.session_key)
"""


class Cage(NamedTuple):
    """A client, its key and the session of its owner."""

    client: str
    token: str
    session: str


class Mine:
    """A site with a canary in it, and everything that it writes."""

    def __init__(self, production: Production, temporary: Path) -> None:
        self.production = production
        self.temporary = temporary
        self.began = time.time() - 1
        self.iban = iban_that_nobody_has()

    @contextmanager
    def serving(self) -> Iterator[Server]:
        """Run the site with its faults."""
        port = services.free_port()
        command = [sys.executable, "-m", "gunicorn", "-c", "deploy/gunicorn.conf.py", "--bind", f"127.0.0.1:{port}"]
        told = self.production.environment | {"IBANSE_WORKERS": "1", "TMPDIR": str(self.temporary)}
        with services.serving([*command, "tests.faults.leaky:application"], self.temporary, port, told) as process:
            server = Server(process, port)
            wait_until(lambda: len(server.ready()) == 1)
            yield server

    def caged(self, mode: str) -> Cage:
        """Make a client that wants so much kept."""
        return Cage(*self.production.does(_MAKE, mode=mode).splitlines()[-1].split())

    def found(self) -> list[str]:
        """Return where the canary is in clear."""
        places = [self.production.spools.parent, self.temporary]
        with self._postgresql() as written:
            return [line for place in [*places, *written] for line in canary.found_in(place, [self.iban])]

    @contextmanager
    def _postgresql(self) -> Iterator[list[Path]]:
        """Yield a folder with links to what PostgreSQL has written since the beginning: tables, its log of changes."""
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
        for number, path in enumerate([*data.rglob("*"), *data.parent.glob("log*")]):
            if path.is_file() and path.stat().st_mtime >= self.began:
                (links / f"{number}-{path.name}").symlink_to(path)
        assert any(links.iterdir()), "PostgreSQL's files are not on this machine, or cannot be read"
        try:
            yield [links]
        finally:
            for link in links.iterdir():
                link.unlink()
            links.rmdir()


def iban_that_nobody_has() -> str:
    """Return a valid number of its own for each test: another test's would be found, too."""
    bban = f"500{random.randrange(10**16):016d}{random.randrange(10)}"
    return f"SE{mod_97_10(bban + 'SE00')}{bban}"


class Browser:
    """Asks as a program or a person does, through what nginx adds."""

    def __init__(self, port: int, cage: Cage) -> None:
        self._port = port
        self._cage = cage

    def calls(self, path: str, body: Any, **headers: str) -> int:
        """Return the status of a call of the API; a broken connection is an error of the server's, 500."""
        told = {"Authorization": f"Bearer {self._cage.token}", "Content-Type": "application/json", **headers}
        return self._asks("POST", path, json.dumps(body), told)[0]

    def checks(self, text: str, *, signed_in: bool) -> int:
        """Return the status of the check page."""
        cookies = {"session": self._cage.session} if signed_in else {}
        _, response = self._asks("GET", "/", "", {"Cookie": written(cookies)})
        cookies["csrftoken"] = response["csrftoken"]
        form = urlencode({"iban": text, "csrfmiddlewaretoken": response["csrftoken"]})
        headers = {"Cookie": written(cookies), "Content-Type": "application/x-www-form-urlencoded"}
        return self._asks("POST", "/", form, headers)[0]

    def _asks(self, method: str, path: str, body: str, headers: dict[str, str]) -> tuple[int, dict[str, str]]:
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


def written(cookies: dict[str, str]) -> str:
    """Return the cookies as a header."""
    return "; ".join(f"{name}={value}" for name, value in cookies.items())


def go_through_every_door(browser: Browser, iban: str, **headers: str) -> None:
    """Check the number by every door, well and badly; each door must do what it is there for."""
    spaced = " ".join(iban[start : start + 4] for start in range(0, len(iban), 4))
    unreadable = iban[:-1] + "?"
    answered = {
        "page": [browser.checks(spaced, signed_in=False)] if not headers else [],
        "page, signed in": [browser.checks(spaced, signed_in=True)] if not headers else [],
        "single": [browser.calls("/api/v1/validate", {"iban": text}, **headers) for text in (iban, iban.lower())],
        "batch": [browser.calls("/api/v1/validate/batch", {"ibans": [iban, spaced, iban[:-1]]}, **headers)],
        "recover": [browser.calls("/api/v1/recover", {"iban": unreadable}, **headers)],
        "extract": [browser.calls("/api/v1/extract", {"text": f"Pay to {spaced}, please."}, **headers)],
        "calculate": [calculated(browser, iban, **headers)],
    }
    assert {status for statuses in answered.values() for status in statuses} == {200}, answered
    refused = [
        browser.calls("/api/v1/validate", {"iban": iban, iban: 1}, **headers),
        browser.calls("/api/v1/validate", [iban], **headers),
        browser.calls(f"/api/v1/validate?iban={iban}", {"iban": iban}, **headers),
        browser.calls(f"/api/v1/{iban}", {"iban": iban}, **headers),
        browser.calls("/api/v1/validate", {"iban": iban}, **{**headers, "Content-Type": f"text/{iban}"}),
        browser.calls("/api/v1/validate", {"iban": iban}, **{**headers, "Authorization": f"Bearer {iban}"}),
        browser.calls("/api/v1/validate", {"iban": iban}, **{**headers, "X-Request-Id": f"{iban}!"}),
    ]
    assert refused == [400, 400, 400, 404, 415, 401, 200]
    assert browser.calls("/api/v1/validate", {"iban": f"FAIL{spaced}"}, **headers) == 500
    if not headers:
        assert browser.checks(f"FAIL{spaced}", signed_in=True) == 500


def calculated(browser: Browser, iban: str, **headers: str) -> int:
    """Make the number of its parts: the bank code of three digits, and all of the rest."""
    parts = {"country": "SE", "bank_code": iban[4:7], "account_number": iban[7:]}
    return browser.calls("/api/v1/calculate", parts, **headers)


@pytest.fixture
def mine(production: Production, tmp_path: Path) -> Mine:
    """Return a site with pages to put a canary into."""
    collect = "from django.core.management import call_command; call_command('collectstatic', interactive=False)"
    production.does(collect)
    return Mine(production, tmp_path)


def kill(server: Server) -> None:
    """End the server as a power cut would: nothing is tidied up."""
    server.kill_everything()


@pytest.mark.claim("off_is_never_written")
class TestTheCanary:
    def test_nothing_of_it_is_anywhere_when_nothing_is_to_be_kept(self, mine: Mine) -> None:
        with mine.serving() as server:
            go_through_every_door(Browser(server.port, mine.caged("off")), mine.iban)
            kill(server)
        assert mine.found() == []

        with mine.serving() as server:
            server.ends()
        assert mine.found() == []

    def test_nothing_is_in_clear_when_all_is_kept(self, mine: Mine) -> None:
        with mine.serving() as server:
            cage = mine.caged("full")
            go_through_every_door(Browser(server.port, cage), mine.iban)
            kill(server)
        assert mine.found() == []

        with mine.serving() as server:
            server.ends()
        assert mine.found() == []
        # The page, three single calls, three numbers in a batch, one in a text and one calculated.
        assert kept(mine.production, cage) == 9

    @pytest.mark.claim("one_silent_call")
    def test_a_call_that_asks_for_silence_leaves_nothing_whatever_the_mode(self, mine: Mine) -> None:
        cage = mine.caged("full")
        with mine.serving() as server:
            go_through_every_door(Browser(server.port, cage), mine.iban, **{"X-No-Log": "1"})
            server.ends()
        assert mine.found() == []
        assert kept(mine.production, cage) == 0

    def test_the_search_finds_a_careless_print(self, mine: Mine) -> None:
        with mine.serving() as server:
            Browser(server.port, mine.caged("off")).calls("/api/v1/validate", {"iban": f"LEAK{mine.iban}"})
            server.ends()

        assert any(line.startswith("log: ") for line in mine.found())


class TestTheLog:
    EMAIL: Final = "alice@example.org"
    KEY: Final = "ibanse_live_0123456789_" + "aB3" * 16 + "z"

    def test_nothing_of_it_can_be_read_here_and_all_of_it_where_the_private_key_is(self, mine: Mine) -> None:
        before = set(mine.production.logs.glob("*"))
        with mine.serving() as server:
            browser = Browser(server.port, mine.caged("off"))
            secrets = f"{mine.iban} {self.EMAIL} {self.KEY}"
            assert browser.calls("/api/v1/validate", {"iban": f"FAIL{secrets}"}) == 500
            assert browser.checks(f"FAIL{secrets}", signed_in=True) == 500
            assert browser.calls(f"/FAIL/{mine.iban}", {}) == 500
            worker = server.workers()[0]
            os.kill(worker, signal.SIGKILL)
            wait_until(lambda: server.ready() not in ([], [worker]))
            server.ends()
        journal = (mine.temporary / "log").read_text()
        assert mine.found() == []
        assert self.readable(mine) == []

        log = mine.production.log()
        entries = list(log.entries())
        said = "\n".join(entry.text for entry in entries)
        for line in (
            "RuntimeError: Cannot judge [IBAN] [e-mail] [key]\n",
            "ERROR django.request Internal Server Error: /\nTraceback",
            "ERROR gunicorn.error Error handling request POST /FAIL/[IBAN]\nTraceback",
            f"INFO gunicorn.error Booting worker with pid: {worker}\n",
            f"ERROR gunicorn.error Worker (pid:{worker}) was sent SIGKILL!",
        ):
            assert line in f"{said}\n"
        # What is wrong hours later: the killed worker's last segment, and no other of this site's.
        later = datetime.now(UTC) + timedelta(hours=3)
        wrong = [problem for problem in log.problems(as_of=later) if mine.production.logs / problem.file not in before]
        assert len(wrong) == 1
        assert "has no trailer: its process was killed" in wrong[0].what
        # The journal says where to look, and how the site starts and ends.
        notice = re.search(r"ERROR gunicorn\.error: RuntimeError in faults/leaky\.py:\d+; sealed in (\S+),", journal)
        assert notice
        assert notice[1] == wrong[0].file
        assert " INFO gunicorn.error Listening at: " in journal
        assert f"Worker (pid:{worker}) was sent SIGKILL!" in journal

    def readable(self, mine: Mine) -> list[str]:
        """Return the files in which a word of what was logged can be read."""
        words = ("Traceback", "Cannot judge", "Nobody handles", "Internal Server Error", self.EMAIL, self.KEY)
        places = (mine.production.spools.parent, mine.temporary)
        files = [path for place in places for path in place.rglob("*") if path.is_file()]
        return [f"{path}: {word}" for path in files for word in words if word.encode() in path.read_bytes()]


def kept(production: Production, cage: Cage) -> int:
    """Return how many rows the log has of the client."""
    count = (
        "from validation.models import ValidationRecord as R; print(R.objects.filter(client=told['client']).count())"
    )
    return int(production.does(count, client=cage.client))
