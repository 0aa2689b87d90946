"""Deletion receipts: shown to anyone with the link, and verified for anybody."""

from datetime import datetime
from typing import Any, Final

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from accounts.guard import limits
from accounts.models import Client
from privacy import messages
from privacy.deletion import receipts
from privacy.deletion.forms import ReceiptForm
from privacy.inventory import registry

VERIFIED_PER_MINUTE: Final = 20


@require_safe
@login_not_required
@never_cache
def receipt(request: HttpRequest, token: str) -> HttpResponse:
    """Show a receipt, to be printed or downloaded."""
    found = receipts.find(token)
    if found is None:
        return render(request, "privacy/deletion/receipt_over.html", status=410)
    content = receipts.verify(found.document).content
    context = {"token": token, "until": found.made_at + receipts.LINK_VALID, **_receipt_context(content)}
    return render(request, "privacy/deletion/receipt.html", context)


@require_safe
@login_not_required
@never_cache
def download(request: HttpRequest, token: str) -> HttpResponse:
    """Send a receipt as a file that can be verified."""
    found = receipts.find(token)
    if found is None:
        return render(request, "privacy/deletion/receipt_over.html", status=410)
    content = receipts.verify(found.document).content
    response = HttpResponse(found.document, content_type="application/json")
    response.headers["Content-Disposition"] = f'attachment; filename="ibanse-receipt-{content["number"]}.json"'
    return response


@require_http_methods(["GET", "HEAD", "POST"])
@login_not_required
@never_cache
def verify(request: HttpRequest) -> HttpResponse:
    """Verify a pasted or uploaded receipt: whether it is ours and unaltered."""
    if request.method != "POST":
        return render(request, "privacy/deletion/verify_receipt.html", {"form": ReceiptForm()})
    try:
        wait = limits.wait_for(request, action="receipts.verify", per_minute=VERIFIED_PER_MINUTE)
    except limits.Uncounted:
        return render(request, "503.html", status=503)
    if wait:
        response = render(request, "429.html", status=429)
        response.headers["Retry-After"] = str(int(wait.total_seconds()))
        return response
    form = ReceiptForm(request.POST, request.FILES)
    if not form.is_valid():
        return render(request, "privacy/deletion/verify_receipt.html", {"form": form}, status=422)
    verdict = receipts.verify(form.text())
    is_genuine = verdict.code == "genuine"
    context = {
        "form": ReceiptForm(),
        "code": verdict.code,
        "is_genuine": is_genuine,
        "result": messages.receipt_verdict(verdict.code, issuer=verdict.issuer),
        **(_receipt_context(verdict.content) if is_genuine else {}),
    }
    return render(request, "privacy/deletion/verify_receipt.html", context)


def _receipt_context(content: dict[str, Any]) -> dict[str, Any]:
    """Return the contents of a receipt for the template."""
    abouts: dict[str, object] = {table.name: table.about for table in registry.export(Client())}
    abouts["deletions"] = _("The request for this deletion")
    return {
        "receipt": content,
        "what": messages.SCOPES.get(content["scope"], content["scope"]),
        "confirmed_at": _time(content["confirmed_at"]),
        "completed_at": _time(content["completed_at"]),
        "destroyed_at": _time(content["key"]["destroyed_at"]) if content["key"] else None,
        "unreadable_from": _time(content["unreadable_everywhere_from"]),
        "last_trace_from": _time(content["last_trace_gone_from"]),
        "erased": [(abouts.get(name, name), rows) for name, rows in content["erased"].items()],
        "rows": sum(content["erased"].values()),
        "retained": [_retained(line) for line in content["retained"]],
    }


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _retained(line: dict[str, Any]) -> dict[str, Any]:
    """Return a line in the active language, or as the receipt states it when its code is no longer known."""
    known = messages.RETAINED.get(line["code"])
    what, why = (known.what, known.why) if known else (line["what"], line["why"])
    return {"what": what, "why": why, "until": _time(line["until"])}
