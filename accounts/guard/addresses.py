"""The caller's IP address, from the only source that can be trusted.

gunicorn listens on a unix socket, so REMOTE_ADDR is empty in production; nginx overwrites the one header that
`CLIENT_ADDRESS_META_KEY` names. A missing or malformed value is refused, since guessing would bypass every limit and
allow-list. X-Forwarded-For is never read: its first entries are written by the caller.
"""

from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import Final

from django.conf import settings
from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest


class AddressRefused(SuspiciousOperation):
    """The caller's IP address is missing or malformed; Django responds with 400."""


def caller(request: HttpRequest) -> str:
    """Return the caller's IP address in canonical form, such as `192.0.2.7` or `2001:db8::7`.

    Raises AddressRefused for a missing value, a list, a port, a zone id, leading zeros or digits outside ASCII.
    """
    pinned = getattr(request, _PINNED, None)
    return str(parse(request.META.get(settings.CLIENT_ADDRESS_META_KEY, "") if pinned is None else pinned))


_PINNED: Final = "pinned_ip_address"


def pin(request: HttpRequest) -> None:
    """Store the IP address on the request as it arrived, since a library may overwrite META later."""
    setattr(request, _PINNED, request.META.get(settings.CLIENT_ADDRESS_META_KEY, ""))


def parse(text: str) -> IPv4Address | IPv6Address:
    """Return the IP address that `text` is.

    An IPv4-mapped IPv6 address becomes its IPv4 form; 6to4 and NAT64 stay as they are, since unwrapping them would
    trust the sender. Raises AddressRefused for anything but one plain address; the text itself is not repeated.
    """
    if not text.isascii() or "%" in text:
        raise AddressRefused("The caller's address is not a plain address.")
    try:
        if ":" not in text:
            return IPv4Address(text)
        address = IPv6Address(text)
    except AddressValueError:
        raise AddressRefused("The caller's address is not a plain address.") from None
    return address.ipv4_mapped or address
