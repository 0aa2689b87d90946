"""The terms and the privacy notice for everybody; for owners, the agreement and the measures as PDF."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts.access import MemberRequest, allowed, recent_login
from accounts.errors import Refusal
from accounts.messages import FIELD_NAMES
from accounts.permissions import Permission
from privacy import legal, vault
from privacy import messages as privacy_messages
from privacy.inventory import registry
from privacy.legal import measures, parties
from privacy.legal.forms import DocumentForm
from privacy.models import ClientDocument

_PAGE = "privacy:documents"


@login_not_required
@require_safe
def terms(request: HttpRequest) -> HttpResponse:
    """Show the terms of service."""
    return render(request, "privacy/legal/terms.html", _operator())


@login_not_required
@require_safe
def notice(request: HttpRequest) -> HttpResponse:
    """Show the privacy notice; its list of stored data is the one of the settings page."""
    return render(request, "privacy/legal/notice.html", {**_operator(), "lines": registry.summaries()})


@allowed(Permission.DOCUMENTS)
@require_safe
def documents(request: MemberRequest) -> HttpResponse:
    """Show which documents can be requested, what is missing for them, and which have been created."""
    return _page(request, DocumentForm(initial={"kind": "agreement", "language": get_language()}))


@allowed(Permission.DOCUMENTS)
@require_http_methods(["GET", "HEAD", "POST"])
def make(request: MemberRequest) -> HttpResponseBase:
    """Create a document; only on POST. While nothing has changed, a second request returns the same document."""
    if request.method != "POST":
        return redirect(_PAGE)
    form = DocumentForm(request.POST)
    if not form.is_valid():
        return _page(request, form, status=422)
    chosen = form.cleaned_data
    try:
        made = legal.request_document(request.client, chosen["kind"], chosen["language"], by=request.actor)
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


@allowed(Permission.DOCUMENTS)
@require_http_methods(["GET", "HEAD", "POST"])
def download(request: MemberRequest, pk: UUID) -> HttpResponseBase:
    """Send a document and record the download; only on POST."""
    try:
        if request.method != "POST":
            ClientDocument.objects.only("pk").get(client=request.client, pk=pk)
            return redirect(_PAGE)
        name, pdf = legal.download(request.client, pk, by=request.actor)
    except ClientDocument.DoesNotExist:
        raise Http404 from None
    except vault.VaultError:
        messages.error(request, privacy_messages.refusal(Refusal("document_locked")))
        return redirect(_PAGE)
    response = HttpResponse(pdf, content_type="application/pdf")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.headers["Cache-Control"] = "no-store"
    return response


@allowed(Permission.DOCUMENTS)
@require_http_methods(["GET", "HEAD", "POST"])
@recent_login
def delete(request: MemberRequest, pk: UUID) -> HttpResponseBase:
    """Ask for confirmation; a POST deletes the document."""
    try:
        if request.method != "POST":
            row = ClientDocument.objects.defer("sealed_pdf").get(client=request.client, pk=pk)
            return render(request, "privacy/legal/delete_document.html", {"document": row})
        legal.delete(request.client, pk, by=request.actor)
    except ClientDocument.DoesNotExist:
        raise Http404 from None
    messages.success(request, _("The document has been deleted."))
    return redirect(_PAGE)


def _operator() -> dict[str, object]:
    return {
        "operator": settings.OPERATOR_NAME,
        "operator_address": settings.OPERATOR_ADDRESS,
        "version": settings.TERMS_VERSION,
        "privacy_url": reverse("privacy"),
        "security_url": reverse("security"),
        "has_proxy": not settings.EMBEDDED,
        "log_is_sealed": bool(settings.LOG_KEYS),
    }


def _page(request: MemberRequest, form: DocumentForm, status: int = 200) -> HttpResponse:
    created = [
        {
            "row": document.row,
            "company": document.facts.company,
            "fingerprint": legal.spaced(document.facts.fingerprint),
        }
        for document in legal.documents_of(request.client)
    ]
    context: dict[str, Any] = {
        "form": form,
        "documents": created,
        "operator_is_named": parties.operator_is_named(),
        "missing": _names(parties.missing(request.client, parties.NEEDED)),
        "is_proved": measures.are_proved(),
        "welcome": _names(parties.missing(request.client, parties.WELCOME)),
    }
    return render(request, "privacy/legal/documents.html", context, status=status)


def _names(fields: list[str]) -> list[str]:
    return [str(FIELD_NAMES[field]) for field in fields]
