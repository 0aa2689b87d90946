"""Check records, as the owners of a client see, search, export and delete them."""

import logging
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseBase, QueryDict, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts import audit
from accounts.access import MemberRequest, allowed, recent_login
from accounts.audit.events import AuditEvent
from accounts.errors import Refusal
from accounts.permissions import Permission
from privacy import messages as privacy_messages
from privacy.check_logging import mode
from privacy.deletion import execution, requesting
from privacy.deletion.erasing import Scope
from privacy.models import Mode
from validation.records import forms, presenter, search, store
from validation.records.export import FORMATS
from validation.records.forms import IbanSearchForm, RecordFilterForm
from validation.records.search import RecordFilter

logger = logging.getLogger(__name__)

PAGE_ROWS: Final = 50

read_or_send = require_http_methods(["GET", "HEAD", "POST"])


@allowed(Permission.RECORDS_VIEW)
@require_safe
def list_records(request: MemberRequest) -> HttpResponse:
    """Show the checks that fit the filters, newest first, fifty a page."""
    return _list_page(request, IbanSearchForm())


@allowed(Permission.RECORDS_VIEW)
@read_or_send
def search_iban(request: MemberRequest) -> HttpResponseBase:
    """Search for an IBAN, which comes in the body of a post and goes into no URL."""
    if request.method != "POST":
        return redirect("validation:log")
    form = IbanSearchForm(request.POST)
    if not form.is_valid():
        return _list_page(request, form, status=422)
    token = forms.search_token(request.client, form.cleaned_data["iban"])
    return redirect(f"{reverse('validation:log')}?{urlencode({'number': token})}#found")


@allowed(Permission.RECORDS_VIEW)
@require_safe
def show_record(request: MemberRequest, pk: UUID) -> HttpResponse:
    """Show everything that was stored of one check."""
    return _page(request, "validation/records/record.html", {"row": _get_record(request, pk)})


@allowed(Permission.RECORDS_ERASE)
@read_or_send
@recent_login
def erase_record(request: MemberRequest, pk: UUID) -> HttpResponseBase:
    """Ask whether to delete one check; a post does it."""
    found = _get_record(request, pk)
    if request.method != "POST":
        return _page(request, "validation/records/erase_record.html", {"row": found})
    if _erase_now(request, RecordFilter(record=pk)) is not None:
        messages.success(request, _("The check has been deleted from the log."))
    return redirect("validation:log")


@allowed(Permission.RECORDS_ERASE)
@read_or_send
@recent_login
def erase_selected(request: MemberRequest) -> HttpResponseBase:
    """Say how many checks fit the filters and ask whether to delete them; a post does it."""
    sent = request.POST if request.method == "POST" else request.GET
    form = RecordFilterForm(sent, client=request.client)
    if not form.is_valid():
        return _list_page(request, IbanSearchForm(), form=form, status=422)
    seen = _read_seen(sent)
    # What comes in meanwhile was not counted; but of an IBAN everything is erased.
    wanted = form.record_filter() if form.cleaned_data["number"] else form.record_filter().before(seen)
    erased = 0
    scope = _SCOPES_WITH_RECEIPT.get(form.record_filter().kinds)
    if request.method == "POST" and scope is not None:
        return _erase_with_receipt(request, scope, wanted.iban_index, seen)
    if request.method == "POST":
        done = _erase_now(request, wanted)
        if done is None:
            return redirect("validation:log")
        if done.is_complete:
            messages.success(request, _erased_message(done.records))
            return redirect("validation:log")
        erased = done.records
    context = {
        "form": form,
        "kinds": form.record_filter().kinds,
        "chosen": form.chosen(),
        "query": urlencode(form.query()),
        "carried": {**form.query(), "seen": str(int(seen.timestamp()))},
        "counted": search.count_matching(request.client, wanted),
        "most": search.MAX_COUNTED,
        "erased": _erased_message(erased) if erased else "",
        # The newest, so that people see what they delete.
        "sample": presenter.present(request.client, search.fetch_page(request.client, wanted, size=3).records),
    }
    return _page(request, "validation/records/erase.html", context)


def _erase_now(request: MemberRequest, wanted: RecordFilter) -> store.Erasure | None:
    """Delete the matching checks; None, with a message, when the ledger could not be written."""
    try:
        return store.erase_records(request.client, wanted, by=request.actor)
    except OSError as error:
        logger.error("The ledger of deletions could not be written: %s", type(error).__name__)
        messages.error(
            request,
            _(
                "Nothing was deleted: there was no space to record that it must stay deleted. Try again "
                "later, and contact us if the problem persists."
            ),
        )
        return None


_SCOPES_WITH_RECEIPT: Final[dict[tuple[str, ...], Scope]] = {(): Scope.LOG, ("number",): Scope.NUMBER}
"""The kinds of a filter → the scope of a deletion that has a receipt."""


def _erase_with_receipt(request: MemberRequest, scope: Scope, iban_index: bytes | None, seen: datetime) -> HttpResponse:
    """Delete all records as they were seen, or everything about one IBAN, with what is still in a spool."""
    until = None if scope == Scope.NUMBER else seen - timedelta(seconds=1)
    try:
        begun = requesting.start_erasure(request.client, scope, by=request.actor, iban_index=iban_index, until=until)
    except Refusal as refusal:
        messages.error(request, privacy_messages.refusal(refusal))
        return redirect("validation:log")
    done = execution.attempt(begun.pk, for_at_most=timedelta(seconds=store.ERASE_SECONDS))
    if done is None:
        messages.info(
            request,
            _("The deletion is in progress and continues in the background. The audit log shows when it is finished."),
        )
        return redirect("validation:log")
    text = _erased_message(done.receipt["erased"].get("checks", 0))
    link = reverse("deletion:receipt", args=[done.token])
    messages.success(request, format_html('{} <a href="{}">{}</a>', text, link, _("Deletion receipt")))
    return redirect("validation:log")


@allowed(Permission.RECORDS_EXPORT)
@read_or_send
@recent_login
def export_file(request: MemberRequest) -> HttpResponseBase:
    """Send the checks that fit the filters as a file and note it in the audit log; only a post does."""
    if request.method != "POST":
        return redirect("validation:log")
    form = RecordFilterForm(request.POST, client=request.client)
    ending = request.POST.get("format", "")
    if not form.is_valid() or ending not in FORMATS:
        return _list_page(request, IbanSearchForm(), form=form, status=422)
    wanted = form.record_filter()
    detail = {"file": ending.upper(), "filters": ", ".join(wanted.kinds) or "all"}
    audit.record(AuditEvent.RECORDS_EXPORTED, client=request.client, by=request.actor, detail=detail)
    chunks = FORMATS[ending].write(request.client, wanted, get_language() or "en")
    response = StreamingHttpResponse(chunks, content_type=FORMATS[ending].content_type)
    name = f"ibanse-log-{timezone.localdate().isoformat()}.{ending}"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.headers["Cache-Control"] = "no-store"
    return response


def _list_page(
    request: MemberRequest, search_form: IbanSearchForm, *, form: RecordFilterForm | None = None, status: int = 200
) -> HttpResponse:
    form = form or RecordFilterForm(request.GET if request.method != "POST" else QueryDict(), client=request.client)
    is_valid = form.is_valid()
    wanted, found = RecordFilter(), search.RecordPage([])
    if is_valid:
        wanted = form.record_filter()
        before, after = (forms.parse_cursor(request.GET.get(side)) for side in ("before", "after"))
        found = search.fetch_page(request.client, wanted, size=PAGE_ROWS, before=before, after=after)
    rows = presenter.present(request.client, found.records)
    choice = mode.choice_of(request.client)
    query = form.query() if is_valid else {}
    context = {
        "form": form,
        "search_form": search_form,
        "rows": rows,
        "shows_ibans": any(row.is_sealed for row in rows),
        "searched": next((row.iban for row in rows if row.iban), "") if wanted.iban_index else "",
        "choice": choice,
        "is_full": choice.mode == Mode.FULL,
        "is_off": choice.mode == Mode.OFF,
        "has_ibans": search.has_searchable_ibans(request.client),
        "is_narrowed": bool(wanted.kinds),
        "is_of_iban": wanted.kinds == ("number",),
        "is_search": wanted.iban_index is not None,
        "carried": query,
        "query": urlencode(query),
        **_links(found, query),
    }
    return _page(request, "validation/records/list.html", context, status=status if is_valid else 422)


def _links(found: search.RecordPage, query: dict[str, str]) -> dict[str, str]:
    """Return the queries that lead to the newer and the older page."""
    if not found.records:
        return {}
    first, last = (forms.format_cursor(search.cursor_of(found.records[end])) for end in (0, -1))
    links = {}
    if found.has_newer:
        links["newer"] = urlencode({**query, "after": first})
    if found.has_older:
        links["older"] = urlencode({**query, "before": last})
    return links


def _get_record(request: MemberRequest, pk: UUID) -> presenter.ShownRecord:
    found = search.find_record(request.client, pk)
    if found is None:
        raise Http404
    [shown] = presenter.present(request.client, [found])
    return shown


def _read_seen(sent: QueryDict) -> datetime:
    """Return the end of the second in which the page of a form was made; now, when the form does not say."""
    text = sent.get("seen", "")
    now = int(datetime.now(UTC).timestamp())
    second = int(text) if text.isascii() and text.isdecimal() and len(text) < 12 else now
    return datetime.fromtimestamp(min(second, now), UTC) + timedelta(seconds=1)


def _erased_message(rows: int) -> str:
    return ngettext(
        "%(rows)s check has been deleted from the log.", "%(rows)s checks have been deleted from the log.", rows
    ) % {"rows": f"{rows:,}"}


def _page(request: MemberRequest, template: str, context: dict[str, Any], status: int = 200) -> HttpResponse:
    response = render(request, template, context, status=status)
    # It may show IBANs: neither the browser nor anything between stores a copy.
    response.headers["Cache-Control"] = "no-store"
    return response
