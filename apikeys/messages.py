"""From codes of refusals of API keys to sentences, in the active language."""

from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from accounts.errors import Refusal

REFUSALS: Final[dict[str, Promise]] = {
    "already_made": gettext_lazy(
        "This form has made a key already, %(key)s, whose text was shown once. If you have not kept the text, replace "
        "the key by a new one."
    ),
    "already_replaced": gettext_lazy("This key has been replaced by another one already."),
    "key_limit_reached": gettext_lazy(
        "You have %(limit)s keys in use, which is the most. Revoke one that you no longer need, or replace a key "
        "without leaving the old one working."
    ),
    "key_over": gettext_lazy("This key has ended and cannot be changed any more. Make a new one."),
    "no_longer_owner": gettext_lazy("You may no longer change keys: somebody has changed your own rights meanwhile."),
    "network_already_there": gettext_lazy("%(network)s is in the list already."),
    "network_everything": gettext_lazy(
        "A network ending in /0 holds every address there is. To let the key work from everywhere, choose "
        "“any address”."
    ),
    "network_leading_zero": gettext_lazy(
        "Leave out zeros at the beginning of a number: some programs read 010 as 8, so we cannot know what is meant."
    ),
    "network_limit_reached": gettext_lazy(
        "A key can have at most %(limit)s addresses. Put neighbours together as a network, such as 192.0.2.0/24."
    ),
    "network_loopback": gettext_lazy(
        "This is an address by which a machine calls itself. No call reaches us from it, so it would open nothing."
    ),
    "network_malformed": gettext_lazy(
        "This is no address. Write it like 192.0.2.7 or 2001:db8::7, and a network like 192.0.2.0/24. Names of "
        "machines do not work here."
    ),
    "network_mapped_range": gettext_lazy(
        "This network stands for IPv4 addresses inside IPv6. Write it as IPv4, such as 192.0.2.0/24."
    ),
    "network_nobody": gettext_lazy("No call can come from this address: it is reserved for other uses."),
    "network_port": gettext_lazy("Write the address alone, without a port and without brackets."),
    "network_range": gettext_lazy("Write a range as a network with a slash, such as 192.0.2.0/24."),
    "network_several": gettext_lazy("Write one address at a time."),
    "network_zone": gettext_lazy(
        "Leave out the zone after the percent sign: it has a meaning only on your own machine."
    ),
}


def refusal(refusal: Refusal) -> str:
    """Return why a deed was refused. Raises KeyError for a code without a sentence."""
    return str(REFUSALS[refusal.code]) % refusal.values
