"""IP addresses and networks that staff have blocked everywhere."""

import ipaddress
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final, NamedTuple
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from accounts.guard import addresses, revisions
from accounts.guard.models import Block

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class BlockRefused(Exception):
    """The text is not an IP address or network, or blocking it would lock out everybody or the machine itself."""


class _BlockCache(NamedTuple):
    mark: UUID
    blocked: tuple[tuple[Network, datetime | None], ...]


RETENTION_AFTER_END: Final = timedelta(days=30)
"""An ended block stays visible, to answer why somebody was refused."""

_cache = _BlockCache(UUID(int=1), ())
_EVERYTHING: Final = 0
_LOOPBACK: Final = (ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128"))


def block(text: str, *, reason: str = "", until: datetime | None = None) -> Network:
    """Block an IP address or network on every worker within two seconds; blocking it again renews reason and end.

    Raises BlockRefused.
    """
    network = _parsed(text)
    if network.prefixlen == _EVERYTHING:
        raise BlockRefused("That would block everybody.")
    if any(_overlap(network, own) for own in _LOOPBACK):
        raise BlockRefused("That would block this machine itself.")
    with transaction.atomic():
        Block.objects.update_or_create(network=str(network), defaults={"reason": reason, "expires_at": until})
        revisions.bump()
    return network


def unblock(text: str) -> bool:
    """Unblock an IP address or network; return whether it was blocked. Raises BlockRefused."""
    with transaction.atomic():
        removed, _ = Block.objects.filter(network=str(_parsed(text))).delete()
        revisions.bump()
    return bool(removed)


def forget_expired(now: datetime) -> int:
    """Delete the blocks that ended 30 days ago or longer; return how many."""
    removed, _ = Block.objects.filter(expires_at__lt=now - RETENTION_AFTER_END).delete()
    return removed


def overlapping(text: str) -> list[str]:
    """Return the blocks that overlap with an IP address or network. Raises BlockRefused."""
    wanted = _parsed(text)
    return [str(network) for network, _until in _all_blocks() if _overlap(network, wanted)]


def is_blocked(ip_address: str) -> bool:
    """Return whether a canonical IP address is blocked now.

    Raises revisions.Unreadable or a database error when this cannot be determined.
    """
    global _cache
    mark = revisions.current()
    cache = _cache
    if cache.mark != mark:
        # Replaced as a whole, since other threads read it.
        cache = _cache = _BlockCache(mark, tuple(_all_blocks()))
    if not cache.blocked:
        return False
    caller, now = _parse_address(ip_address), timezone.now()
    return any(
        caller.version == network.version and caller in network and (until is None or now < until)
        for network, until in cache.blocked
    )


_parse_address = lru_cache(maxsize=10_000)(addresses.parse)


def _all_blocks() -> list[tuple[Network, datetime | None]]:
    return [(ipaddress.ip_network(row.network), row.expires_at) for row in Block.objects.all()]


def _overlap(one: Network, other: Network) -> bool:
    return one.version == other.version and one.overlaps(other)


def _parsed(text: str) -> Network:
    try:
        network = ipaddress.ip_network(text.strip(), strict=False)
    except ValueError:
        raise BlockRefused("This is not an IP address or network, such as 192.0.2.7 or 2001:db8::/32.") from None
    if "%" in text:
        raise BlockRefused("Leave out the zone: it has a meaning only on one machine.")
    mapped = network.network_address.ipv4_mapped if network.version == 6 else None
    if mapped and network.prefixlen >= 96:
        return ipaddress.ip_network((mapped, network.prefixlen - 96))
    return network
