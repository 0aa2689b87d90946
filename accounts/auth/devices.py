"""Device cookies: browsers that a user has signed in with before, which others' wrong passwords must not lock out.

OWASP's device cookie protocol. The cookie holds the hash of a mailbox and a random device id, signed; it grants no
access. Wrong passwords of a known browser count for it alone, on any network; those of unknown browsers count for the
mailbox together with their network, and for their IP address.
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
_MOST_USERS: Final = 5
"""How many users who share a browser it remembers."""


def known_device(request: HttpRequest, email: str) -> str | None:
    """Return the rate limit key of this browser, if it has been used to sign in with this mailbox."""
    mailbox = mailbox_hash(email)
    for entry in _entries(request):
        entry_mailbox, _, device = entry.partition(".")
        if secrets.compare_digest(entry_mailbox, mailbox):
            return f"device:{device}"
    return None


def rate_limit_key(request: HttpRequest, email: str) -> str:
    """Return the key under which a wrong password for this mailbox counts."""
    return known_device(request, email) or f"unknown:{mailbox_hash(email)}:{network_of(request)}"


def network_of(request: HttpRequest) -> str:
    """Return the caller's IPv4 address, or the /64 of an IPv6 one, which one household or server holds entirely."""
    caller = addresses.parse(addresses.caller(request))
    return str(ip_network((caller, 64 if caller.version == 6 else 32), strict=False))


def remember(request: HttpRequest, response: HttpResponseBase, email: str) -> None:
    """Set the cookie that makes this browser known for the mailbox, after a complete sign-in."""
    mailbox = mailbox_hash(email)
    others = [entry for entry in _entries(request) if not entry.startswith(f"{mailbox}.")]
    value = _SIGNER.sign("-".join([f"{mailbox}.{secrets.token_hex(8)}", *others][:_MOST_USERS]))
    response.set_cookie(
        COOKIE, value, max_age=RETENTION, secure=not settings.EMBEDDED, httponly=True, samesite="Lax", path="/"
    )


def mailbox_hash(email: str) -> str:
    """Return a keyed hash of the mailbox, so that the counters hold no e-mail address."""
    return hashlib.blake2b(
        email.strip().lower().encode(), key=settings.SECRET_KEY.encode()[:64], digest_size=12
    ).hexdigest()


def _entries(request: HttpRequest) -> list[str]:
    try:
        return _SIGNER.unsign(request.COOKIES.get(COOKIE, ""), max_age=RETENTION).split("-")
    except signing.BadSignature:
        return []
