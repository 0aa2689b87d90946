"""While Redis is down the API goes on with limits per worker, and pages that count attempts refuse."""

import http.client
import os
import re
import signal
import time
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

import pytest
import redis

from apikeys.limits import rate
from tests.support import services
from tests.support.production import IBAN, Caller, Production, Program, Server, wait_until
from tests.support.programs import site as site_programs

pytestmark = pytest.mark.postgresql

WORKERS: Final = 2
PER_MINUTE: Final = 600
OUTAGE: Final = "each worker counts the API's limits for itself"
RECOVERY: Final = "REDIS_URL answers again"


class FetchedPage:
    """The response to a visitor who opens a page and sends its form."""

    def __init__(self, server: Server, path: str, fields: dict[str, str]) -> None:
        headers = {"Host": "ibanse.example", "X-Forwarded-Proto": "https", "X-Real-IP": "192.0.2.7"}
        headers |= {"Accept-Language": "en", "Referer": "https://ibanse.example/"}
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
        connection.request("GET", path, headers=headers)
        opened = connection.getresponse()
        form = opened.read().decode()
        cookies = "; ".join(cookie.partition(";")[0] for cookie in opened.headers.get_all("Set-Cookie", []))
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', form)
        assert token, form
        body = urlencode({"csrfmiddlewaretoken": token[1], **fields})
        headers |= {"Cookie": cookies, "Content-Type": "application/x-www-form-urlencoded"}
        connection.request("POST", path, body, headers)
        response = connection.getresponse()
        self.status, self.headers, self.text = response.status, response.headers, response.read().decode()
        connection.close()


def sign_in(server: Server) -> FetchedPage:
    return FetchedPage(server, "/sign-in/", {"login": "nobody@example.com", "password": "not the right one"})


def calls(server: Server, program: Program, count: int) -> tuple[list[int], float]:
    """Return the statuses of so many calls, each on its own connection, and the seconds of the slowest."""
    statuses, slowest = [], 0.0
    for _ in range(count):
        caller, began = Caller(server.port, program), time.monotonic()
        statuses.append(caller.call())
        slowest = max(slowest, time.monotonic() - began)
        caller.close()
    return statuses, slowest


def most(seconds: float, workers: int) -> float:
    """Return how many calls the workers may admit in that time when each counts for itself."""
    return workers * (rate.limit(PER_MINUTE).burst + seconds * PER_MINUTE / 60 + 1)


@pytest.fixture(scope="module")
def with_pages(production: Production) -> Production:
    """Return the site with its static files."""
    production.run(site_programs.collect_static)
    return production


@pytest.fixture
def site(with_pages: Production, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Production:
    """Return the site with its own Redis and log, in `tmp_path`."""
    monkeypatch.setitem(with_pages.environment, "REDIS_URL", f"unix://{tmp_path / 'redis.sock'}")
    monkeypatch.setitem(with_pages.environment, "IBANSE_LOG_DIR", str(tmp_path / "logs"))
    monkeypatch.setattr(with_pages, "logs", tmp_path / "logs")
    return with_pages


def log_lines(site: Production, text: str) -> int:
    """Return how many entries of the server's log contain a text."""
    return sum(text in entry.text for entry in site.log().entries())


@pytest.mark.claim("exact_limits")
def test_the_api_goes_on_per_worker_and_pages_that_count_tries_refuse(site: Production, tmp_path: Path) -> None:
    program, small = site.program(rate=PER_MINUTE), site.program(quota=20)
    with site.serving(workers=WORKERS) as server:
        began = time.monotonic()
        away, slowest = calls(server, program, 200)
        lasted = time.monotonic() - began
        of_the_quota, _ = calls(server, small, 30)
        signing_in, checking = sign_in(server), FetchedPage(server, "/", {"iban": IBAN})
        outages = log_lines(site, OUTAGE)

        with services.redis(tmp_path):
            wait_until(lambda: log_lines(site, RECOVERY) == outages)
            began = time.monotonic()
            back, _ = calls(server, program, 150)
            lasted_again = time.monotonic() - began
            signing_in_again, checking_again = sign_in(server), FetchedPage(server, "/", {"iban": IBAN})
        outages_again = log_lines(site, OUTAGE)

    # The API: no call fails or waits for it, limits hold for each worker, the quota is exact.
    assert set(away) == {200, 429}
    assert most(0, 1) - 1 <= away.count(200) <= most(lasted, WORKERS)
    assert slowest < 1
    assert of_the_quota.count(200) == 20
    # Pages: closed, with a message, and the typed IBAN is still there.
    assert signing_in.status == 503
    assert "protects accounts against guessing" in signing_in.text
    assert int(signing_in.headers["Retry-After"]) > 0
    assert checking.status == 503
    assert "Checks are not available right now" in checking.text
    assert IBAN in checking.text
    # Logged once by each worker, whatever the number of calls.
    assert 1 <= outages <= WORKERS
    # Afterwards: one limit for all workers together again, and signing in works.
    assert set(back) == {200, 429}
    assert back.count(200) <= most(lasted_again, 1)
    assert (signing_in_again.status, checking_again.status) == (200, 200)
    assert outages_again == outages


def test_a_redis_that_hangs_holds_up_only_who_meets_it_first(site: Production, tmp_path: Path) -> None:
    program = site.program(rate=PER_MINUTE)
    with services.redis(tmp_path) as url, site.serving(workers=1) as server:
        client: Any = redis.Redis.from_url(url)
        process = client.info()["process_id"]
        client.close()
        before, _ = calls(server, program, 5)
        os.kill(process, signal.SIGSTOP)
        began = time.monotonic()
        first, _ = calls(server, program, 1)
        first_waited = time.monotonic() - began
        rest, slowest = calls(server, program, 20)
        page = sign_in(server)
        os.kill(process, signal.SIGCONT)
        wait_until(lambda: log_lines(site, RECOVERY) == 1)
        after, _ = calls(server, program, 5)

    assert {*before, *first, *rest, *after} == {200}
    assert first_waited < 2
    assert slowest < 0.5
    assert page.status == 503


def test_a_restarted_redis_is_no_outage(site: Production, tmp_path: Path) -> None:
    program, pages = site.program(rate=PER_MINUTE), []
    with site.serving(workers=1) as server:
        for _ in range(2):
            with services.redis(tmp_path):
                pages.append(sign_in(server).status)
                statuses, _ = calls(server, program, 5)
        outages = log_lines(site, OUTAGE)

    assert set(statuses) == {200}
    assert pages == [200, 200]
    assert outages == 0
