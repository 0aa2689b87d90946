"""The month's quota: never more units than there are, and units that were not used are returned."""

import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, date, datetime
from types import SimpleNamespace
from unittest.mock import patch
from uuid import uuid4

import pytest
from django.db import OperationalError, transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.models import Client
from apikeys.limits import quota
from apikeys.models import QuotaLease, QuotaMonth
from apikeys.problems import Problem
from tests.base import BaseTest
from tests.support.production import IBAN, Caller, Production

pytestmark = pytest.mark.claim("exact_limits")

MAY, JUNE = date(2026, 5, 1), date(2026, 6, 1)


class QuotaTest(BaseTest):
    def setUp(self) -> None:
        super().setUp()
        self.client_id = Client.objects.create().pk
        self.now = 1_000.0
        self.month = MAY
        self.enterContext(patch.object(quota, "time", SimpleNamespace(monotonic=lambda: self.now)))
        self.enterContext(patch.object(quota, "this_month", lambda: self.month))
        self.leases = quota.Leases(uuid4())

    def take(self, units: int = 1, of: int = 10_000) -> quota.QuotaAccount:
        return self.leases.take(self.client_id, units, quota=of)

    def was_taken(self, taken: int, month: date = MAY) -> None:
        QuotaMonth.objects.create(client_id=self.client_id, month=month, taken=taken)

    def taken(self, month: date = MAY) -> int:
        return sum(QuotaMonth.objects.filter(client=self.client_id, month=month).values_list("taken", flat=True))

    def leased(self, month: date = MAY) -> int:
        return sum(QuotaLease.objects.filter(client=self.client_id, month=month).values_list("units", flat=True))

    def assert_exhausted(self, units: int = 1, of: int = 10_000) -> Problem:
        with pytest.raises(Problem) as refused:
            self.take(units, of)
        assert refused.value.code == "quota_exhausted"
        return refused.value


class LeaseTests(QuotaTest):
    def test_a_worker_takes_a_hundredth_of_what_is_left_and_single_units_near_the_end(self) -> None:
        sizes = (
            #  quota     taken   at once
            (10_000, 0, 100),
            (10_000, 5_000, 50),
            (10_000, 9_500, 5),
            (10_000, 9_501, 1),
            (10_000, 9_999, 1),
            (100, 0, 1),
            (7, 0, 1),
            (1, 0, 1),
            (10**9, 0, 50_000),
        )
        for of, before, at_once in sizes:
            with self.subTest(of=of, before=before):
                QuotaMonth.objects.all().delete()
                self.was_taken(before)
                self.leases = quota.Leases(uuid4())
                self.take(1, of)

                self.assertEqual(self.taken() - before, at_once)

    def test_while_it_holds_units_the_database_is_not_asked(self) -> None:
        self.take()

        with self.assertNumQueries(0):
            for _ in range(99):
                self.take()

        self.take()
        self.assertEqual(self.taken(), 199)

    def test_what_costs_nothing_takes_nothing(self) -> None:
        with self.assertNumQueries(0):
            self.take(0, of=0)

    def test_units_that_were_given_back_are_used_first(self) -> None:
        account = self.take(of=1)
        self.assert_exhausted(of=1)
        self.leases.give_back(account, 1)

        self.take(of=1)
        self.assert_exhausted(of=1)

    def test_what_was_not_used_for_a_second_goes_back(self) -> None:
        self.take()
        self.now += 1
        self.leases.return_idle()
        at_once = self.taken()
        self.now += 0.1
        self.leases.return_idle()

        self.assertEqual((at_once, self.taken(), self.leased()), (100, 1, 1))
        self.leases.return_idle()
        self.assertEqual(self.taken(), 1)

    def test_what_is_in_use_stays(self) -> None:
        for _ in range(3):
            self.take()
            self.now += 0.9
            self.leases.return_idle()

        self.assertEqual(self.taken(), 100)

    def test_what_cannot_be_given_back_is_still_held(self) -> None:
        for client in (self.client_id, Client.objects.create().pk):
            self.leases.take(client, 1, quota=10_000)
        self.now += 2
        with patch.object(quota, "settle", side_effect=OperationalError("away")), pytest.raises(OperationalError):
            self.leases.return_idle()
        with self.assertNumQueries(0):
            self.take()
        self.now += 2
        self.leases.return_idle()

        self.assertEqual((self.taken(), QuotaMonth.objects.exclude(client=self.client_id).get().taken), (2, 1))

    def test_what_was_given_back_although_nobody_heard_is_not_spent_again(self) -> None:
        self.take(of=100)
        self.leases.give_back(quota.QuotaAccount(self.client_id, MAY), 1)
        self.now += 2
        atomic = transaction.atomic

        @contextmanager
        def broken() -> Iterator[None]:
            with atomic():
                yield
            raise OperationalError("the connection is lost")

        with (
            patch.object(quota, "transaction", SimpleNamespace(atomic=broken)),
            pytest.raises(OperationalError),
        ):
            self.leases.return_idle()
        other = quota.Leases(uuid4())
        for _ in range(100):
            other.take(self.client_id, 1, quota=100)

        self.assert_exhausted(of=100)

    def test_what_a_holder_has_left_goes_back_once(self) -> None:
        account = self.take()
        quota.settle({account: 1}, holder=self.leases.holder)
        for _ in range(2):
            quota.close(self.leases.holder)

        self.assertEqual((self.taken(), self.leased()), (1, 0))


class MonthTests(QuotaTest):
    def test_a_new_month_begins_with_nothing_taken_and_leases_go_back_where_they_came_from(self) -> None:
        self.take()
        self.month = JUNE
        self.take()
        self.now += 2
        self.leases.return_idle()

        self.assertEqual((self.taken(MAY), self.taken(JUNE)), (1, 1))
        quota.close(self.leases.holder)
        self.assertEqual((self.taken(MAY), self.taken(JUNE)), (0, 0))

    def test_a_quota_that_is_used_up_is_there_again_in_the_new_month(self) -> None:
        self.was_taken(10)
        self.assert_exhausted(of=10)
        self.month = JUNE

        self.take(10, of=10)
        self.assertEqual((self.taken(MAY), self.taken(JUNE)), (10, 10))

    def test_a_call_is_taken_from_the_month_of_its_day(self) -> None:
        account = self.leases.take(self.client_id, 1, quota=10, day=date(2026, 4, 30))

        self.assertEqual(account.month, date(2026, 4, 1))

    def test_the_month_after_december_is_january(self) -> None:
        self.assertEqual(quota.month_after(date(2026, 12, 1)), date(2027, 1, 1))
        self.assertEqual(quota.month_after(date(2026, 1, 1)), date(2026, 2, 1))

    def test_whoever_is_refused_learns_when_the_next_month_begins(self) -> None:
        self.month = datetime.now(UTC).date().replace(day=1)
        problem = self.assert_exhausted(of=0)

        wait = datetime.combine(quota.month_after(self.month), datetime.min.time(), UTC) - datetime.now(UTC)
        self.assertAlmostEqual(int(problem.headers["Retry-After"]), wait.total_seconds(), delta=2)
        self.assertEqual(problem.values, {"units": 1, "quota": 0, "next": str(quota.month_after(self.month))})


class BatchTests(QuotaTest):
    def test_a_batch_is_taken_as_a_whole_or_not_at_all(self) -> None:
        self.was_taken(50)
        self.assert_exhausted(51, of=100)
        after_the_refusal = self.taken()
        self.take(50, of=100)

        self.assertEqual((after_the_refusal, self.taken()), (50, 100))
        self.assert_exhausted(1, of=100)

    def test_a_batch_larger_than_the_quota_is_refused(self) -> None:
        self.assert_exhausted(1_000, of=999)

        self.assertEqual(self.taken(), 0)

    def test_a_batch_of_all_that_is_left_passes_although_a_worker_would_like_more(self) -> None:
        self.take(999, of=1_000)
        self.take(1, of=1_000)

        self.assert_exhausted(1, of=1_000)

    def test_a_quota_that_was_lowered_below_what_is_used_refuses(self) -> None:
        self.was_taken(500)

        self.assert_exhausted(1, of=100)


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("take"), st.integers(0, 2), st.sampled_from([1, 1, 1, 2, 30, 400])),
        st.tuples(st.sampled_from(["give back", "write", "wait", "be killed"]), st.integers(0, 2), st.just(0)),
        st.tuples(st.just("turn the page"), st.just(0), st.just(0)),
    ),
    max_size=40,
)


class SumTests(QuotaTest):
    def test_what_is_taken_is_what_was_used_and_what_is_leased_after_every_step(self) -> None:
        @given(STEPS, st.sampled_from([1, 50, 400, 3_000]))
        @settings(deadline=None, max_examples=25)
        def holds(steps: list[tuple[str, int, int]], of: int) -> None:
            with transaction.atomic():
                world = World(self, of)
                for name, worker, units in steps:
                    world.step(name, worker, units)
                    world.check()
                world.end()
                transaction.set_rollback(True)

        holds()


class World:
    """Three workers that share a quota. Each knows what it used and has not settled yet."""

    def __init__(self, test: QuotaTest, of: int) -> None:
        self.test, self.of = test, of
        test.month = MAY
        self.workers = [quota.Leases(uuid4()) for _ in range(3)]
        self.unsettled: list[Counter[quota.QuotaAccount]] = [Counter() for _ in range(3)]
        self.used: Counter[date] = Counter()
        self.written: Counter[date] = Counter()

    def step(self, name: str, number: int, units: int) -> None:
        worker, unsettled = self.workers[number], self.unsettled[number]
        if name == "take":
            try:
                account = worker.take(self.test.client_id, units, quota=self.of)
            except Problem:
                return
            unsettled[account] += units
            self.used[account.month] += units
        elif name == "give back" and unsettled:
            account, units = unsettled.popitem()
            worker.give_back(account, units)
            self.used[account.month] -= units
        elif name in ("write", "be killed"):
            quota.settle(unsettled, holder=worker.holder)
            for account, units in unsettled.items():
                self.written[account.month] += units
            unsettled.clear()
            if name == "be killed":
                quota.close(worker.holder)
                self.workers[number] = quota.Leases(uuid4())
        elif name == "wait":
            self.test.now += 2
            worker.return_idle()
        elif name == "turn the page":
            self.test.month = JUNE

    def check(self) -> None:
        for month in (MAY, JUNE):
            taken = self.test.taken(month)
            assert taken == self.written[month] + self.test.leased(month)
            assert self.used[month] <= taken <= self.of

    def end(self) -> None:
        for number in range(3):
            self.step("be killed", number, 0)
        for month in (MAY, JUNE):
            assert self.test.taken(month) == self.used[month]
            assert self.test.leased(month) == 0


@pytest.mark.parametrize("workers", [1, 4])
def test_400_calls_at_once_on_a_quota_of_100_admit_exactly_100(production: Production, workers: int) -> None:
    program = production.program(quota=100)
    with production.serving(workers=workers) as server:
        callers = [Caller(server.port, program) for _ in range(40)]
        all_at_once = threading.Barrier(len(callers))

        def call(caller: Caller) -> Counter[int]:
            assert caller.connect()
            # Nothing is known of the month yet: all of them make its row.
            all_at_once.wait()
            statuses = Counter(caller.call() for _ in range(10))
            caller.close()
            return statuses

        with ThreadPoolExecutor(len(callers)) as threads:
            seen = sum(threads.map(call, callers), Counter[int]())
        server.ends()

    assert seen == {200: 100, 429: 300}
    assert production.counted(program) == (100, 100, 100, 0)


def test_batches_and_single_calls_at_once_use_the_quota_up_and_no_more(production: Production) -> None:
    program = production.program(quota=1_000)
    with production.serving(workers=3) as server:
        callers = [Caller(server.port, program) for _ in range(24)]

        def call(caller: Caller) -> int:
            batch = sum(30 for _ in range(3) if caller.call(*[IBAN] * 30) == 200)
            return batch + sum(1 for _ in range(3) if caller.call() == 200)

        with ThreadPoolExecutor(len(callers)) as threads:
            admitted = sum(threads.map(call, callers))
        # What some workers hold while others refuse is there again a second later.
        counted = production.settled(program, lambda now: now.units == admitted and now.taken == admitted)
        last = callers[0]
        for _ in range(1_000):
            status = last.call()
            admitted += status == 200
            # 0: the server has hung up meanwhile, and nothing was sent.
            if status not in (0, 200):
                break
        for caller in callers:
            caller.close()
        server.ends()

    assert counted.taken == counted.units
    assert admitted == 1_000
    assert production.counted(program) == (1_000, 1_000, 1_000, 0)
