"""Receipts of deletions: shown to whoever has the link, and verified for anybody."""

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
    """Show a receipt, to be printed or kept as a file."""
    found = receipts.find(token)
    if found is None:
        return render(request, "privacy/deletion/receipt_over.html", status=410)
    content = receipts.verify(found.document).content
    context = {"token": token, "until": found.made_at + receipts.LINK_VALID, **_told(content)}
    return render(request, "privacy/deletion/receipt.html", context)


@require_safe
@login_not_required
@never_cache
def download(request: HttpRequest, token: str) -> HttpResponse:
    """Send a receipt as the file that can be verified."""
    found = receipts.find(token)
    if found is None:
        return render(request, "privacy/deletion/receipt_over.html", status=410)
    number = receipts.verify(found.document).content["number"]
    response = HttpResponse(found.document, content_type="application/json")
    response.headers["Content-Disposition"] = f'attachment; filename="ibanse-receipt-{number}.json"'
    return response


@require_http_methods(["GET", "HEAD", "POST"])
@login_not_required
@never_cache
def verify(request: HttpRequest) -> HttpResponse:
    """Ask for a receipt, pasted or as a file, and say in words whether it is ours and whole."""
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
        "said": messages.receipt_verdict(verdict.code, issuer=verdict.issuer),
        **(_told(verdict.content) if is_genuine else {}),
    }
    return render(request, "privacy/deletion/verify_receipt.html", context)


def _told(content: dict[str, Any]) -> dict[str, Any]:
    """Return what a receipt says, for reading."""
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
    """Return a line in the reader's language, or as it stands there when we no longer have words for it."""
    known = messages.RETAINED.get(line["code"])
    what, why = (known.what, known.why) if known else (line["what"], line["why"])
    return {"what": what, "why": why, "until": _time(line["until"])}
