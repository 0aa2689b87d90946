"""The caller's address, from the one place that can be trusted. Knows no client and no database.

gunicorn listens on a unix socket, so REMOTE_ADDR is empty in production; nginx overwrites the one header that
`CLIENT_ADDRESS_META_KEY` names. A missing or odd value is refused, since a guess would open every limit and
allow-list behind it. X-Forwarded-For is never read: its left end is whatever the caller wrote.
"""

from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import Final

from django.conf import settings
from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest


class AddressRefused(SuspiciousOperation):
    """The caller's address is missing or is not one plain address; Django answers 400."""


def caller(request: HttpRequest) -> str:
    """Return the caller's address in canonical form, such as `192.0.2.7` or `2001:db8::7`.

    Raises AddressRefused for a missing value, a list, a port, a zone id, leading zeros or digits outside ASCII.
    """
    told = getattr(request, _TAKEN, None)
    return str(parse(request.META.get(settings.CLIENT_ADDRESS_META_KEY, "") if told is None else told))


_TAKEN: Final = "address_as_told"


def take(request: HttpRequest) -> None:
    """Take down, at the door, where a request comes from: whatever is done to it later, that stays."""
    setattr(request, _TAKEN, request.META.get(settings.CLIENT_ADDRESS_META_KEY, ""))


def parse(text: str) -> IPv4Address | IPv6Address:
    """Return the one address that `text` is.

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
