"""A month's quota used by many callers at once: every unit is admitted, and not one more."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.support.production import Caller, Production, Program, Server

pytestmark = pytest.mark.postgresql

CALLS = 400
QUOTA = 100
IBAN = "SE45 5000 0000 0583 9825 7466"


def statuses(server: Server, program: Program, calls: int, *ibans: str) -> Counter[int]:
    """Return how many calls had each status, all of them sent from forty threads, each call over its own connection."""

    def call(_: int) -> int:
        caller = Caller(server.port, program)
        try:
            return caller.call(*ibans)
        finally:
            caller.close()

    with ThreadPoolExecutor(40) as threads:
        return Counter(threads.map(call, range(calls)))


class TestTheQuota:
    def test_400_parallel_calls_on_a_quota_of_100_admit_exactly_100(self, production: Production) -> None:
        program = production.program(quota=QUOTA)
        with production.serving(workers=4) as server:
            seen = statuses(server, program, CALLS)
            server.ends()

        assert seen == {200: QUOTA, 429: CALLS - QUOTA}
        counted = production.counted(program)
        assert (counted.units, counted.by_key, counted.taken, counted.leases) == (QUOTA, QUOTA, QUOTA, 0)

    def test_a_batch_is_admitted_whole_or_not_at_all(self, production: Production) -> None:
        program = production.program(quota=QUOTA)
        with production.serving(workers=4) as server:
            seen = statuses(server, program, 20, *[IBAN] * 30)
            server.ends()

        assert seen == {200: 3, 429: 17}
        assert production.counted(program).units == 90
