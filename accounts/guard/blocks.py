"""Addresses that are let in nowhere, blocked by hand. Knows addresses and clocks, never clients."""

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
    """The text is no address or network, or blocking it would lock everybody or ourselves out."""


class _Held(NamedTuple):
    mark: UUID
    blocked: tuple[tuple[Network, datetime | None], ...]


RETENTION_AFTER_END: Final = timedelta(days=30)
"""So that it can be seen later why somebody was let in nowhere."""

_held = _Held(UUID(int=1), ())
_EVERYTHING: Final = 0
_LOOPBACK: Final = (ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128"))


def block(text: str, *, reason: str = "", until: datetime | None = None) -> Network:
    """Block an address or network on every worker within two seconds; blocking it again renews reason and end.

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
    """Let an address or network in again; return whether it was blocked. Raises BlockRefused."""
    with transaction.atomic():
        removed, _ = Block.objects.filter(network=str(_parsed(text))).delete()
        revisions.bump()
    return bool(removed)


def forget_expired(now: datetime) -> int:
    """Delete the blocks that ended 30 days ago or longer; return how many."""
    removed, _ = Block.objects.filter(expires_at__lt=now - RETENTION_AFTER_END).delete()
    return removed


def touching(text: str) -> list[str]:
    """Return the blocks that an address or network has addresses in common with. Raises BlockRefused."""
    asked = _parsed(text)
    return [str(network) for network, _until in _all() if _overlap(network, asked)]


def is_blocked(address: str) -> bool:
    """Return whether a canonical address is blocked now.

    Raises revisions.Unreadable or a database error when nobody can tell.
    """
    global _held
    mark = revisions.current()
    held = _held
    if held.mark != mark:
        held = _held = _Held(mark, tuple(_all()))
    if not held.blocked:
        return False
    asked, now = _address(address), timezone.now()
    return any(
        asked.version == network.version and asked in network and (until is None or now < until)
        for network, until in held.blocked
    )


_address = lru_cache(maxsize=10_000)(addresses.parse)


def _all() -> list[tuple[Network, datetime | None]]:
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
