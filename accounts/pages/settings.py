"""The settings of a client: what there is to decide, and what is kept of it."""

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts import members, sentences
from accounts.access import MemberRequest, allowed, recent_login
from accounts.errors import Refusal


@allowed("profile.change")
@require_safe
def account(request: MemberRequest) -> HttpResponse:
    """Show what of the account this user may open."""
    return render(request, "accounts/account.html")


@allowed("privacy.view")
@require_safe
def settings(request: MemberRequest) -> HttpResponse:
    """Show which settings there are."""
    return render(request, "accounts/settings.html")


@allowed("privacy.view")
@require_safe
def security_and_privacy(request: MemberRequest) -> HttpResponse:
    """Show who needs a second factor, and what is kept today and how."""
    users = list(request.client.users.filter(is_active=True))
    secured = members.with_second_factor(users)
    context = {
        "is_required": request.client.needs_second_factor,
        "users": len(users),
        "without": len(users) - len(secured),
        "has_own": request.user.pk in secured,
    }
    return render(request, "accounts/security_and_privacy.html", context)


@allowed("privacy.change")
@require_http_methods(["GET", "HEAD", "POST"])
@recent_login
def second_factor(request: MemberRequest) -> HttpResponseBase:
    """Require a second factor of all users, or leave it to them; only a post does."""
    if request.method != "POST":
        return redirect("accounts:security_and_privacy")
    is_wanted = request.POST.get("required") == "yes"
    change = members.require_second_factor if is_wanted else members.make_second_factor_optional
    try:
        change(request.client, by=request.user, request=request)
    except Refusal as refusal:
        messages.error(request, sentences.refusal(refusal))
        return redirect("accounts:security_and_privacy")
    said = _("Every user needs a second factor now.") if is_wanted else _("The second factor is optional now.")
    messages.success(request, said)
    return redirect("accounts:security_and_privacy")
