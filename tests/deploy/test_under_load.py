"""Continuous calls through nginx while a process behind it is reloaded, killed or stopped.

A reload loses no request, and no event loses the record of a call that got its response.
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


class LoadedSite:
    """gunicorn with two workers behind nginx, and a program that calls."""

    def __init__(self, production: Production, proxy: Proxy, server: Server, program: Program) -> None:
        self.production, self.proxy, self.server, self.program = production, proxy, server, program

    def load(self, kind: type[Caller]) -> Load:
        """Return calls that continue as long as the context, by callers of this kind."""
        return Load(lambda: kind(self.proxy.https, self.program, self.proxy.connection()), self.program)

    def assert_every_response_counts_once(self, load: Load) -> None:
        """Fail if an answered call is missing or counted twice; one without a response may be counted or not."""
        self.server.ends()
        not_answered = load.seen[0] + load.seen[503]
        counted = self.production.settled(self.program, lambda now: now.units >= load.answered and not now.leases)

        assert load.answered > 50
        assert load.answered <= counted.units <= load.answered + not_answered
        assert counted.by_key == counted.units
        assert counted.taken == counted.units
        assert counted.leases == 0
        assert list(self.production.spools.glob("*.spool")) == []


class OneConnectionEach(Caller):
    """Opens a connection for each call."""

    def call(self, *ibans: str) -> int:
        """Call and close the connection."""
        try:
            return super().call(*ibans)
        finally:
            self.close()


class PersistentConnection(Caller):
    """Reuses its connection, and retries once on a new one when a reused one was closed, as every library does."""

    retries = 0

    def call(self, *ibans: str) -> int:
        """Call; a failure on a new connection is not retried."""
        response = super().call(*ibans)
        if response:
            return response
        self.retries += 1
        return super().call(*ibans)


@pytest.fixture
def site(production: Production, static: Path, tmp_path: Path) -> Iterator[LoadedSite]:
    """Run the site."""
    listening = tmp_path / "gunicorn.sock"
    with production.behind(listening) as server, proxy(tmp_path, [listening], static, NO_LIMIT) as running:
        yield LoadedSite(production, running, server, production.program())


@pytest.mark.parametrize("kind", [OneConnectionEach, PersistentConnection])
def test_reload_of_gunicorn_loses_no_request(site: LoadedSite, kind: type[Caller]) -> None:
    with site.load(kind) as load:
        for _ in range(3):
            time.sleep(0.5)
            before = set(site.server.workers())
            site.server.send_signal(signal.SIGHUP)
            wait_until(lambda before=before: not before & set(site.server.workers()))  # type: ignore[misc]

    assert set(load.seen) == {200}
    site.assert_every_response_counts_once(load)


@pytest.mark.parametrize("kind", [OneConnectionEach, PersistentConnection])
def test_reload_of_nginx_loses_no_request(site: LoadedSite, kind: type[Caller]) -> None:
    with site.load(kind) as load:
        for _ in range(3):
            time.sleep(0.5)
            before = site.proxy.workers()
            site.proxy.reload()
            wait_until(lambda before=before: not before & site.proxy.workers())  # type: ignore[misc]

    assert set(load.seen) == {200}
    site.assert_every_response_counts_once(load)


def test_killed_workers_lose_no_record(site: LoadedSite) -> None:
    with site.load(PersistentConnection) as load:
        for _ in range(6):
            time.sleep(0.5)
            os.kill(site.server.workers()[0], signal.SIGKILL)
        time.sleep(0.5)

    # nginx responds with 503 to the calls of a killed worker.
    assert set(load.seen) <= {200, 503}
    site.assert_every_response_counts_once(load)


def test_outage_of_gunicorn_is_explained(site: LoadedSite) -> None:
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


def test_restart_of_postgresql_loses_no_record(redis_url: str, tmp_path: Path) -> None:
    listening = tmp_path / "gunicorn.sock"
    with services.postgresql_to_kill() as postgresql:
        production = Production(tmp_path, postgresql.url, redis_url)
        production.prepare()
        program = production.program()
        with production.behind(listening) as server, proxy(tmp_path, [listening], changed=NO_LIMIT) as running:
            site = LoadedSite(production, running, server, program)
            with site.load(PersistentConnection) as load:
                time.sleep(1)
                for _ in range(2):
                    postgresql.kill()
                    # Longer than cached rows may be used.
                    time.sleep(3)
                    postgresql.start()
                    wait_until(lambda: running.asks("/health/ready").status == 200)
                    time.sleep(0.5)

            assert set(load.seen) <= {200, 503}
            site.assert_every_response_counts_once(load)
