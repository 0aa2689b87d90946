"""Programs call through nginx all the time, while something behind it is exchanged, killed or away.

No request is lost when a process is exchanged in order, and no record of an answered call whatever happens.
"""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import services
from tests.support.production import Caller, Load, Production, Program, Server, wait_until
from tests.support.proxy import NO_LIMIT, Proxy, proxy

pytestmark = pytest.mark.deploy


class Site:
    """gunicorn with two workers behind nginx, and a program that calls."""

    def __init__(self, production: Production, proxy: Proxy, server: Server, program: Program) -> None:
        self.production, self.proxy, self.server, self.program = production, proxy, server, program

    def load(self, kind: type[Caller]) -> Load:
        """Return calls for as long as the context lasts, each thread in its own way."""
        return Load(lambda: kind(self.proxy.https, self.program, self.proxy.connection()), self.program)

    def assert_every_response_counts_once(self, load: Load) -> None:
        """Fail if a call that was answered is missing or doubled; one that was not may count or not."""
        self.server.ends()
        not_answered = load.seen[0] + load.seen[503]
        counted = self.production.settled(self.program, lambda now: now.units >= load.answered and not now.leases)

        assert load.answered > 50
        assert load.answered <= counted.units <= load.answered + not_answered
        assert counted.by_key == counted.units
        assert counted.taken == counted.units
        assert counted.leases == 0
        assert list(self.production.spools.glob("*.spool")) == []


class OnceEach(Caller):
    """Makes a connection for each call."""

    def call(self, *ibans: str) -> int:
        """Call and hang up."""
        try:
            return super().call(*ibans)
        finally:
            self.close()


class Keeping(Caller):
    """Keeps its connection, and tries once more on a new one where a kept one was closed, as every library does."""

    tried_again = 0

    def call(self, *ibans: str) -> int:
        """Call; a connection that was made for this call is not tried again."""
        response = super().call(*ibans)
        if response:
            return response
        self.tried_again += 1
        return super().call(*ibans)


@pytest.fixture
def site(production: Production, static: Path, tmp_path: Path) -> Iterator[Site]:
    """Run it."""
    listening = tmp_path / "gunicorn.sock"
    with production.behind(listening) as server, proxy(tmp_path, [listening], static, NO_LIMIT) as running:
        yield Site(production, running, server, production.program())


@pytest.mark.parametrize("kind", [OnceEach, Keeping])
def test_gunicorn_is_reloaded_without_losing_a_request(site: Site, kind: type[Caller]) -> None:
    with site.load(kind) as load:
        for _ in range(3):
            time.sleep(0.5)
            before = set(site.server.workers())
            site.server.send_signal(signal.SIGHUP)
            wait_until(lambda before=before: not before & set(site.server.workers()))  # type: ignore[misc]

    assert set(load.seen) == {200}
    site.assert_every_response_counts_once(load)


@pytest.mark.parametrize("kind", [OnceEach, Keeping])
def test_nginx_is_reloaded_without_losing_a_request(site: Site, kind: type[Caller]) -> None:
    with site.load(kind) as load:
        for _ in range(3):
            time.sleep(0.5)
            before = site.proxy.workers()
            site.proxy.reload()
            wait_until(lambda before=before: not before & site.proxy.workers())  # type: ignore[misc]

    assert set(load.seen) == {200}
    site.assert_every_response_counts_once(load)


def test_killed_workers_lose_no_record_of_an_answered_call(site: Site) -> None:
    with site.load(Keeping) as load:
        for _ in range(6):
            time.sleep(0.5)
            os.kill(site.server.workers()[0], signal.SIGKILL)
        time.sleep(0.5)

    # Who was being served is told so by nginx.
    assert set(load.seen) <= {200, 503}
    site.assert_every_response_counts_once(load)


def test_gunicorn_gone_and_back_is_told_in_words(site: Site) -> None:
    site.server.ends()

    call, page = site.proxy.asks("/api/v1/validate", method="POST", body="{}"), site.proxy.asks("/sign-in/")

    assert (call.status, call.headers["content-type"]) == (503, "application/problem+json")
    assert (page.status, page.headers["content-type"]) == (503, "text/html; charset=utf-8")
    assert "Tjänsten startar om" in page.body
    for response in (call, page):
        assert int(response.headers["retry-after"]) > 0
        assert "strict-transport-security" in response.headers
    with site.production.behind(site.proxy.folder.parent / "gunicorn.sock"):
        assert site.proxy.asks("/health/ready").status == 200


def test_postgresql_is_killed_and_comes_back(redis_url: str, tmp_path: Path) -> None:
    listening = tmp_path / "gunicorn.sock"
    with services.postgresql_to_kill() as postgresql:
        production = Production(tmp_path, postgresql.url, redis_url)
        production.prepare()
        program = production.program()
        with production.behind(listening) as server, proxy(tmp_path, [listening], changed=NO_LIMIT) as running:
            site = Site(production, running, server, program)
            with site.load(Keeping) as load:
                time.sleep(1)
                for _ in range(2):
                    postgresql.kill()
                    # Longer than what is held in memory may be trusted.
                    time.sleep(3)
                    postgresql.start()
                    wait_until(lambda: running.asks("/health/ready").status == 200)
                    time.sleep(0.5)

            assert set(load.seen) <= {200, 503}
            site.assert_every_response_counts_once(load)
