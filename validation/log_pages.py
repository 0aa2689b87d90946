"""The log of checks, as the owners of a client see it, search it, take it along and delete from it."""

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

from accounts.access import MemberRequest, allowed, recent_login
from accounts.audit import client_log
from accounts.errors import Refusal
from privacy import messages as privacy_messages
from privacy.check_logging import mode
from privacy.deletion import execution, requesting
from privacy.deletion.erasing import Scope
from privacy.models import Mode
from validation import log_filter, log_reading, log_search
from validation.log_export import FORMATS
from validation.log_filter import LogFilter, NumberForm
from validation.log_search import Asked

logger = logging.getLogger(__name__)

PAGE_ROWS: Final = 50

read_or_send = require_http_methods(["GET", "HEAD", "POST"])


@allowed("log.view")
@require_safe
def log(request: MemberRequest) -> HttpResponse:
    """Show the checks that fit the filters, newest first, fifty a page."""
    return _log_page(request, NumberForm())


@allowed("log.view")
@read_or_send
def find(request: MemberRequest) -> HttpResponseBase:
    """Look for a number, which comes in the body of a post and goes into no address."""
    if request.method != "POST":
        return redirect("validation:log")
    form = NumberForm(request.POST)
    if not form.is_valid():
        return _log_page(request, form, status=422)
    token = log_filter.token(request.client, form.cleaned_data["iban"])
    return redirect(f"{reverse('validation:log')}?{urlencode({'number': token})}#found")


@allowed("log.view")
@require_safe
def row(request: MemberRequest, pk: UUID) -> HttpResponse:
    """Show everything that was kept of one check."""
    return _page(request, "validation/log_row.html", {"row": _row(request, pk)})


@allowed("log.erase")
@read_or_send
@recent_login
def erase_row(request: MemberRequest, pk: UUID) -> HttpResponseBase:
    """Ask whether to delete one check; a post does it."""
    found = _row(request, pk)
    if request.method != "POST":
        return _page(request, "validation/log_erase_row.html", {"row": found})
    if _erased_now(request, Asked(row=pk)) is not None:
        messages.success(request, _("The check is deleted from the log."))
    return redirect("validation:log")


@allowed("log.erase")
@read_or_send
@recent_login
def erase(request: MemberRequest) -> HttpResponseBase:
    """Say how many checks fit the filters and ask whether to delete them; a post does it."""
    given = request.POST if request.method == "POST" else request.GET
    form = LogFilter(given, client=request.client)
    if not form.is_valid():
        return _log_page(request, NumberForm(), form=form, status=422)
    seen = _seen(given)
    # What comes in meanwhile was not counted; but of a number everything is to go.
    asked = form.asked() if form.cleaned_data["number"] else log_search.frozen(form.asked(), seen)
    erased = 0
    scope = _PROVABLE.get(form.asked().kinds)
    if request.method == "POST" and scope is not None:
        return _erase_provably(request, scope, asked.number, seen)
    if request.method == "POST":
        done = _erased_now(request, asked)
        if done is None:
            return redirect("validation:log")
        if done.is_all:
            messages.success(request, _erased(done.rows))
            return redirect("validation:log")
        erased = done.rows
    context = {
        "form": form,
        "kinds": form.asked().kinds,
        "chosen": form.chosen(),
        "query": urlencode(form.written()),
        "carried": {**form.written(), "seen": str(int(seen.timestamp()))},
        "counted": log_search.counted(request.client, asked),
        "most": log_search.MOST_COUNTED,
        "erased": _erased(erased) if erased else "",
        "sample": _sample(request, asked),
    }
    return _page(request, "validation/log_erase.html", context)


def _erased_now(request: MemberRequest, asked: Asked) -> log_search.Erased | None:
    """Delete the checks that are meant; None, with a message, when the ledger could not be written."""
    try:
        return log_search.erase(request.client, asked, by=request.user, request=request)
    except OSError as error:
        logger.error("The ledger of deletions could not be written: %s", type(error).__name__)  # noqa: TRY400 - the message says it all
        messages.error(
            request,
            _(
                "Nothing was deleted: there was no room to write down that it must stay deleted. Try again later, and "
                "tell the operator of this service if it goes on."
            ),
        )
        return None


_PROVABLE: Final[dict[tuple[str, ...], Scope]] = {(): Scope.LOG, ("number",): Scope.NUMBER}
"""What is chosen by → the scope of a deletion that has a receipt."""


def _erase_provably(request: MemberRequest, scope: Scope, number: bytes | None, seen: datetime) -> HttpResponse:
    """Delete the whole log as it was seen, or everything about one number, with what is still on its way."""
    until = None if scope == Scope.NUMBER else seen - timedelta(seconds=1)
    try:
        begun = requesting.erase(request.client, scope, by=request.user, request=request, number=number, until=until)
    except Refusal as refusal:
        messages.error(request, privacy_messages.refusal(refusal))
        return redirect("validation:log")
    done = execution.attempt(begun.pk, for_at_most=timedelta(seconds=log_search.ERASING_SECONDS))
    if done is None:
        messages.info(request, _("It is being deleted, and goes on without you. The history tells when it is done."))
        return redirect("validation:log")
    said = _erased(done.receipt["erased"].get("checks", 0))
    link = reverse("deletion:receipt", args=[done.token])
    messages.success(request, format_html('{} <a href="{}">{}</a>', said, link, _("Receipt of a deletion")))
    return redirect("validation:log")


@allowed("log.export")
@read_or_send
@recent_login
def export(request: MemberRequest) -> HttpResponseBase:
    """Send the checks that fit the filters as a file and record that they left; only a post does."""
    if request.method != "POST":
        return redirect("validation:log")
    form = LogFilter(request.POST, client=request.client)
    ending = request.POST.get("format", "")
    if not form.is_valid() or ending not in FORMATS:
        return _log_page(request, NumberForm(), form=form, status=422)
    asked = form.asked()
    detail = {"file": ending.upper(), "filters": ", ".join(asked.kinds) or "all"}
    client_log.record("log.exported", client=request.client, by=request.user, request=request, detail=detail)
    pieces = FORMATS[ending].write(request.client, asked, get_language() or "en")
    answer = StreamingHttpResponse(pieces, content_type=FORMATS[ending].content_type)
    name = f"ibanse-log-{timezone.localdate().isoformat()}.{ending}"
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _log_page(
    request: MemberRequest, number_form: NumberForm, *, form: LogFilter | None = None, status: int = 200
) -> HttpResponse:
    form = form or LogFilter(request.GET if request.method != "POST" else QueryDict(), client=request.client)
    is_valid = form.is_valid()
    asked = form.asked() if is_valid else Asked()
    found = _found(request, asked) if is_valid else log_search.Page([])
    rows = log_reading.told(request.client, found.rows)
    choice = mode.of(request.client)
    written = form.written() if is_valid else {}
    context = {
        "form": form,
        "number_form": number_form,
        "rows": rows,
        "shows_numbers": any(row.is_sealed for row in rows),
        "searched": next((row.number for row in rows if row.number), "") if asked.number else "",
        "choice": choice,
        "is_full": choice.mode == Mode.FULL,
        "is_off": choice.mode == Mode.OFF,
        "has_numbers": log_search.has_numbers(request.client),
        "is_narrowed": bool(asked.kinds),
        "is_of_number": asked.kinds == ("number",),
        "is_search": asked.number is not None,
        "carried": written,
        "query": urlencode(written),
        **_links(found, written),
    }
    return _page(request, "validation/log.html", context, status=status if is_valid else 422)


def _found(request: MemberRequest, asked: Asked) -> log_search.Page:
    before, after = (log_filter.read_place(request.GET.get(side)) for side in ("before", "after"))
    return log_search.page(request.client, asked, rows=PAGE_ROWS, before=before, after=after)


def _links(found: log_search.Page, written: dict[str, str]) -> dict[str, str]:
    """Return the queries that lead to the newer and the older page."""
    if not found.rows:
        return {}
    first, last = (log_filter.written_place(log_search.place(found.rows[end])) for end in (0, -1))
    links = {}
    if found.has_newer:
        links["newer"] = urlencode({**written, "after": first})
    if found.has_older:
        links["older"] = urlencode({**written, "before": last})
    return links


def _row(request: MemberRequest, pk: UUID) -> log_reading.Told:
    found = log_search.one(request.client, pk)
    if found is None:
        raise Http404
    [told] = log_reading.told(request.client, [found])
    return told


def _sample(request: MemberRequest, asked: Asked) -> list[log_reading.Told]:
    """Return the newest of the checks that are meant, so that people see what they delete."""
    return log_reading.told(request.client, log_search.page(request.client, asked, rows=3).rows)


def _seen(given: QueryDict) -> datetime:
    """Return the end of the second in which the page was made that somebody answers; now, when it does not say."""
    text = given.get("seen", "")
    now = int(datetime.now(UTC).timestamp())
    second = int(text) if text.isascii() and text.isdecimal() and len(text) < 12 else now
    return datetime.fromtimestamp(min(second, now), UTC) + timedelta(seconds=1)


def _erased(rows: int) -> str:
    return ngettext("%(rows)s check is deleted from the log.", "%(rows)s checks are deleted from the log.", rows) % {
        "rows": f"{rows:,}"
    }


def _page(request: MemberRequest, template: str, context: dict[str, Any], status: int = 200) -> HttpResponse:
    answer = render(request, template, context, status=status)
    # It may show numbers: neither the browser nor anything between keeps a copy.
    answer.headers["Cache-Control"] = "no-store"
    return answer
