"""What privacy measures of itself: work that waits, the keyring, and the room for copies and logs.

See ibanse/monitoring/sampling.py.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings

from ibanse.monitoring.collectors.accounts import free_bytes, size_of
from ibanse.monitoring.sampling import Measure, Measured
from privacy.contact import messages
from privacy.models import DataExport, DeletionRequest

OVERDUE_AFTER: Final = timedelta(minutes=30)
"""A round of deletions is made every ten minutes; one that meets three rounds and is still there is stuck."""


def jobs(_now: datetime) -> Iterator[Measured]:
    """Yield how many copies of clients' data wait or are being made."""
    under_way = (DataExport.State.WAITING, DataExport.State.RUNNING)
    yield Measured("jobs", DataExport.objects.filter(state__in=under_way).count(), part="exports")


def mails(_now: datetime) -> Iterator[Measured]:
    """Yield how many messages of the contact page are not mailed yet."""
    yield Measured("mails", messages.waiting())


def deletions(now: datetime) -> Iterator[Measured]:
    """Yield how many deletions wait for their day, and how many should have been carried out by now."""
    due = DeletionRequest.objects.filter(due_at__lt=now - OVERDUE_AFTER).count()
    yield Measured("deletions", DeletionRequest.objects.count() - due, part="waiting")
    yield Measured("deletions", due, part="overdue")


def keyring(_now: datetime) -> Iterator[Measured]:
    """Yield the size of the keyring."""
    yield Measured("database", size_of("keyring"), part="keyring")


def room(_now: datetime) -> Iterator[Measured]:
    """Yield the room for copies of data, and for the log of the processes."""
    yield from free_bytes(settings.EXPORT_DIR, "exports")
    yield from free_bytes(settings.LOG_DIR, "logs")


MEASURES: Final[tuple[Measure, ...]] = (jobs, mails, deletions, keyring, room)
