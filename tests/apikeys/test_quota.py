"""Leases of the month's quota: what a worker takes at once, uses, gives back, and what another finds of a dead one."""

from datetime import date
from unittest import mock
from uuid import UUID, uuid4

from django.db.models import Sum

from apikeys import quota
from apikeys.models import QuotaLease, QuotaMonth
from apikeys.problems import Problem
from tests.house import HouseTest

NOVEMBER, DECEMBER = date(2026, 11, 1), date(2026, 12, 1)


class LeaseTests(HouseTest):
    def setUp(self) -> None:
        super().setUp()
        self.client_id: UUID = self.alice.client.pk
        self.leases = quota.Leases(uuid4())
        patched = mock.patch("apikeys.quota.this_month", return_value=NOVEMBER)
        self.month = patched.start()
        self.addCleanup(patched.stop)

    def taken(self, month: date = NOVEMBER) -> int:
        """What the month's row counts as taken."""
        return sum(QuotaMonth.objects.filter(client=self.client_id, month=month).values_list("taken", flat=True))

    def leased(self) -> int:
        """What the holders have not accounted for."""
        return int(QuotaLease.objects.filter(client=self.client_id).aggregate(units=Sum("units", default=0))["units"])

    def takes(self, units: int, *, of: int) -> quota.Account:
        """Take units of a quota."""
        return self.leases.take(self.client_id, units, quota=of)

    def refuses(self, units: int, *, of: int) -> None:
        """Expect that so many units are not left."""
        with self.assertRaises(Problem) as refused:
            self.takes(units, of=of)
        self.assertEqual(refused.exception.code, "quota_exhausted")

    def test_one_in_a_hundred_of_what_is_left_is_taken_at_once(self) -> None:
        self.takes(1, of=10_000)

        self.assertEqual((self.taken(), self.leased()), (100, 100))

    def test_single_units_are_taken_when_less_than_a_twentieth_is_left(self) -> None:
        QuotaMonth.objects.create(client=self.alice.client, month=NOVEMBER, taken=9_501)
        self.takes(1, of=10_000)

        self.assertEqual(self.taken(), 9_502)

    def test_a_small_quota_is_used_to_the_last_unit_and_no_further(self) -> None:
        for _ in range(100):
            self.takes(1, of=100)

        self.refuses(1, of=100)
        self.assertEqual(self.taken(), 100)

    def test_many_units_are_taken_all_or_none(self) -> None:
        self.takes(60, of=100)

        self.refuses(60, of=100)
        self.takes(40, of=100)
        self.assertEqual(self.taken(), 100)

    def test_a_quota_of_nothing_admits_nothing(self) -> None:
        self.refuses(1, of=0)

    def test_what_is_not_used_for_a_second_goes_back(self) -> None:
        account = self.takes(1, of=10_000)
        quota.settle({account: 1}, holder=self.leases.holder)
        with mock.patch("apikeys.quota.time.monotonic", return_value=1e12):
            self.leases.return_idle()

        self.assertEqual((self.taken(), self.leased()), (1, 0))

    def test_what_is_in_use_is_held(self) -> None:
        self.takes(1, of=10_000)
        self.leases.return_idle()

        self.assertEqual(self.taken(), 100)

    def test_what_a_call_did_not_need_after_all_is_used_by_the_next(self) -> None:
        account = self.takes(100, of=100)
        self.leases.give_back(account, 100)

        self.takes(100, of=100)
        self.assertEqual(self.taken(), 100)

    def test_of_a_dead_holder_whatever_it_had_not_used_comes_back_once(self) -> None:
        account = self.takes(7, of=10_000)
        quota.settle({account: 7}, holder=self.leases.holder)

        quota.close(self.leases.holder)
        quota.close(self.leases.holder)
        self.assertEqual((self.taken(), self.leased()), (7, 0))

    def test_another_holders_lease_is_left_alone(self) -> None:
        self.takes(1, of=10_000)
        quota.close(uuid4())

        self.assertEqual(self.leased(), 100)

    def test_a_month_begins_empty_and_the_old_ones_lease_goes_back_to_the_old_one(self) -> None:
        account = self.takes(1, of=10_000)
        quota.settle({account: 1}, holder=self.leases.holder)
        self.month.return_value = DECEMBER
        self.takes(1, of=10_000)
        self.assertEqual((self.taken(NOVEMBER), self.taken(DECEMBER)), (100, 100))

        with mock.patch("apikeys.quota.time.monotonic", return_value=1e12):
            self.leases.return_idle()
        self.assertEqual((self.taken(NOVEMBER), self.taken(DECEMBER)), (1, 1))

    def test_the_month_after_december_is_january(self) -> None:
        self.assertEqual(quota.month_after(DECEMBER), date(2027, 1, 1))
        self.assertEqual(quota.month_after(NOVEMBER), DECEMBER)

    def test_another_client_has_a_quota_of_its_own(self) -> None:
        self.takes(100, of=100)

        quota.Leases(uuid4()).take(self.mallory.client.pk, 100, quota=100)
        self.refuses(1, of=100)
