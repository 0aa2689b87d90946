"""Verifying the audit log of a client or of staff: pages that show nothing of its content."""

import json
from typing import Final
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts import messages
from accounts.audit import client_log, export, staff_log
from accounts.audit.forms import StaffCheckpointForm
from accounts.audit.hash_chain import ChainVerification
from accounts.models import Client
from accounts.permissions import StaffPermission
from ibanse.backoffice.model_admin import BackOfficePage, StaffRequest, found


def verify_client(request: StaffRequest, pk: UUID) -> HttpResponse:
    """Read the whole chain of a client's audit log and say whether it is intact."""
    client = found(request, pk)
    result = client_log.verify(client)
    context = {"client": client, "result": result, "problem": _problem(result)}
    return render(request, "admin/verify_client.html", context)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def verify_staff(request: StaffRequest) -> HttpResponse:
    """Show a signed statement of where the staff audit log ends; a POST verifies it and compares it with one."""
    if request.method != "POST":
        return _staff_page(request, StaffCheckpointForm())
    form = StaffCheckpointForm(request.POST)
    if not form.is_valid():
        return _staff_page(request, form, status=422)
    typed = form.cleaned_data["checkpoint"]
    stated = export.read_checkpoint(typed) if typed else None
    if typed and stated is None:
        form.add_error("checkpoint", _("This is not one of our statements. Copy it in full, including the braces."))
        return _staff_page(request, form, status=422)
    result = staff_log.verify_checkpoint(stated) if stated else staff_log.verify()
    outcome = {"result": result, "problem": _problem(result), "is_compared": stated is not None}
    return _staff_page(request, StaffCheckpointForm(), outcome)


def _staff_page(
    request: StaffRequest, form: StaffCheckpointForm, outcome: dict[str, object] | None = None, *, status: int = 200
) -> HttpResponse:
    context = {"form": form, "stated": json.dumps(staff_log.checkpoint()), **(outcome or {})}
    return render(request, "admin/verify_staff.html", context, status=status)


def _problem(result: ChainVerification) -> str:
    return messages.HISTORY_PROBLEMS[result.problem] % {"number": result.first_bad} if not result.ok else ""


PAGES: Final = (
    BackOfficePage(
        "verify_client",
        "clients/<uuid:pk>/history/",
        verify_client,
        StaffPermission.VIEW_CLIENT_LOG,
        gettext_lazy("Verify integrity"),
        on=Client,
    ),
    BackOfficePage(
        "verify_staff",
        "staff/history/",
        verify_staff,
        StaffPermission.VIEW_STAFF_LOG,
        gettext_lazy("Integrity of the staff audit log"),
        section="staff",
        changes=True,
    ),
)
