"""Collects metrics: calls each collector and stores one row an hour of every value.

A collector that fails does not stop the others: its last values become stale, and are shown as that.
"""

import socket
from datetime import datetime
from typing import Final, NamedTuple

from django.db import Error

from accounts import batch
from accounts.counters import hour_of
from accounts.models import Metric
from ibanse.monitoring.collectors import Collector, MetricSample, accounts, apikeys, host, privacy, validation
from ibanse.monitoring.series import RETENTION

COLLECTORS: Final[tuple[Collector, ...]] = (
    accounts.clients,
    accounts.site_database,
    accounts.event_counters,
    apikeys.calls,
    privacy.jobs,
    privacy.mails,
    privacy.deletions,
    privacy.keyring,
    privacy.export_and_log_space,
    validation.spool_backlog,
    validation.spool_space,
    host.last_backup,
    host.site_certificate,
)


class CollectorFailure(NamedTuple):
    """A collector that failed, and the kind of error: its text may hold anything."""

    collector: str
    error: str


def collect(now: datetime) -> list[CollectorFailure]:
    """Measure everything and store it; return what failed. Raises a database error when nothing could be stored.

    What accounts/counters.py has counted is not changed; an hour in which nothing was counted gets a zero, which
    separates it from an hour that was not measured.
    """
    samples: list[MetricSample] = []
    failures: list[CollectorFailure] = []
    for collector in COLLECTORS:
        try:
            samples += collector(now)
        except (Error, OSError) as error:
            failures.append(CollectorFailure(collector.__name__, type(error).__name__))
    rows = [
        Metric(
            name=sample.name,
            part=sample.part,
            node=node() if sample.is_per_node else "",
            at=sample.at or hour_of(now),
            value=sample.value,
            taken_at=now,
        )
        for sample in samples
    ]
    Metric.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["name", "at", "part", "node"],
        update_fields=["value", "taken_at"],
    )
    return failures


def node() -> str:
    """Return the name of this machine."""
    return socket.gethostname()[:64]


def prune(now: datetime) -> int:
    """Delete the metrics that are older than 90 days; return how many."""
    return batch.delete(Metric.objects.filter(at__lt=now - RETENTION))
