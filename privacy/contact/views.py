"""The contact page: a form to write to the operator, and its confirmation."""

import math
from uuid import UUID

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from accounts.guard import limits
from privacy.contact import messages
from privacy.contact.forms import ContactMessageForm


@login_not_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def contact(request: HttpRequest) -> HttpResponseBase:
    """Show the form; a POST stores the message and redirects, so that reloading the page sends nothing."""
    if not settings.CONTACT_ADDRESS:
        return _page(request, None)
    if request.method != "POST":
        return _page(request, ContactMessageForm.for_visitor(request))
    form = ContactMessageForm(request.POST)
    if not form.is_valid():
        return _page(request, form, status=422)
    # A message that was sent already does not count again: a second click must not exceed the limit.
    if not form.was_sent() and (refused := _limited(request, form)):
        return refused
    return redirect("contact_sent", pk=form.send())


@login_not_required
@never_cache
@require_safe
def sent(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Confirm a message, while it is stored; nothing of its content."""
    if not messages.is_stored(pk):
        raise Http404
    return render(request, "privacy/contact/contact_sent.html", {"reference": messages.reference(pk)})


def _limited(request: HttpRequest, form: ContactMessageForm) -> HttpResponse | None:
    """Count the message and return the page that refuses it, or None."""
    try:
        wait = limits.wait_for(request, action="contact", per_hour=messages.MOST_PER_HOUR)
    except limits.Uncounted:
        form.add_error(None, _("Messages cannot be sent right now. Your text is still here: try again in a moment."))
        return _page(request, form, status=503)
    if not wait:
        return None
    minutes = math.ceil(wait.total_seconds() / 60)
    problem = ngettext(
        (
            "The hourly limit for messages from your IP address has been reached. Your message is still "
            "here: send it in %(minutes)s minute."
        ),
        (
            "The hourly limit for messages from your IP address has been reached. Your message is still "
            "here: send it in %(minutes)s minutes."
        ),
        minutes,
    )
    form.add_error(None, problem % {"minutes": minutes})
    page = _page(request, form, status=429)
    page.headers["Retry-After"] = str(math.ceil(wait.total_seconds()))
    return page


def _page(request: HttpRequest, form: ContactMessageForm | None, status: int = 200) -> HttpResponse:
    context = {
        "form": form,
        "operator": settings.OPERATOR_NAME,
        "operator_address": settings.OPERATOR_ADDRESS,
        "days": messages.RETENTION.days,
        "most_per_hour": messages.MOST_PER_HOUR,
        "most_characters": messages.MOST_CHARACTERS,
    }
    return render(request, "privacy/contact/contact.html", context, status=status)
