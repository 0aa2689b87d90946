"""A month's quota used by many callers at once: every unit is admitted, and not one more."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.support.production import Caller, Production, Program, Server

pytestmark = pytest.mark.postgresql

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
    @pytest.mark.parametrize(("calls", "quota"), [(400, 100), pytest.param(20_000, 5_000, marks=pytest.mark.long)])
    def test_parallel_calls_are_admitted_to_exactly_the_quota(
        self, production: Production, calls: int, quota: int
    ) -> None:
        program = production.program(quota=quota)
        with production.serving(workers=4) as server:
            seen = statuses(server, program, calls)
            server.ends()

        assert seen == {200: quota, 429: calls - quota}
        assert production.counted(program) == (quota, quota, quota, 0)

    def test_a_batch_is_admitted_whole_or_not_at_all(self, production: Production) -> None:
        program = production.program(quota=QUOTA)
        with production.serving(workers=4) as server:
            seen = statuses(server, program, 20, *[IBAN] * 30)
            server.ends()

        assert seen == {200: 3, 429: 17}
        assert production.counted(program).units == 90
