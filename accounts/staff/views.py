"""Settings → Access for support: owners let staff see masked details for a while, end it, and read who has looked."""

from typing import Final

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts import messages as account_messages
from accounts.access import MemberRequest, allowed, recent_login
from accounts.permissions import Permission
from accounts.staff import support_access, unmasking
from accounts.staff.forms import SupportAccessForm

SHOWN: Final = 20
"""The latest looks of staff; the rest is in the history and in the export."""

_PAGE: Final = "accounts:support_access"


@allowed(Permission.SUPPORT_ACCESS_VIEW)
@require_safe
def show(request: MemberRequest) -> HttpResponse:
    """Show whether support has access, what it can see by it, and who has looked."""
    return _page(request, SupportAccessForm())


@allowed(Permission.SUPPORT_ACCESS_CHANGE)
@require_http_methods(["GET", "HEAD", "POST"])
@recent_login
def grant(request: MemberRequest) -> HttpResponseBase:
    """Give support access for as long as is chosen; only on POST."""
    if request.method != "POST":
        return redirect(_PAGE)
    form = SupportAccessForm(request.POST)
    if not form.is_valid():
        return _page(request, form, status=422)
    support_access.grant(request.client, form.cleaned_data["length"], by=request.actor)
    messages.success(request, _("Support now has access. You can end it here at any time."))
    return redirect(_PAGE)


@allowed(Permission.SUPPORT_ACCESS_CHANGE)
@require_http_methods(["GET", "HEAD", "POST"])
def end(request: MemberRequest) -> HttpResponseBase:
    """End the access at once; only on POST. No password is asked for: it must be quick, and takes nothing away."""
    if request.method != "POST":
        return redirect(_PAGE)
    if support_access.end(request.client, by=request.actor):
        messages.success(request, _("The access has ended. Support sees your details masked again."))
    else:
        messages.info(request, _("Support no longer had access."))
    return redirect(_PAGE)


def _page(request: MemberRequest, form: SupportAccessForm, status: int = 200) -> HttpResponse:
    looks = unmasking.of(request.client)[:SHOWN]
    context = {
        "form": form,
        "access": support_access.current(request.client.pk),
        "looks": [(look, account_messages.groups(look.groups), unmasking.reason_text(look)) for look in looks],
    }
    return render(request, "accounts/staff/support_access.html", context, status=status)
