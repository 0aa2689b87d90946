"""A deed as a page of the back-office: what it is done to, what will happen, a reason, a form that can be sent once.

The site asks for the permission and records the look (back_office.py); the deed itself records what was done.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from uuid import UUID

from allauth.account.decorators import reauthentication_required
from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from accounts import messages as account_messages
from accounts.errors import Refusal
from accounts.forms import idempotency
from accounts.staff.justification import Justification
from ibanse.backoffice.actions.forms import ActionForm
from ibanse.backoffice.model_admin import StaffRequest, looks_at

Fact = tuple[Promise, object]


@dataclass(frozen=True, slots=True)
class Words:
    """How a page offers a deed, asks, says what it will do, and that it is done, or was before."""

    link: Promise
    question: Promise
    meaning: tuple[Promise, ...]
    done: Promise
    already: Promise
    is_grave: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffAction:
    """A deed with everything that its page needs to know of it. `row` is what it is done to."""

    words: Words
    find: Callable[..., Any]
    """From what the path holds to the row; None when there is none."""
    carry_out: Callable[[Any, Justification, Any], bool]
    """From row, reason and form to whether it was not done before. May raise Refusal."""
    client_of: Callable[[Any], UUID | None] = lambda _row: None
    facts: Callable[[Any], list[Fact]] = lambda _row: []
    objection: Callable[[Any], Promise | None] = lambda _row: None
    """Why there is nothing to do now, if that is known before anybody fills in the form."""
    back: Callable[[Any], str]
    """The path of the page to go back to."""
    form: type[ActionForm] = field(default=ActionForm)


def view(action: StaffAction) -> Callable[..., HttpResponseBase]:
    """Return the view of a deed's page: looking says what will happen, and sending the form does it.

    A grave one asks for the password or second factor again when the last proof is older than five minutes: a session
    that somebody else got hold of suspends nobody.
    """
    does = partial(_view, action)
    proven = reauthentication_required(does) if action.words.is_grave else does
    return require_http_methods(["GET", "HEAD", "POST"])(proven)


def _view(action: StaffAction, request: StaffRequest, **place: Any) -> HttpResponseBase:
    row = action.find(**place)
    if row is None:
        raise Http404
    looks_at(request, action.client_of(row))
    if request.method != "POST":
        return _page(request, action, row, action.form(row=row))
    standing = idempotency.redeem(request, request.POST.get("attempt", ""))
    if standing == "sent":
        messages.info(request, str(_("This form has already been submitted. No further changes were made.")))
        return redirect(action.back(row))
    form = action.form(request.POST, row=row)
    if standing == "unknown":
        problem = _("This form has expired. No changes were made. Check and resend.")
        return _anew(request, action, place, form, problem)
    if not form.is_valid():
        return _page(request, action, row, form, status=422)
    try:
        is_done = action.carry_out(row, form.justification(request.actor), form)
    except Refusal as refusal:
        return _anew(request, action, place, form, account_messages.operator_refusal(refusal))
    tell = messages.success if is_done else messages.info
    tell(request, str(action.words.done if is_done else action.words.already))
    return redirect(action.back(row))


def _anew(
    request: StaffRequest, action: StaffAction, place: dict[str, Any], form: ActionForm, problem: object
) -> HttpResponseBase:
    """Show the page as things are now, with the reason that was typed: what else was typed answered another state."""
    row = action.find(**place)
    if row is None:
        messages.error(request, str(problem))
        return redirect("admin:index")
    typed = {name: form.data.get(name, "") for name in ("ticket", "words")}
    return _page(request, action, row, action.form(row=row, initial=typed), problem=problem, status=409)


def _page(  # noqa: PLR0913 - all that the page shows, each by its name
    request: StaffRequest, action: StaffAction, row: Any, form: ActionForm, *, problem: object = "", status: int = 200
) -> HttpResponse:
    context = {
        "words": action.words,
        "client": action.client_of(row),
        "facts": action.facts(row),
        "objection": "" if problem else action.objection(row),
        "problem": problem,
        "form": form,
        "back": action.back(row),
        "attempt": idempotency.issue(request),
    }
    return render(request, "admin/action.html", context, status=status)
