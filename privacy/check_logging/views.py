"""Settings → Security and privacy: what is stored about checks, two-factor authentication, what is stored at all."""

from datetime import timedelta
from typing import Final

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_safe

from accounts import messages as account_messages
from accounts.access import MemberRequest, allowed, recent_login
from accounts.errors import Refusal
from accounts.permissions import Permission
from accounts.team import members
from privacy.check_logging import mode as check_logging_mode
from privacy.check_logging import reduction
from privacy.check_logging.forms import APPLY, LoggingForm, OlderForm
from privacy.inventory import registry
from privacy.models import Mode

REDUCES_FOR: Final = timedelta(seconds=10)
"""This long a user waits for the response; the rest continues in the background."""

_PAGE: Final = "privacy:security_and_privacy"


@allowed(Permission.PRIVACY_VIEW)
@require_safe
def security_and_privacy(request: MemberRequest) -> HttpResponse:
    """Show the settings, and what is stored."""
    return _page(request, LoggingForm.showing(check_logging_mode.choice_of(request.client)))


@allowed(Permission.PRIVACY_CHANGE)
@require_http_methods(["GET", "HEAD", "POST"])
@recent_login
def change_logging(request: MemberRequest) -> HttpResponseBase:
    """Save what is stored about checks; storing less than before leads to a question about existing records."""
    if request.method != "POST":
        return redirect(_PAGE)
    form = LoggingForm(request.POST)
    if not form.is_valid():
        return _page(request, form, status=422)
    choice = form.choice()
    older = OlderForm(request.POST if "older" in request.POST or "asked" in request.POST else None, choice=choice)
    if older.is_valid():
        return _save(request, choice, covers_older=older.cleaned_data["older"] == APPLY)
    old = check_logging_mode.choice_of(request.client)
    stores_less = check_logging_mode.is_less(choice.mode, old.mode) or choice.days < old.days
    # `ask` comes with the button that opens the question about older records alone.
    concerns_older = stores_less or "ask" in request.POST or older.errors
    # Between two clicks the records may have been deleted: then there is nothing to decide.
    excess = registry.excess(request.client, choice) if concerns_older else 0
    if not excess:
        return _save(request, choice)
    context = {"form": older, "choice": choice, "mode_label": choice.mode.label, "excess": excess}
    return render(request, "privacy/check_logging/older_records.html", context, status=422 if older.errors else 200)


@allowed(Permission.PRIVACY_CHANGE)
@require_http_methods(["GET", "HEAD", "POST"])
@recent_login
def second_factor(request: MemberRequest) -> HttpResponseBase:
    """Require two-factor authentication of all users, or make it optional; only on POST."""
    if request.method != "POST":
        return redirect(_PAGE)
    is_wanted = request.POST.get("required") == "yes"
    change = members.require_second_factor if is_wanted else members.make_second_factor_optional
    try:
        change(request.client, by=request.actor)
    except Refusal as refusal:
        messages.error(request, account_messages.refusal(refusal))
        return redirect(_PAGE)
    message = (
        _("Two-factor authentication is now required for all users.")
        if is_wanted
        else _("Two-factor authentication is now optional.")
    )
    messages.success(request, message)
    return redirect(_PAGE)


def _save(
    request: MemberRequest, choice: check_logging_mode.Choice, *, covers_older: bool | None = None
) -> HttpResponse:
    is_changed = check_logging_mode.choose(request.client, choice, by=request.actor, covers_older=covers_older)
    if is_changed:
        messages.success(request, _("Saved. This applies to every check from now on."))
    done = 0
    if covers_older:
        done = reduction.resume(request.client, by=request.actor, for_at_most=REDUCES_FOR)
    if done:
        message = ngettext(
            "%(number)s older record was deleted or reduced.", "%(number)s older records were deleted or reduced.", done
        )
        messages.success(request, message % {"number": done})
    if covers_older and registry.excess(request.client, choice):
        messages.info(request, _("There are more: they will be processed automatically within the next few hours."))
    if not is_changed and not done:
        messages.info(request, _("Nothing was changed: these settings already apply."))
    return redirect(_PAGE)


def _page(request: MemberRequest, form: LoggingForm, status: int = 200) -> HttpResponse:
    users = list(request.client.users.filter(is_active=True))
    secured = members.with_second_factor(users)
    choice = check_logging_mode.choice_of(request.client)
    logged = registry.logged(request.client)
    context = {
        "form": form,
        "choice": choice,
        "mode": choice.mode.value,
        "logged": {mode.value: count for mode, count in logged.items()},
        "logged_in_all": sum(logged.values()),
        "has_more_than_chosen": any(
            count and check_logging_mode.is_less(choice.mode, mode)
            for mode, count in logged.items()
            if mode != Mode.OFF
        ),
        "is_required": request.client.needs_second_factor,
        "users": len(users),
        "without": len(users) - len(secured),
        "has_own": request.user.pk in secured,
        "lines": registry.summaries(),
    }
    return render(request, "privacy/check_logging/security_and_privacy.html", context, status=status)
