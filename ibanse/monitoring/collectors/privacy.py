"""Metrics of privacy: queues, the keyring, and the disk space for client data copies and logs."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings

from ibanse.monitoring.collectors import MetricSample
from ibanse.monitoring.collectors.storage import database_bytes, free_space
from privacy.contact import messages
from privacy.models import DataExport, DeletionRequest

OVERDUE_AFTER: Final = timedelta(minutes=30)
"""Due deletions are executed every ten minutes; one that is still there after three rounds is stuck."""


def jobs(_now: datetime) -> Iterator[MetricSample]:
    """Yield how many copies of clients' data wait or are being made."""
    unfinished = (DataExport.State.WAITING, DataExport.State.RUNNING)
    yield MetricSample("jobs", DataExport.objects.filter(state__in=unfinished).count(), part="exports")


def mails(_now: datetime) -> Iterator[MetricSample]:
    """Yield how many messages of the contact page are not mailed yet."""
    yield MetricSample("mails", messages.unmailed())


def deletions(now: datetime) -> Iterator[MetricSample]:
    """Yield how many deletions are scheduled, and how many are overdue."""
    overdue = DeletionRequest.objects.filter(due_at__lt=now - OVERDUE_AFTER).count()
    yield MetricSample("deletions", DeletionRequest.objects.count() - overdue, part="waiting")
    yield MetricSample("deletions", overdue, part="overdue")


def keyring(_now: datetime) -> Iterator[MetricSample]:
    """Yield the size of the keyring."""
    yield MetricSample("database", database_bytes("keyring"), part="keyring")


def export_and_log_space(_now: datetime) -> Iterator[MetricSample]:
    """Yield the free disk space for client data copies and for the process log."""
    yield from free_space(settings.EXPORT_DIR, "exports")
    yield from free_space(settings.LOG_DIR, "logs")
