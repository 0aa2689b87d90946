"""Where owners ask for the agreement and the measures as PDF, and fetch again what was made."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts.access import MemberRequest, allowed, recent_login
from accounts.errors import Refusal
from accounts.messages import FIELD_NAMES
from privacy import legal as papers
from privacy import messages as privacy_messages
from privacy import vault
from privacy.forms import DocumentForm
from privacy.legal import measures, parties
from privacy.models import ClientDocument

_PAGE = "privacy:documents"


@allowed("privacy.legal")
@require_safe
def documents(request: MemberRequest) -> HttpResponse:
    """Show what can be asked for, what is missing for it, and what was made."""
    return _page(request, DocumentForm(initial={"kind": "agreement", "language": get_language()}))


@allowed("privacy.legal")
@require_http_methods(["GET", "HEAD", "POST"])
def make(request: MemberRequest) -> HttpResponseBase:
    """Make a document; only a post does. Asked for again while nothing has changed, the same one is there."""
    if request.method != "POST":
        return redirect(_PAGE)
    form = DocumentForm(request.POST)
    if not form.is_valid():
        return _page(request, form, status=422)
    chosen = form.cleaned_data
    try:
        made = papers.request(request.client, chosen["kind"], chosen["language"], by=request.user, request=request)
    except Refusal as refusal:
        form.add_error(None, privacy_messages.refusal(refusal))
        return _page(request, form, status=409)
    if made.is_new:
        messages.success(
            request, _("The document has been created. You can find it below and download it at any time.")
        )
    else:
        messages.info(request, _("This document already exists, and nothing in it would be different today."))
    return redirect(_PAGE)


@allowed("privacy.legal")
@require_http_methods(["GET", "HEAD", "POST"])
def download(request: MemberRequest, pk: UUID) -> HttpResponseBase:
    """Send a document and record that it left; only a post does."""
    try:
        if request.method != "POST":
            ClientDocument.objects.only("pk").get(client=request.client, pk=pk)
            return redirect(_PAGE)
        name, pages = papers.download(request.client, pk, by=request.user, request=request)
    except ClientDocument.DoesNotExist:
        raise Http404 from None
    except vault.VaultError:
        messages.error(request, privacy_messages.refusal(Refusal("document_locked")))
        return redirect(_PAGE)
    response = HttpResponse(pages, content_type="application/pdf")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.headers["Cache-Control"] = "no-store"
    return response


@allowed("privacy.legal")
@require_http_methods(["GET", "HEAD", "POST"])
@recent_login
def delete(request: MemberRequest, pk: UUID) -> HttpResponseBase:
    """Ask whether a document shall go; a post deletes it."""
    try:
        if request.method != "POST":
            row = ClientDocument.objects.defer("sealed_pdf").get(client=request.client, pk=pk)
            return render(request, "privacy/document_delete.html", {"document": row})
        papers.delete(request.client, pk, by=request.user, request=request)
    except ClientDocument.DoesNotExist:
        raise Http404 from None
    messages.success(request, _("The document has been deleted."))
    return redirect(_PAGE)


def _page(request: MemberRequest, form: DocumentForm, status: int = 200) -> HttpResponse:
    made = [
        {"row": each.row, "company": each.facts.company, "fingerprint": papers.spaced(each.facts.fingerprint)}
        for each in papers.of(request.client)
    ]
    context: dict[str, Any] = {
        "form": form,
        "documents": made,
        "operator_is_named": parties.operator_is_named(),
        "missing": _names(parties.missing(request.client, parties.NEEDED)),
        "is_proved": measures.are_proved(),
        "welcome": _names(parties.missing(request.client, parties.WELCOME)),
    }
    return render(request, "privacy/documents.html", context, status=status)


def _names(fields: list[str]) -> list[str]:
    return [str(FIELD_NAMES[field]) for field in fields]
