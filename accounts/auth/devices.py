"""Browsers that somebody has signed in with before: a stranger's wrong passwords must not lock these out.

OWASP's device cookie protocol. The cookie names a mailbox by its hash and a number of its own, signed; it opens
nothing. Wrong passwords of a known browser are counted for it alone, wherever it is; those of unknown ones for the
mailbox and their network, and for their address.
"""

import hashlib
import secrets
from datetime import timedelta
from ipaddress import ip_network
from typing import Final

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponseBase

from accounts.guard import addresses

COOKIE: Final = "known" if settings.EMBEDDED else "__Host-known"
RETENTION: Final = timedelta(days=180)
_SIGNER: Final = signing.TimestampSigner(salt="accounts.identity.devices")
_MOST: Final = 5
"""People who share a browser."""


def known_as(request: HttpRequest, email: str) -> str | None:
    """Return the name of this browser's own counts, if somebody has signed in to this mailbox's account with it."""
    mailbox = mailbox_name(email)
    for entry in _entries(request):
        name, _, device = entry.partition(".")
        if secrets.compare_digest(name, mailbox):
            return f"device:{device}"
    return None


def counted_as(request: HttpRequest, email: str) -> str:
    """Return for whom a wrong password for this mailbox counts."""
    return known_as(request, email) or f"stranger:{mailbox_name(email)}:{network_of(request)}"


def network_of(request: HttpRequest) -> str:
    """Return the caller's IPv4 address, or the /64 of an IPv6 one: what one household or server holds whole."""
    caller = addresses.parse(addresses.caller(request))
    return str(ip_network((caller, 64 if caller.version == 6 else 32), strict=False))


def remember(request: HttpRequest, response: HttpResponseBase, email: str) -> None:
    """Let this browser be known as one of the mailbox's reader, after a whole sign-in."""
    mailbox = mailbox_name(email)
    others = [entry for entry in _entries(request) if not entry.startswith(f"{mailbox}.")]
    value = _SIGNER.sign("-".join([f"{mailbox}.{secrets.token_hex(8)}", *others][:_MOST]))
    response.set_cookie(
        COOKIE, value, max_age=RETENTION, secure=not settings.EMBEDDED, httponly=True, samesite="Lax", path="/"
    )


def mailbox_name(email: str) -> str:
    """Return the name that a mailbox is counted under: a keyed hash, so that the counters hold no address."""
    return hashlib.blake2b(
        email.strip().lower().encode(), key=settings.SECRET_KEY.encode()[:64], digest_size=12
    ).hexdigest()


def _entries(request: HttpRequest) -> list[str]:
    try:
        return _SIGNER.unsign(request.COOKIES.get(COOKIE, ""), max_age=RETENTION).split("-")
    except signing.BadSignature:
        return []
