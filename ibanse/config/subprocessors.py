"""IBANSE_SUBPROCESSORS: the companies that process personal data for the operator, as agreements list them."""

from dataclasses import dataclass
from typing import Final

from django.core.exceptions import ImproperlyConfigured

NOBODY: Final = "none"


@dataclass(frozen=True, slots=True)
class Subprocessor:
    """A company that processes personal data for the operator."""

    name: str
    country: str
    purpose: str


def parse(text: str) -> tuple[Subprocessor, ...] | None:
    """Return those in `name | country | purpose; name | country | purpose`; empty for `none`, None for an empty text.

    Raises ImproperlyConfigured that repeats the entry which does not have three parts.
    """
    if not text:
        return None
    if text == NOBODY:
        return ()
    found = []
    for entry in filter(None, map(str.strip, text.split(";"))):
        parts = [part.strip() for part in entry.split("|")]
        if len(parts) != 3 or not all(parts):
            raise ImproperlyConfigured(
                f"IBANSE_SUBPROCESSORS: {entry!r} is not of the form `name | country | purpose`. "
                "See deploy/settings.md."
            )
        found.append(Subprocessor(*parts))
    return tuple(found)
