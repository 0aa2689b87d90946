"""Where metrics come from: one module per app and one for the machine. ibanse/monitoring/sampling.py lists them.

A collector measures now. It raises OSError or a database error for what it cannot see: nothing here reports that all is
well without having looked.
"""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import NamedTuple


class MetricSample(NamedTuple):
    """One measured value, a whole number; its unit stands in ibanse/monitoring/metrics.py."""

    name: str
    value: int
    part: str = ""
    is_per_node: bool = False
    """Of this machine alone, instead of the whole service."""
    at: datetime | None = None
    """The hour it belongs to, if that is not the present one."""


Collector = Callable[[datetime], Iterator[MetricSample]]
