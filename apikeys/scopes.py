"""What a key may be used for, as one table. Knows words and sentences, and no key."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy


@dataclass(frozen=True, slots=True)
class Scope:
    """One use of a key, in a customer's words."""

    name: Promise
    meaning: Promise


SCOPES: Final[dict[str, Scope]] = {
    "validate": Scope(
        gettext_lazy("Check IBANs"),
        gettext_lazy("Check IBANs, one at a time or up to a thousand in one call."),
    ),
    "tools": Scope(
        gettext_lazy("Calculate and search"),
        gettext_lazy(
            "Calculate an IBAN from an account number, complete a damaged one, find IBANs in a text, look up a BIC."
        ),
    ),
    "bulk": Scope(
        gettext_lazy("Lists"),
        gettext_lazy("Coming: upload lists to be checked in the background."),
    ),
    "usage": Scope(
        gettext_lazy("Read usage"),
        gettext_lazy("Read how much of the monthly quota has been used."),
    ),
}
"""The words of scopes in the order in which they are stored and shown. A word is English and eternal."""


def in_order(words: Iterable[str]) -> list[str]:
    """Return the words as they are stored: each once, in the order of the table. Raises ValueError for another."""
    chosen = set(words)
    if unknown := chosen - SCOPES.keys():
        raise ValueError(f"Not a scope: {', '.join(sorted(unknown))}")
    return [word for word in SCOPES if word in chosen]
