"""The check page and the pages about countries: HTTP in, HTML out."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from accounts import access
from accounts.guard import addresses, limits
from accounts.models import Client, UsageDay
from accounts.usage import counts
from privacy.check_logging import mode
from validation import countries, engine, log, sentences, writer
from validation.engine import Verdict
from validation.engine.normalise import MAX_INPUT_CHARACTERS
from validation.forms import FormProblem, iban_text
from validation.report import report
from validation.spool import SpoolFull


@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
def check(request: HttpRequest) -> HttpResponse:
    """Show the form; after a post, the verdict on the one IBAN in it.

    The same page answers with and without JavaScript: htmx takes the part it needs. The number travels in
    the body only.
    """
    if request.method != "POST":
        return _check_page(request)
    text = request.POST.get("iban", "")[:MAX_INPUT_CHARACTERS]
    client = access.client_of(request, "iban.check")
    try:
        wait = _wait(request, client)
    except limits.Uncounted:
        return _check_page(request, {"problem": sentences.FORM_PROBLEMS["unavailable"], "text": text}, status=503)
    if wait:
        page = _check_page(request, {"problem": sentences.wait(wait), "text": text}, status=429)
        page.headers["Retry-After"] = str(int(wait.total_seconds()))
        return page
    try:
        verdict = engine.with_suggestions(engine.check(iban_text(request)))
    except FormProblem as problem:
        said = sentences.FORM_PROBLEMS[problem.code]
        return _check_page(request, {"problem": said, "text": text}, status=problem.status)
    if client and not _kept(request, client, verdict):
        return _check_page(request, {"problem": sentences.FORM_PROBLEMS["unavailable"], "text": text}, status=503)
    return _check_page(request, {"report": report(verdict), "text": verdict.input})


def _kept(request: HttpRequest, client: Client, verdict: Verdict) -> bool:
    """Count the check and keep of it what the client wants; return whether that could be done."""
    page = UsageDay.Source.PAGE.value
    caller = log.Caller(client.pk, page, None, addresses.caller(request))
    record = writer.Record(
        client=client.pk,
        key=None,
        day=counts.today(),
        valid=int(verdict.valid),
        invalid=int(not verdict.valid),
        units=0,
        is_test=False,
        source=page,
        rows=log.rows([verdict], caller, mode.of(client)),
    )
    try:
        writer.put(record, soon=True)
    except SpoolFull:
        return False
    return True


def _wait(request: HttpRequest, client: Client | None) -> timedelta:
    """Count the check: a client's users share the client's limit, strangers have their address's."""
    if client is None:
        return limits.wait_for(request, deed="check", per_minute=settings.ANONYMOUS_CHECKS_PER_MINUTE)
    return limits.wait_for(request, deed="check", per_minute=settings.CLIENT_CHECKS_PER_MINUTE, of=str(client.pk))


def _check_page(request: HttpRequest, context: dict[str, Any] | None = None, status: int = 200) -> HttpResponse:
    context = {"data_version": engine.DATA_VERSION, **(context or {})}
    page = render(request, "validation/check.html", context, status=status)
    page.headers["Cache-Control"] = "no-store"
    return page


@login_not_required
@require_safe
def country_list(request: HttpRequest) -> HttpResponse:
    """Show every country and territory, or those that match the question `q`."""
    question = request.GET.get("q", "")[:64].strip()
    return render(
        request,
        "validation/countries.html",
        {"countries": countries.matching(question), "question": question},
    )


@login_not_required
@require_safe
def country(request: HttpRequest, code: str) -> HttpResponse:
    """Show how one country's IBAN is built, and what of it we can check."""
    if code != code.lower():
        return redirect("validation:country", code=code.lower(), permanent=True)
    found = countries.by_code(code.upper())
    if found is None:
        raise Http404
    return render(request, "validation/country.html", {"country": found})
