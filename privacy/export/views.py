"""Pages on which owners request a data export, follow its progress and download it."""

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from accounts.access import MemberRequest, allowed, recent_login
from accounts.errors import Refusal
from accounts.models import Client
from accounts.permissions import Permission
from privacy import messages as privacy_messages
from privacy.export import exports as copies
from privacy.inventory import registry
from privacy.models import DataExport


@allowed(Permission.DATA_EXPORT)
@require_safe
def export(request: MemberRequest) -> HttpResponse:
    """Show what an export contains, and the newest one: in progress, ready, failed or expired."""
    found = copies.latest(request.client)
    state = _state(found)
    context = {
        "export": found,
        "state": state,
        "was": request.GET.get("was", ""),
        "problem": privacy_messages.EXPORT_PROBLEMS.get(found.problem, "") if found else "",
        # Not while the page refreshes every few seconds: many check records take a moment to count.
        "tables": _tables(request.client) if state != "under-way" else [],
        "most_per_day": copies.MOST_PER_DAY,
    }
    return render(request, "privacy/export/export.html", context)


@allowed(Permission.DATA_EXPORT)
@require_http_methods(["GET", "HEAD", "POST"])
@recent_login
def request_export(request: MemberRequest) -> HttpResponseBase:
    """Request an export; only on POST."""
    if request.method == "POST":
        try:
            copies.request_export(request.client, by=request.actor)
        except Refusal as refusal:
            messages.error(request, privacy_messages.refusal(refusal))
    return redirect("privacy:export")


@allowed(Permission.DATA_EXPORT)
@require_http_methods(["GET", "HEAD", "POST"])
@recent_login
def download(request: MemberRequest, pk: UUID) -> HttpResponseBase:
    """Send an export and record the download; only on POST."""
    try:
        if request.method != "POST":
            DataExport.objects.get(client=request.client, pk=pk)
            return redirect("privacy:export")
        opened = copies.open_for_download(request.client, pk, by=request.actor)
    except DataExport.DoesNotExist:
        raise Http404 from None
    except Refusal as refusal:
        messages.error(request, privacy_messages.refusal(refusal))
        return redirect("privacy:export")
    response = StreamingHttpResponse(opened.pieces, content_type="application/zip")
    name = f"ibanse-{timezone.localdate().isoformat()}.zip"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.headers["Content-Length"] = str(opened.size)
    response.headers["Cache-Control"] = "no-store"
    return response


def _state(found: DataExport | None) -> str:
    if found is None:
        return "none"
    if found.state in (DataExport.State.WAITING, DataExport.State.RUNNING):
        return "under-way"
    if found.state == DataExport.State.READY:
        return "ready" if copies.is_offered(found, timezone.now()) else "over"
    return found.state


def _tables(client: Client) -> list[tuple[object, int]]:
    """Return the description of each table, and how many rows it has now."""
    counted = registry.count(client)
    return [(table.about, counted[table.name]) for table in registry.export(client)]
