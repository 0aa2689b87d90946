"""Taking readings: asks every room of the house what it measures, and keeps one row an hour of each.

A room's measures are in its measuring.py, named in the settings, so that what lies above can be reached without looking
up. One that fails holds up no other: what it would have told gets old, and is shown as that.
"""

import socket
from collections.abc import Callable, Iterator
from datetime import datetime
from importlib import import_module
from typing import NamedTuple

from django.conf import settings
from django.db import Error

from accounts import batch
from accounts.counters import hour_of
from accounts.models import Metric
from ibanse.monitoring.series import RETENTION


class Measured(NamedTuple):
    """One value, whole: a number, bytes, seconds or percent, as kinds.py says."""

    name: str
    value: int
    part: str = ""
    is_of_node: bool = False
    """Of this machine alone, instead of the whole service."""
    at: datetime | None = None
    """The hour it tells of, if it is not the present one."""


Measure = Callable[[datetime], Iterator[Measured]]


class Failure(NamedTuple):
    """A measure that could not be taken, and the kind of error: its text may hold anything."""

    measure: str
    error: str


def take(now: datetime) -> list[Failure]:
    """Measure everything and keep it; return what could not be measured. Raises a database error when nothing is kept.

    What is counted meanwhile elsewhere (counting.py) is not changed; an hour in which nothing was counted gets a zero,
    which tells it from an hour in which nobody looked.
    """
    found: list[Measured] = []
    failures: list[Failure] = []
    for measure in _measures():
        try:
            found += measure(now)
        except (Error, OSError) as error:
            failures.append(Failure(measure.__name__, type(error).__name__))
    _keep(found, now)
    return failures


def node() -> str:
    """Return the name of this machine."""
    return socket.gethostname()[:64]


def prune(now: datetime) -> int:
    """Delete the readings that are older than 90 days; return how many."""
    return batch.delete(Metric.objects.filter(at__lt=now - RETENTION))


def _measures() -> Iterator[Measure]:
    for name in settings.MEASURES:
        yield from import_module(name).MEASURES


def _keep(found: list[Measured], now: datetime) -> None:
    here = node()
    rows = [
        Metric(
            name=each.name,
            part=each.part,
            node=here if each.is_of_node else "",
            at=each.at or hour_of(now),
            value=each.value,
            taken_at=now,
        )
        for each in found
    ]
    Metric.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["name", "at", "part", "node"],
        update_fields=["value", "taken_at"],
    )
