"""The public page of security claims, and the security.txt file of RFC 9116."""

from datetime import UTC, datetime, time, timedelta
from typing import Final

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from privacy.security_page import evidence

SECURITY_TXT_VALID_FOR: Final = timedelta(days=180)
"""RFC 9116 recommends less than a year."""


@login_not_required
@require_safe
def security(request: HttpRequest) -> HttpResponse:
    """Show the claims with their results, what the operator states about hosting, and what is not promised."""
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
    return render(request, "privacy/security_page/security.html", context)


@login_not_required
@require_safe
def security_txt(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 - Django's signature
    """Return the file of RFC 9116; raises Http404 when no security contact is configured."""
    if not settings.SECURITY_CONTACTS:
        raise Http404
    # Counted from midnight, so that the file is the same all day.
    expires = datetime.combine(datetime.now(UTC).date() + SECURITY_TXT_VALID_FOR, time(), UTC)
    lines = [
        *(f"Contact: {address}" for address in settings.SECURITY_CONTACTS),
        f"Expires: {expires:%Y-%m-%dT%H:%M:%SZ}",
        f"Preferred-Languages: {', '.join(code for code, _name in settings.LANGUAGES)}",
        f"Canonical: {settings.SITE_URL}{reverse('security_txt')}",
        f"Policy: {settings.SITE_URL}{reverse('security')}#report",
    ]
    return HttpResponse("\n".join(lines) + "\n", content_type="text/plain; charset=utf-8")
