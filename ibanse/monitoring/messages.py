"""What a reading says in words, in the active language."""

from collections.abc import Callable
from typing import Final

from django.conf import settings
from django.template.defaultfilters import filesizeformat
from django.utils.formats import number_format
from django.utils.functional import Promise
from django.utils.translation import gettext, gettext_lazy, ngettext, pgettext_lazy

from ibanse.monitoring.metrics import Unit
from ibanse.monitoring.thresholds import Level

LEVELS: Final[dict[Level, Promise]] = {
    Level.CALM: pgettext_lazy("a reading", "OK"),
    Level.WATCH: pgettext_lazy("a reading", "attention"),
    Level.ACT: pgettext_lazy("a reading", "critical"),
    Level.UNKNOWN: pgettext_lazy("a reading", "unknown"),
    Level.STALE: pgettext_lazy("a reading", "out of date"),
}
"""A plain reading has none."""

TIMER: Final = "ibanse-collect-metrics.timer"


def told(value: float, unit: Unit) -> str:
    """Return a value with its unit, such as `3 hours` or `1.2 GB`."""
    return _UNITS[unit](int(value))


def _number(value: int) -> str:
    return number_format(value, use_l10n=True, force_grouping=True)


def _days(value: int) -> str:
    return ngettext("%(number)s day", "%(number)s days", value) % {"number": _number(value)}


def _ago(value: int) -> str:
    hours = value // 3600
    if hours < 1:
        return gettext("less than an hour")
    if hours < 48:
        return ngettext("%(number)s hour", "%(number)s hours", hours) % {"number": hours}
    return _days(hours // 24)


_UNITS: Final[dict[Unit, Callable[[int], str]]] = {
    Unit.NUMBER: _number,
    Unit.BYTES: filesizeformat,
    Unit.PERCENT: lambda value: f"{value} %",
    Unit.SECONDS: _ago,
    Unit.DAYS: _days,
}


def who_takes_them() -> Promise:
    """Return a sentence that says by what readings are taken here."""
    return _TAKEN[bool(settings.EMBEDDED)]


def remedy() -> str:
    """Return the command that shows why readings are old, or nothing where there is no timer."""
    return "" if settings.EMBEDDED else f"systemctl status {TIMER}"


def take_now() -> str:
    """Return the command that takes readings now."""
    return ".venv/bin/python manage.py collect_metrics" if settings.EMBEDDED else _TAKE_ON_THE_SERVER


_TAKE_ON_THE_SERVER: Final = "sudo /opt/ibanse/current/deploy/manage collect_metrics"
_TAKEN: Final = {
    True: gettext_lazy("The site itself records metrics every five minutes while it is running."),
    False: gettext_lazy("Metrics are recorded every five minutes on each server by ibanse-collect-metrics.timer."),
}
