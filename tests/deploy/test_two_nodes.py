"""Two nodes behind one nginx, with one PostgreSQL and one Redis: limits apply to both together.

Each has its own gunicorn, spool and socket; they share the keyring, which on real machines is in PostgreSQL.
"""

import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event, Semaphore
from typing import Final

import pytest

from tests.support.production import Production, Program
from tests.support.programs import changes
from tests.support.proxy import NO_LIMIT, Proxy, proxy

pytestmark = pytest.mark.deploy

# The tests need to know which node responded, so this nginx logs every call.
LOG_NODES: Final = {"ibanse if=$is_logged": "ibanse", "$body_bytes_sent $request_time": "$upstream_addr"}
WITHIN_SECONDS: Final = 2.0
# See tests/faults/test_changes.py: on a busy machine a worker may be delayed.
TOLERANCE_SECONDS: Final = 0.5


@pytest.fixture
def site(production: Production, tmp_path: Path) -> Iterator[Proxy]:
    """Run both nodes, with two workers each."""
    first, second = tmp_path / "first", tmp_path / "second"
    for node in (first, second):
        node.mkdir()
    sockets = [node / "gunicorn.sock" for node in (first, second)]
    with (
        production.behind(sockets[0], IBANSE_SPOOL_DIR=str(first / "spool")),
        production.behind(sockets[1], IBANSE_SPOOL_DIR=str(second / "spool")),
        proxy(tmp_path, sockets, changed=NO_LIMIT | LOG_NODES) as running,
    ):
        yield running
        served = Counter(
            node for node in ("first", "second") for line in running.written().splitlines() if f"/{node}/" in line
        )
        # Otherwise only one of them would have been tested.
        assert min(served["first"], served["second"]) > 10


def statuses(site: Proxy, program: Program, calls: int) -> Counter[int]:
    """Return how many calls had each status, sent by forty threads, each on its own connection."""

    def call(_: int) -> int:
        caller = site.caller(program)
        try:
            return caller.call()
        finally:
            caller.close()

    with ThreadPoolExecutor(40) as threads:
        return Counter(threads.map(call, range(calls)))


def test_quota_is_exact(site: Proxy, production: Production) -> None:
    program = production.program(quota=100)

    assert statuses(site, program, 400) == {200: 100, 429: 300}


def test_rate_applies_to_both_together(site: Proxy, production: Production) -> None:
    program = production.program(rate=600)

    began = time.monotonic()
    seen = statuses(site, program, 400)
    seconds = time.monotonic() - began

    # A burst of a tenth of a minute's calls, then ten per second; nodes counting separately would admit a burst of 120.
    assert 30 <= seen[200] <= 60 + 10 * seconds + 1
    assert seen[200] + seen[429] == 400
    assert seconds < 5


def test_revoked_key_is_refused_within_two_seconds(site: Proxy, production: Production) -> None:
    program = production.program()
    is_over, has_called = Event(), Semaphore(0)

    def poll(_: int) -> list[tuple[float, int]]:
        caller, results = site.caller(program), []
        while not is_over.wait(0.05):
            sent = time.time()
            results.append((sent, caller.call()))
            has_called.release()
        caller.close()
        return results

    with ThreadPoolExecutor(4) as threads:
        polling = [threads.submit(poll, index) for index in range(4)]
        for _ in range(4):
            assert has_called.acquire(timeout=10)
        revoked = production.run(changes.revoke_key, str(program.key))
        time.sleep(WITHIN_SECONDS + 1.5)
        is_over.set()
    calls = [call for future in polling for call in future.result()]

    assert {status for _, status in calls} == {200, 401}
    assert max(sent for sent, status in calls if status == 200) - revoked <= WITHIN_SECONDS + TOLERANCE_SECONDS
    assert {status for sent, status in calls if sent > revoked + WITHIN_SECONDS + TOLERANCE_SECONDS} == {401}
