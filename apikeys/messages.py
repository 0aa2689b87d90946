"""The texts of refusals about API keys, in the active language."""

from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from accounts.errors import Refusal

REFUSALS: Final[dict[str, Promise]] = {
    "already_made": gettext_lazy(
        "This form has already created a key, %(key)s, which was shown once. If you did not save it, "
        "replace it with a new one."
    ),
    "already_replaced": gettext_lazy("This key has already been replaced by another one."),
    "key_limit_reached": gettext_lazy(
        "You have reached the limit of %(limit)s keys. Revoke one that you no longer need, or replace a "
        "key without keeping the old one active."
    ),
    "key_over": gettext_lazy("This key has expired or been revoked and can no longer be changed. Create a new one."),
    "no_longer_owner": gettext_lazy(
        "You can no longer change keys: your own permissions have been changed in the meantime."
    ),
    "network_already_there": gettext_lazy("%(network)s is already in the list."),
    "network_everything": gettext_lazy(
        "A network ending in /0 contains every IP address there is. To let the key work from anywhere, "
        "choose “Any IP address”."
    ),
    "network_leading_zero": gettext_lazy(
        "Remove zeros at the beginning of a number: some programs read 010 as 8, so we cannot know what you mean."
    ),
    "network_limit_reached": gettext_lazy(
        "A key can have at most %(limit)s IP addresses. Combine adjacent ones into a network, such as 192.0.2.0/24."
    ),
    "network_loopback": gettext_lazy(
        "This is an IP address that a computer uses for itself. No call reaches us from it, so adding it "
        "would have no effect."
    ),
    "network_malformed": gettext_lazy(
        "This is not an IP address. Enter it like 192.0.2.7 or 2001:db8::7, and a network like "
        "192.0.2.0/24. Host names do not work here."
    ),
    "network_mapped_range": gettext_lazy(
        "This network represents IPv4 addresses inside IPv6. Write it as IPv4, such as 192.0.2.0/24."
    ),
    "network_nobody": gettext_lazy("This IP address is reserved, so no call can come from it."),
    "network_port": gettext_lazy("Enter the IP address only, without a port or brackets."),
    "network_range": gettext_lazy("Enter a range as a network with a slash, such as 192.0.2.0/24."),
    "network_several": gettext_lazy("Enter one IP address at a time."),
    "network_zone": gettext_lazy(
        "Leave out the zone after the percent sign: it only has a meaning on your own computer."
    ),
}


def refusal(refusal: Refusal) -> str:
    """Return why an action was refused. Raises KeyError for a code without a text."""
    return str(REFUSALS[refusal.code]) % refusal.values
