"""Metrics of the API's spool: records that are not in the database yet, and free disk space."""

from collections.abc import Iterator
from datetime import datetime

from django.conf import settings

from ibanse.monitoring.collectors import MetricSample
from ibanse.monitoring.collectors.storage import free_space
from validation.models import SpoolPosition
from validation.recording import spool


def spool_backlog(_now: datetime) -> Iterator[MetricSample]:
    """Yield how many bytes of records on this machine are not in the database yet."""
    # The positions first: what arrives in between counts as waiting, and the difference is never negative.
    positions = dict(SpoolPosition.objects.values_list("spool", "position"))
    lengths = spool.lengths(settings.SPOOL_DIR)
    backlog = sum(max(0, length - positions.get(name, 0)) for name, length in lengths.items())
    yield MetricSample("spool", backlog, is_per_node=True)


def spool_space(_now: datetime) -> Iterator[MetricSample]:
    """Yield the free disk space for the spool."""
    yield from free_space(settings.SPOOL_DIR, "spool")
