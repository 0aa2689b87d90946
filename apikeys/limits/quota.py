"""The quota of a client in a calendar month (UTC), exact also when several workers take at the same moment.

The month's row counts what was taken; one conditional UPDATE takes more, so two workers can never both take the last
unit. To save a query per call, a worker takes a few units at once and holds them as its lease: a hundredth of what is
left, and single units when less than a twentieth is left. It returns what it does not use within a second; the lease of
a killed worker is returned by the one that takes over its spool (validation/recording/writer.py).
"""

import threading
import time
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Final, NamedTuple
from uuid import UUID, uuid4

from django.db import Error, transaction
from django.db.models import F

from apikeys.models import QuotaLease, QuotaMonth
from apikeys.problems import Problem

_MOST_AT_ONCE: Final = 50_000
_IDLE_SECONDS: Final = 1.0


class QuotaAccount(NamedTuple):
    """A client's month."""

    client: UUID
    month: date


class _Lease:
    """Units that are held, and when they were last used."""

    __slots__ = ("units", "used_at")

    def __init__(self, units: int) -> None:
        self.units = units
        self.used_at = time.monotonic()


class Leases:
    """The units that one worker has taken and not used yet; its threads share it."""

    def __init__(self, holder: UUID) -> None:
        self.holder = holder
        self._lock = threading.Lock()
        self._held: dict[QuotaAccount, _Lease] = {}

    def take(self, client: UUID, units: int, *, quota: int, day: date | None = None) -> QuotaAccount:
        """Take units of a month's quota, all or none, and return the account they were taken from.

        `day` (UTC; today) is the day that the call counts on: read from the clock twice, a call at the very end of a
        month could be taken from one month and counted in the next. Raises Problem quota_exhausted.
        """
        account = QuotaAccount(client, day.replace(day=1) if day else this_month())
        if not units:
            return account
        with self._lock:
            lease = self._held.get(account)
            if lease is not None and lease.units >= units:
                lease.units -= units
                lease.used_at = time.monotonic()
                return account
        taken = _borrow(account, units, quota=quota, holder=self.holder)
        if not taken:
            raise _exhausted(units, quota, account.month)
        self._add(account, taken - units)
        return account

    def give_back(self, account: QuotaAccount, units: int) -> None:
        """Hold units again that were taken for a call that got no response."""
        self._add(account, units)

    def return_idle(self) -> None:
        """Return what was not used for a second to the month. Raises a database error, and holds it still then."""
        old = time.monotonic() - _IDLE_SECONDS
        with self._lock:
            idle = [account for account, lease in self._held.items() if lease.used_at < old]
        for account in idle:
            self._return(account, old)

    def _return(self, account: QuotaAccount, old: float) -> None:
        with self._lock:
            lease = self._held[account]
            if lease.used_at >= old:
                return
            del self._held[account]
        if not lease.units:
            return
        is_returned = False
        try:
            with transaction.atomic():
                settle({account: lease.units}, holder=self.holder)
                _untake(account, lease.units)
                is_returned = True
        except Error:
            # If the connection broke during the commit, it may be done: holding the units still would spend them twice.
            # If it is not, close() finds them.
            if not is_returned:
                self._add(account, lease.units)
            raise

    def _add(self, account: QuotaAccount, units: int) -> None:
        if not units:
            return
        with self._lock:
            held = self._held.get(account)
            self._held[account] = _Lease(units + (held.units if held else 0))


leases = Leases(uuid4())
"""The leases of this process; `hold_as` replaces them in each worker."""


def hold_as(holder: UUID) -> None:
    """Start without leases, as this holder: a forked worker must not use its parent's."""
    global leases
    leases = Leases(holder)


def this_month() -> date:
    """Return the first day of the current month in UTC."""
    return datetime.now(UTC).date().replace(day=1)


def month_after(month: date) -> date:
    """Return the first day of the next month."""
    return month.replace(year=month.year + month.month // 12, month=month.month % 12 + 1)


def settle(used: Mapping[QuotaAccount, int], *, holder: UUID) -> None:
    """Subtract used units from the holder's leases, in the transaction that counts them elsewhere."""
    for account, units in sorted(used.items()):
        row = QuotaLease.objects.filter(holder=holder, client=account.client, month=account.month)
        row.update(units=F("units") - units)


def close(holder: UUID) -> None:
    """Return what a holder has left, after all that it used was settled; doing so twice does no harm."""
    with transaction.atomic():
        for lease in QuotaLease.objects.select_for_update().filter(holder=holder).order_by("client", "month"):
            _untake(QuotaAccount(lease.client_id, lease.month), lease.units)
        QuotaLease.objects.filter(holder=holder).delete()


def _borrow(account: QuotaAccount, units: int, *, quota: int, holder: UUID) -> int:
    """Take units, and a few more to hold if enough is left. Return how many; 0 when not even `units` are left."""
    month = QuotaMonth.objects.filter(client=account.client, month=account.month).first()
    left = quota - (month.taken if month else 0)
    at_once = 1 if left * 20 < quota else min(_MOST_AT_ONCE, left // 100)
    for wanted in dict.fromkeys((max(units, at_once), units)):
        with transaction.atomic():
            if _take(account, wanted, quota):
                QuotaLease.objects.bulk_create(
                    [QuotaLease(holder=holder, client_id=account.client, month=account.month)], ignore_conflicts=True
                )
                settle({account: -wanted}, holder=holder)
                return wanted
    return 0


def _take(account: QuotaAccount, units: int, quota: int) -> bool:
    """Take units in one statement, which finds the row only if that many are left."""
    row = QuotaMonth.objects.filter(client=account.client, month=account.month)
    enough = row.filter(taken__lte=quota - units)
    if quota < units:
        return False
    if enough.update(taken=F("taken") + units):
        return True
    if row.exists():
        return False
    QuotaMonth.objects.bulk_create([QuotaMonth(client_id=account.client, month=account.month)], ignore_conflicts=True)
    return bool(enough.update(taken=F("taken") + units))


def _untake(account: QuotaAccount, units: int) -> None:
    QuotaMonth.objects.filter(client=account.client, month=account.month).update(taken=F("taken") - units)


def _exhausted(units: int, quota: int, month: date) -> Problem:
    begins = month_after(month)
    wait = datetime(begins.year, begins.month, 1, tzinfo=UTC) - datetime.now(UTC)
    headers = {"Retry-After": str(int(wait.total_seconds()) + 1)}
    values = {"units": units, "quota": quota, "next": begins.isoformat()}
    return Problem("quota_exhausted", headers=headers, values=values)
