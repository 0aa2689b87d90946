"""The overview of the back-office: the context of its first page."""

from typing import Any, Final

from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from ibanse.monitoring import board, messages
from ibanse.monitoring.series import DAY, HOUR, PERIODS

_DEFAULT_DAYS: Final = 7
_PER: Final = {HOUR: _("per hour"), DAY: _("per day")}
_LABELS: Final = {1: _("24 hours"), 7: _("7 days"), 90: _("90 days")}


def context(request: HttpRequest) -> dict[str, Any]:
    """Return the metrics that this person may see."""
    assert isinstance(request.user, User)
    days = request.GET.get("days", "")
    period = PERIODS[int(days)] if days in map(str, PERIODS) else PERIODS[_DEFAULT_DAYS]
    sections = board.sections(request.user, period, timezone.now())
    return {
        "sections": sections,
        "needing_attention": board.needing_attention(sections),
        "has_stopped": board.has_stopped(sections),
        "newest": board.newest(sections),
        "per": _PER[period.step],
        "period": period,
        "row_format": "SHORT_DATE_FORMAT" if period.days > 7 else "SHORT_DATETIME_FORMAT",
        "periods": list(_LABELS.items()),
        "collected_by": messages.collected_by(),
        "troubleshooting_command": messages.troubleshooting_command(),
        "collection_command": messages.collection_command(),
    }
