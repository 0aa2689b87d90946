"""What of the account a user may open, and which settings there are. The settings themselves are in privacy/pages."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.access import MemberRequest, allowed
from accounts.permissions import Permission


@allowed(Permission.PROFILE_CHANGE)
@require_safe
def account(request: MemberRequest) -> HttpResponse:
    """Show what of the account this user may open."""
    return render(request, "accounts/profile/account.html")


@allowed(Permission.PRIVACY_VIEW)
@require_safe
def settings(request: MemberRequest) -> HttpResponse:
    """Show which settings there are."""
    return render(request, "accounts/profile/settings.html")
