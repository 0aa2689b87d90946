"""The audit log of a client, as its owners read, verify and export it."""

from typing import Any, Final

from django.http import HttpResponse, HttpResponseBase, QueryDict, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts import audit, messages
from accounts.access import MemberRequest, allowed
from accounts.audit import client_log
from accounts.audit import export as audit_export
from accounts.audit.events import AuditEvent
from accounts.audit.forms import AuditLogFilter, CheckpointForm
from accounts.models import Client, HistoryEntry, User
from accounts.permissions import Permission

PAGE_ROWS: Final = 50


@allowed(Permission.AUDIT_VIEW)
@require_safe
def history(request: MemberRequest) -> HttpResponse:
    """Show the entries that fit the filters, newest first, fifty a page."""
    return _history_page(request, request.GET, {"checkpoint_form": CheckpointForm()})


@allowed(Permission.AUDIT_VIEW)
@require_http_methods(["GET", "HEAD", "POST"])
def verify(request: MemberRequest) -> HttpResponseBase:
    """Read the whole chain and say in words whether it is intact; only on POST."""
    if request.method != "POST":
        return redirect("accounts:history")
    form = CheckpointForm(request.POST)
    if not form.is_valid():
        return _history_page(request, QueryDict(), {"checkpoint_form": form}, status=422)
    typed = form.cleaned_data["checkpoint"]
    stated = audit_export.read_checkpoint(typed) if typed else None
    if typed and stated is None:
        form.add_error(
            "checkpoint", _("This is not the last line of an export. Copy the whole line, including the braces.")
        )
        return _history_page(request, QueryDict(), {"checkpoint_form": form}, status=422)
    result = client_log.verify_checkpoint(request.client, stated) if stated else client_log.verify(request.client)
    problem = messages.HISTORY_PROBLEMS[result.problem] % {"number": result.first_bad} if not result.ok else ""
    outcome = {"result": result, "problem": problem, "with_checkpoint": stated is not None}
    return _history_page(request, QueryDict(), {"checkpoint_form": CheckpointForm(), **outcome})


@allowed(Permission.AUDIT_EXPORT)
@require_http_methods(["GET", "HEAD", "POST"])
def export(request: MemberRequest) -> HttpResponseBase:
    """Send the whole history as a CSV file and record the export; only on POST."""
    if request.method != "POST":
        return redirect("accounts:history")
    audit.record(AuditEvent.AUDIT_EXPORTED, client=request.client, by=request.actor)
    lines = audit_export.lines(request.client, language=get_language() or "en")
    response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    name = f"ibanse-history-{timezone.localdate().isoformat()}.csv"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.headers["Cache-Control"] = "no-store"
    return response


def _history_page(request: MemberRequest, query: QueryDict, context: dict[str, Any], status: int = 200) -> HttpResponse:
    form = AuditLogFilter(query, people=_people(request.client))
    is_valid = form.is_valid()
    narrows = form.filters() if is_valid else {}
    entries, links = _page_of(client_log.entries(request.client, **narrows), query)
    opened = client_log.open_entries(request.client, entries)
    rows = [(entry, row, messages.details(row.details)) for entry, row in zip(entries, opened, strict=True)]
    page = {"form": form, "rows": rows, "is_narrowed": is_valid and any(narrows.values()), **links, **context}
    return render(request, "accounts/audit/history.html", page, status=status if is_valid else 422)


def _page_of(found: Any, query: QueryDict) -> tuple[list[HistoryEntry], dict[str, str]]:
    """Return one page of entries and the queries that lead to the newer and the older one, by the entry's number."""
    before, after = _number(query.get("before")), _number(query.get("after"))
    if after is not None:
        entries = list(found.filter(number__gt=after).order_by("number")[: PAGE_ROWS + 1])
        has_newer, has_older = len(entries) > PAGE_ROWS, True
        entries = entries[:PAGE_ROWS][::-1]
    else:
        found = found.filter(number__lt=before) if before is not None else found
        entries = list(found[: PAGE_ROWS + 1])
        has_newer, has_older = before is not None, len(entries) > PAGE_ROWS
        entries = entries[:PAGE_ROWS]
    links = {}
    if entries and has_newer:
        links["newer"] = _query(query, after=entries[0].number)
    if entries and has_older:
        links["older"] = _query(query, before=entries[-1].number)
    return entries, links


def _number(text: str | None) -> int | None:
    """Return the number of an entry from a URL; anything else is ignored."""
    return int(text) if text and text.isascii() and text.isdecimal() and len(text) < 18 else None


def _query(query: QueryDict, **place: int) -> str:
    filters = {name: query.get(name, "") for name in ("kind", "person", "since", "until") if query.get(name)}
    return urlencode([*filters.items(), *place.items()])


def _people(client: Client) -> list[tuple[str, str]]:
    """Return who may have acted: the client's users, and by id those who have been removed."""
    here = {str(user.pk): user.email for user in User.objects.filter(client=client).order_by("email")}
    actors = HistoryEntry.objects.filter(client=client, actor__isnull=False).order_by("actor")
    gone = [str(actor) for actor in actors.values_list("actor", flat=True).distinct() if str(actor) not in here]
    return [*here.items(), *((key, _("removed user %(id)s") % {"id": key[:8]}) for key in gone)]
