"""The texts of the monitoring pages, in the active language."""

from typing import Final

from django.conf import settings
from django.template.defaultfilters import filesizeformat
from django.utils.formats import number_format
from django.utils.functional import Promise
from django.utils.translation import gettext, gettext_lazy, ngettext, pgettext_lazy

from ibanse.monitoring.metrics import Unit
from ibanse.monitoring.thresholds import Level

LEVELS: Final[dict[Level, Promise]] = {
    Level.OK: pgettext_lazy("a metric", "OK"),
    Level.ATTENTION: pgettext_lazy("a metric", "attention"),
    Level.CRITICAL: pgettext_lazy("a metric", "critical"),
    Level.UNKNOWN: pgettext_lazy("a metric", "unknown"),
    Level.STALE: pgettext_lazy("a metric", "out of date"),
}
"""A neutral metric has none."""

TIMER: Final = "ibanse-collect-metrics.timer"


def format_value(value: float | None, unit: Unit) -> str:
    """Return a value with its unit, such as `3 hours` or `1.2 GB`; nothing for None."""
    if value is None:
        return ""
    whole = int(value)
    match unit:
        case Unit.NUMBER:
            return number_format(whole, use_l10n=True, force_grouping=True)
        case Unit.BYTES:
            return filesizeformat(whole)
        case Unit.PERCENT:
            return f"{whole} %"
        case Unit.DAYS:
            return _days(whole)
        case Unit.SECONDS:
            return _duration(whole // 3600)


def _days(days: int) -> str:
    text = number_format(days, use_l10n=True, force_grouping=True)
    return ngettext("%(number)s day", "%(number)s days", days) % {"number": text}


def _duration(hours: int) -> str:
    if hours < 1:
        return gettext("less than an hour")
    if hours < 48:
        return ngettext("%(number)s hour", "%(number)s hours", hours) % {"number": hours}
    return _days(hours // 24)


def collected_by() -> Promise:
    """Return what collects metrics in the present mode."""
    if settings.EMBEDDED:
        return gettext_lazy("The site itself records metrics every five minutes while it is running.")
    return gettext_lazy("Metrics are recorded every five minutes on each server by ibanse-collect-metrics.timer.")


def troubleshooting_command() -> str:
    """Return the command that shows why metrics are old, or nothing where there is no timer."""
    return "" if settings.EMBEDDED else f"systemctl status {TIMER}"


def collection_command() -> str:
    """Return the command that collects metrics now."""
    program = ".venv/bin/python manage.py" if settings.EMBEDDED else "sudo /opt/ibanse/current/deploy/manage"
    return f"{program} collect_metrics"
