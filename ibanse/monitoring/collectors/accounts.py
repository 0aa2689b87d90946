"""Metrics of the accounts: clients by state, and the site's database."""

from collections.abc import Iterator
from datetime import datetime

from django.db.models import Count

from accounts.models import Client
from ibanse.monitoring.collectors import MetricSample
from ibanse.monitoring.collectors.storage import database_bytes


def clients(_now: datetime) -> Iterator[MetricSample]:
    """Yield how many clients are in each state, zeros included."""
    counts = dict(Client.objects.values_list("state").annotate(Count("pk")))
    return (MetricSample("clients", counts.get(state, 0), part=state) for state in Client.State.values)


def site_database(_now: datetime) -> Iterator[MetricSample]:
    """Yield the size of the site's database."""
    yield MetricSample("database", database_bytes("default"), part="site")


def event_counters(_now: datetime) -> Iterator[MetricSample]:
    """Yield a zero for what accounts/counters.py counts: it separates a quiet hour from one that was not measured."""
    for name in ("refused", "sign_ins", "unsent"):
        yield MetricSample(name, 0)
