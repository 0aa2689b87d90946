"""Contact and billing details of the client, the user's own profile, and the index pages of account and settings."""

from dataclasses import asdict

from django.conf import settings
from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import get_language, override
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts import audit
from accounts.access import MemberRequest, allowed
from accounts.audit.events import AuditEvent
from accounts.forms.base import BaseForm
from accounts.permissions import Permission
from accounts.profile import details
from accounts.profile.forms import BillingForm, ContactForm, ProfileForm

read_or_send = require_http_methods(["GET", "HEAD", "POST"])


@allowed(Permission.PROFILE_CHANGE)
@require_safe
def account_index(request: MemberRequest) -> HttpResponse:
    """Show the account pages that this user may open."""
    return render(request, "accounts/profile/account.html")


@allowed(Permission.PRIVACY_VIEW)
@require_safe
def settings_index(request: MemberRequest) -> HttpResponse:
    """Show the settings of the client."""
    return render(request, "accounts/profile/settings.html")


@allowed(Permission.CONTACT_VIEW)
@read_or_send
def contact(request: MemberRequest) -> HttpResponseBase:
    """Show the contact details; a POST changes them."""
    if request.method == "POST":
        return _change_contact(request)
    return _page(request, "accounts/profile/contact.html", ContactForm(initial=asdict(details.contact(request.client))))


@allowed(Permission.CONTACT_CHANGE)
def _change_contact(request: MemberRequest) -> HttpResponse:
    form = ContactForm(request.POST)
    if not form.is_valid():
        return _page(request, "accounts/profile/contact.html", form)
    details.save_contact(request.client, form.details(), by=request.actor)
    messages.success(request, _("The contact details have been saved."))
    return redirect("accounts:contact")


@allowed(Permission.BILLING_VIEW)
@read_or_send
def billing(request: MemberRequest) -> HttpResponseBase:
    """Show the billing details; a POST changes them."""
    if request.method == "POST":
        return _change_billing(request)
    return _page(request, "accounts/profile/billing.html", BillingForm(initial=asdict(details.billing(request.client))))


@allowed(Permission.BILLING_CHANGE)
def _change_billing(request: MemberRequest) -> HttpResponse:
    form = BillingForm(request.POST)
    if not form.is_valid():
        return _page(request, "accounts/profile/billing.html", form)
    details.save_billing(request.client, form.details(), by=request.actor)
    messages.success(request, _("The billing details have been saved."))
    return redirect("accounts:billing")


@allowed(Permission.PROFILE_CHANGE)
@read_or_send
def profile(request: MemberRequest) -> HttpResponseBase:
    """Show the user's own name, language and time zone; a POST changes them. Saving the same records nothing."""
    user = request.user
    initial = {
        "name": details.name(user),
        "language": user.language or get_language() or settings.LANGUAGE_CODE,
        "time_zone": user.time_zone or timezone.get_default_timezone_name(),
    }
    if request.method != "POST":
        return _page(request, "accounts/profile/profile.html", ProfileForm(initial=initial))
    form = ProfileForm(request.POST, initial=initial)
    if not form.is_valid():
        return _page(request, "accounts/profile/profile.html", form)
    values = form.cleaned_data
    with transaction.atomic():
        details.save_name(user, values["name"])
        user.language, user.time_zone = values["language"], values["time_zone"]
        user.save(update_fields=["language", "time_zone"])
        if form.changed_data:
            detail = {"fields": ", ".join(form.changed_data)}
            audit.record(AuditEvent.PROFILE_CHANGED, client=request.client, by=request.actor, detail=detail)
    with override(values["language"]):
        messages.success(request, _("Your profile has been saved."))
    return redirect("accounts:profile")


def _page(request: MemberRequest, template: str, form: BaseForm) -> HttpResponse:
    return render(request, template, {"form": form}, status=422 if form.errors else 200)
