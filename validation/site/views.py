"""The check page and the pages about countries: HTTP in, HTML out."""

from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from accounts import access
from accounts.guard import addresses, limits
from accounts.models import UsageDay
from accounts.permissions import Permission
from privacy.check_logging import mode
from validation import engine, messages
from validation.engine.normalise import MAX_INPUT_CHARACTERS
from validation.recording import writer
from validation.recording.record import RecordCaller, build_record
from validation.recording.spool import SpoolFull
from validation.site import countries
from validation.site.forms import FormProblem, iban_text
from validation.site.report import report


@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
def check(request: HttpRequest) -> HttpResponse:
    """Show the form; after a post, the verdict on the one IBAN in it.

    The same page works with and without JavaScript: htmx takes the part it needs. The IBAN travels in the
    body only.
    """
    if request.method != "POST":
        return _check_page(request)
    text = request.POST.get("iban", "")[:MAX_INPUT_CHARACTERS]
    client = access.client_of(request, Permission.IBAN_CHECK)
    # A client's users share the client's limit, visitors have that of their IP address.
    per_minute = settings.CLIENT_CHECKS_PER_MINUTE if client else settings.ANONYMOUS_CHECKS_PER_MINUTE
    try:
        wait = limits.wait_for(request, action="check", per_minute=per_minute, of=str(client.pk) if client else "")
    except limits.Uncounted:
        return _check_page(request, {"problem": messages.FORM_PROBLEMS["unavailable"], "text": text}, status=503)
    if wait:
        page = _check_page(request, {"problem": messages.wait(wait), "text": text}, status=429)
        page.headers["Retry-After"] = str(int(wait.total_seconds()))
        return page
    try:
        verdict = engine.with_suggestions(engine.check(iban_text(request)))
    except FormProblem as problem:
        message = messages.FORM_PROBLEMS[problem.code]
        return _check_page(request, {"problem": message, "text": text}, status=problem.status)
    if client:
        caller = RecordCaller(client.pk, UsageDay.Source.PAGE.value, None, addresses.caller(request))
        try:
            writer.put(build_record(caller, [verdict], mode.choice_of(client)), soon=True)
        except SpoolFull:
            return _check_page(request, {"problem": messages.FORM_PROBLEMS["unavailable"], "text": text}, status=503)
    return _check_page(request, {"report": report(verdict), "text": verdict.input})


def _check_page(request: HttpRequest, context: dict[str, Any] | None = None, status: int = 200) -> HttpResponse:
    context = {"data_version": engine.DATA_VERSION, **(context or {})}
    page = render(request, "validation/site/check.html", context, status=status)
    page.headers["Cache-Control"] = "no-store"
    return page


@login_not_required
@require_safe
def country_list(request: HttpRequest) -> HttpResponse:
    """Show every country and territory, or those that match the question `q`."""
    question = request.GET.get("q", "")[:64].strip()
    return render(
        request,
        "validation/site/countries.html",
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
    return render(request, "validation/site/country.html", {"country": found})
