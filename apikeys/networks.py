"""Allow-list entries: parse what a person types, match what a proxy reports. Knows no database and no request."""

import re
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network
from typing import Final

Network = IPv4Network | IPv6Network
Address = IPv4Address | IPv6Address

NARROWEST_WIDE: Final = {4: 16, 6: 32}
"""By IP version: a network with a shorter prefix than this is wide. Hardly a company has more than one such network."""

# What people type instead of one network, in the order of the checks: the code and its pattern.
_MISTAKES: Final = (
    ("zone", re.compile(r".*%.*", re.DOTALL)),
    ("several", re.compile(r".*[\s,;].*", re.DOTALL)),
    ("range", re.compile(r"[0-9a-f.:]+-[0-9a-f.:]+|[0-9.:*]*\*[0-9.:*/]*", re.IGNORECASE)),
    ("port", re.compile(r"\[.*|[0-9.]+:[0-9]+")),
    ("leading_zero", re.compile(r"(?:[0-9]+\.)*0[0-9]+(?:[./].*)?|[^/]+/0[0-9]+")),
)
_SHAPE: Final = re.compile(r"[0-9a-f.:]+(?:/(?P<prefix>[0-9]{1,3}))?", re.IGNORECASE)

_MAPPED: Final = IPv6Network("::ffff:0:0/96")
_LOOPBACK: Final = (IPv4Network("127.0.0.0/8"), IPv6Network("::1/128"))
# "This network", multicast, reserved and broadcast: a call never has one of these as its source (RFC 6890).
_NEVER_A_SOURCE: Final = (
    IPv4Network("0.0.0.0/8"),
    IPv4Network("224.0.0.0/3"),
    IPv6Network("::/128"),
    IPv6Network("ff00::/8"),
)


class NetworkError(ValueError):
    """A key cannot be bound to this text; `code` says why, and the text is not repeated."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def parse(text: str) -> Network:
    """Return the canonical network for one address or CIDR range; bits after the prefix are dropped.

    Raises NetworkError, whose `code` is one of `malformed`, `zone` (`%eth0`), `several`, `range` (`…1-…9`, `….*`),
    `port`, `leading_zero` (010 is 8 for some programs), `everything` (`/0`), `mapped_range`, `nobody` (no call comes
    from such an address). An IPv4-mapped IPv6 address becomes its IPv4 form; 6to4 and NAT64 stay as they are, since
    unwrapping them would trust the sender.
    """
    text = text.strip()
    if not text.isascii():
        raise NetworkError("malformed")
    for code, pattern in _MISTAKES:
        if pattern.fullmatch(text):
            raise NetworkError(code)
    network = _unmapped(_network(text))
    if _is_inside(network, _NEVER_A_SOURCE):
        raise NetworkError("nobody")
    return network


def contains(networks: Sequence[Network], address: Address) -> bool:
    """Return whether the address is in one of the networks: never, if there are none."""
    return any(address in network for network in networks)


def is_wide(network: Network) -> bool:
    """Return whether the network has so many addresses that hardly all can be one's own: see NARROWEST_WIDE."""
    return network.prefixlen < NARROWEST_WIDE[network.version]


def is_loopback(network: Network) -> bool:
    """Return whether the network contains a loopback address; behind a proxy that matches no caller."""
    return any(_overlap(network, own) for own in _LOOPBACK)


def _network(text: str) -> Network:
    shape = _SHAPE.fullmatch(text)  # Leaves out the masks (255.255.255.0) that ip_network would take as well.
    if shape is None:
        raise NetworkError("malformed")
    try:
        network = ip_network(text, strict=False)
    except ValueError:
        raise NetworkError("malformed") from None
    if network.prefixlen == 0:
        raise NetworkError("everything")
    return network


def _unmapped(network: Network) -> Network:
    if not isinstance(network, IPv6Network) or not network.overlaps(_MAPPED):
        return network
    address = network.network_address.ipv4_mapped
    if address is None or network.prefixlen != network.max_prefixlen:
        raise NetworkError("mapped_range")
    return IPv4Network(address)


def _is_inside(network: Network, wholes: Sequence[Network]) -> bool:
    return any(_overlap(network, whole) and network.prefixlen >= whole.prefixlen for whole in wholes)


def _overlap(one: Network, other: Network) -> bool:
    if isinstance(one, IPv4Network):
        return isinstance(other, IPv4Network) and one.overlaps(other)
    return isinstance(other, IPv6Network) and one.overlaps(other)
