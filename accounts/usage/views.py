"""The overview page of a client's usage."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.access import MemberRequest, allowed
from accounts.permissions import Permission
from accounts.usage import chart, counts

DAYS = 30


@allowed(Permission.OVERVIEW_VIEW)
@require_safe
def overview(request: MemberRequest) -> HttpResponse:
    """Show the checks of the last thirty days, the share of valid ones, and what is left of the month's quota."""
    days = counts.days(request.client, DAYS)
    valid, total = sum(day.valid for day in days), sum(day.total for day in days)
    context = {
        "days": days,
        "newest_first": [day for day in reversed(days) if day.total],
        "chart": chart.draw(days),
        "valid": valid,
        "invalid": total - valid,
        "total": total,
        "valid_percent": 100 * valid / total if total else 0,
        "invalid_percent": 100 * (total - valid) / total if total else 0,
        "sources": counts.by_source(request.client, DAYS),
        "month": counts.month(request.client),
        "today": counts.today(),
    }
    return render(request, "accounts/usage/overview.html", context)
