"""What anybody may read: the terms, the privacy notice, the claims about security, and whom to tell of a weakness."""

from datetime import UTC, datetime, time, timedelta
from typing import Final

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from privacy.inventory import fields
from privacy.security_page import evidence

GOOD_FOR: Final = timedelta(days=180)
"""RFC 9116 asks for less than a year."""


@login_not_required
@require_safe
def terms(request: HttpRequest) -> HttpResponse:
    """Show what one agrees to."""
    return render(request, "privacy/terms.html", _operator())


@login_not_required
@require_safe
def notice(request: HttpRequest) -> HttpResponse:
    """Show what is done with data; what is kept comes from the same list as the page of settings."""
    return render(request, "privacy/notice.html", {**_operator(), "lines": fields.LINES.values()})


@login_not_required
@require_safe
def security(request: HttpRequest) -> HttpResponse:
    """Show the claims with their results, what the operator says of the hosting, and what is not promised."""
    sections = evidence.sections()
    context = {
        "sections": sections,
        "evidence": evidence.evidence(),
        "count": sum(len(section.claims) for section in sections),
        "hosting": settings.HOSTING,
        "contacts": [
            {"address": address, "name": address.removeprefix("mailto:").removeprefix("tel:")}
            for address in settings.SECURITY_CONTACTS
        ],
        "privacy_url": reverse("privacy"),
    }
    return render(request, "privacy/security.html", context)


@login_not_required
@require_safe
def security_txt(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 - Django's signature
    """Answer with the file of RFC 9116; raises Http404 when nobody is named whom one could tell."""
    if not settings.SECURITY_CONTACTS:
        raise Http404
    # From midnight, so that everybody gets the same file all day.
    expires = datetime.combine(datetime.now(UTC).date() + GOOD_FOR, time(), UTC)
    lines = [
        *(f"Contact: {address}" for address in settings.SECURITY_CONTACTS),
        f"Expires: {expires:%Y-%m-%dT%H:%M:%SZ}",
        f"Preferred-Languages: {', '.join(code for code, _name in settings.LANGUAGES)}",
        f"Canonical: {settings.SITE_URL}{reverse('security_txt')}",
        f"Policy: {settings.SITE_URL}{reverse('security')}#report",
    ]
    return HttpResponse("\n".join(lines) + "\n", content_type="text/plain; charset=utf-8")


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
