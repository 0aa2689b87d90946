"""The scopes of API keys, as one table. Knows their texts, and no key."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy


@dataclass(frozen=True, slots=True)
class KeyScope:
    """What a key may be used for, as customers read it."""

    name: Promise
    meaning: Promise


SCOPES: Final[dict[str, KeyScope]] = {
    "validate": KeyScope(
        gettext_lazy("Check IBANs"),
        gettext_lazy("Check IBANs, one at a time or up to a thousand in one call."),
    ),
    "tools": KeyScope(
        gettext_lazy("Calculate and search"),
        gettext_lazy(
            "Calculate an IBAN from an account number, complete a damaged one, find IBANs in a text, look up a BIC."
        ),
    ),
    "bulk": KeyScope(
        gettext_lazy("Lists"),
        gettext_lazy("Coming: upload lists to be checked in the background."),
    ),
    "usage": KeyScope(
        gettext_lazy("Read usage"),
        gettext_lazy("Read how much of the monthly quota has been used."),
    ),
}
"""In the order in which they are stored and shown. The names of scopes are English and never change."""


def in_order(names: Iterable[str]) -> list[str]:
    """Return the scopes as they are stored: each once, in the order of the table. Raises ValueError for another."""
    chosen = set(names)
    if unknown := chosen - SCOPES.keys():
        raise ValueError(f"Not a scope: {', '.join(sorted(unknown))}")
    return [name for name in SCOPES if name in chosen]
