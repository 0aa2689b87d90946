"""A page of the back-office: which calls of the API were refused, hour by hour, and why. It names nobody."""

from collections import Counter, defaultdict
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any, Final, NamedTuple

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from accounts.models import Metric
from accounts.permissions import StaffPermission
from apikeys.problems import KINDS
from ibanse.backoffice.model_admin import BackOfficePage
from ibanse.monitoring import messages, sparkline
from ibanse.monitoring.metrics import Unit
from ibanse.monitoring.series import HOUR, PERIODS
from ibanse.monitoring.sparkline import Trend

DAYS: Final = 7
_DAY: Final = timedelta(days=1)


class RefusalReason(NamedTuple):
    """A code of the table of problems, and how often calls were refused with it."""

    code: str
    title: Promise | str
    status: int | None
    calls: int
    last_day: int
    sparkline: Trend | None


class Hour(NamedTuple):
    """One hour in which something was refused, and what, the most frequent first."""

    begins: datetime
    calls: int
    codes: list[tuple[str, int]]


class Day(NamedTuple):
    """The hours of one day, in the time zone of the reader."""

    begins: datetime
    calls: int
    hours: list[Hour]


def refused_calls(request: HttpRequest) -> HttpResponse:
    """Show the refused calls of the last seven days by their reason, and by the hour."""
    now = timezone.now()
    steps = PERIODS[DAYS].steps(now)
    by_hour: defaultdict[datetime, Counter[str]] = defaultdict(Counter)
    rows = Metric.objects.filter(name="refused", at__gte=steps[0]).values_list("at", "part", "value")
    for at, code, value in rows:
        by_hour[at][code] += value
    # A zero without a code says that the hour was measured.
    measured = set(by_hour)
    hours = [
        Hour(at, counts.total(), [(code, number) for code, number in counts.most_common() if code and number])
        for at, counts in sorted(by_hour.items(), reverse=True)
        if counts.total()
    ]
    by_day = [list(group) for _date, group in groupby(hours, lambda hour: timezone.localdate(hour.begins))]
    codes = {code for counts in by_hour.values() for code in counts if code}
    reasons = [_reason(code, steps, by_hour, now) for code in codes]
    totals = [by_hour[at].total() if at in measured else None for at in steps]
    drawn = sparkline.draw(totals)
    context: dict[str, Any] = {
        "reasons": sorted(reasons, key=lambda reason: (-reason.calls, reason.code)),
        "days": [Day(of_day[0].begins, sum(hour.calls for hour in of_day), of_day) for of_day in by_day],
        "calls": sum(hour.calls for hour in hours),
        "trend": drawn,
        "highest": messages.format_value(drawn.highest, Unit.NUMBER) if drawn else "",
        "first": steps[0],
        "has_looked": bool(measured),
        "collected_by": messages.collected_by(),
        "collection_command": messages.collection_command(),
    }
    return render(request, "apikeys/refused_calls.html", context)


def _reason(code: str, steps: list[datetime], by_hour: dict[datetime, Counter[str]], now: datetime) -> RefusalReason:
    values = [by_hour[at][code] if at in by_hour else None for at in steps]
    kind = KINDS.get(code)  # A release that went back may not know a code that is on record.
    last_day = sum(counts[code] for at, counts in by_hour.items() if at > now - _DAY - HOUR)
    return RefusalReason(
        code,
        kind.title if kind else "",
        kind.status if kind else None,
        sum(value or 0 for value in values),
        last_day,
        sparkline.draw(values),
    )


PAGES: Final = (
    BackOfficePage(
        "refused_calls",
        "refused-calls/",
        refused_calls,
        StaffPermission.READ_REFUSALS,
        gettext_lazy("Refused calls"),
        section="security",
    ),
)
