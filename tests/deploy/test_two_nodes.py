"""Two machines behind one nginx, on one PostgreSQL and one Redis: what holds for one holds for both together.

Each has a gunicorn, a spool and a socket of its own; they share the keyring, which on real machines is a server's.
"""

import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Final

import pytest

from tests.support.production import Production, Program
from tests.support.programs import changes
from tests.support.proxy import NO_LIMIT, Proxy, proxy

pytestmark = pytest.mark.deploy

# The test must see which node answered, so this nginx writes a line for every call.
WATCHED: Final = {"ibanse if=$is_logged": "ibanse", "$body_bytes_sent $request_time": "$upstream_addr"}
WITHIN_SECONDS: Final = 2.0
# See tests/faults/test_changes.py: a worker on a busy machine may be held up while it decides.
SLACK_SECONDS: Final = 0.5


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
        proxy(tmp_path, sockets, changed=NO_LIMIT | WATCHED) as running,
    ):
        yield running
        served = Counter(
            node for node in ("first", "second") for line in running.written().splitlines() if f"/{node}/" in line
        )
        # Otherwise one of them would have been tested alone.
        assert min(served["first"], served["second"]) > 10


def statuses(site: Proxy, program: Program, calls: int) -> Counter[int]:
    """Return how many calls had each status, sent from forty threads over connections of their own."""

    def call(_: int) -> int:
        caller = site.caller(program)
        try:
            return caller.call()
        finally:
            caller.close()

    with ThreadPoolExecutor(40) as threads:
        return Counter(threads.map(call, range(calls)))


def test_a_quota_of_100_admits_exactly_100_of_400_parallel_calls(site: Proxy, production: Production) -> None:
    program = production.program(quota=100)

    assert statuses(site, program, 400) == {200: 100, 429: 300}


def test_a_rate_holds_for_both_together(site: Proxy, production: Production) -> None:
    program = production.program(rate=600)

    began = time.monotonic()
    seen = statuses(site, program, 400)
    seconds = time.monotonic() - began

    # A tenth of a minute's calls at once, and ten a second while this lasted; two that count for themselves would
    # have admitted a hundred and twenty at once.
    assert 30 <= seen[200] <= 60 + 10 * seconds + 1
    assert seen[200] + seen[429] == 400
    assert seconds < 5


def test_a_revoked_key_is_refused_by_both_within_two_seconds(site: Proxy, production: Production) -> None:
    program = production.program()
    is_over = Event()

    def polls(_: int) -> list[tuple[float, int]]:
        caller, told = site.caller(program), []
        while not is_over.wait(0.05):
            sent = time.time()
            told.append((sent, caller.call()))
        caller.close()
        return told

    with ThreadPoolExecutor(4) as threads:
        polling = [threads.submit(polls, number) for number in range(4)]
        revoked = production.run(changes.revoke_key, str(program.key))
        time.sleep(WITHIN_SECONDS + 1.5)
        is_over.set()
    calls = [call for poll in polling for call in poll.result()]

    assert {status for _, status in calls} == {200, 401}
    assert max(sent for sent, status in calls if status == 200) - revoked <= WITHIN_SECONDS + SLACK_SECONDS
    assert {status for sent, status in calls if sent > revoked + WITHIN_SECONDS + SLACK_SECONDS} == {401}
