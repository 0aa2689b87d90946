"""What a claim is: a sentence to the public, what makes it true, and how it is checked. Knows no test and no result.

The tests of a claim carry its slug: `@pytest.mark.claim("own_key")`.
"""

from dataclasses import dataclass
from typing import Literal

from django.utils.functional import Promise


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim of the page of security; privacy/security_page/evidence.py decides whether it is shown."""

    slug: str
    """Its anchor on the page and its name in markers; never changed, since others may link to it."""
    says: Promise
    """What is so, to whoever has to judge us."""
    how: Promise
    """What makes it so."""
    check: Promise
    """What its tests do, in plain words."""
    since: str = "0.1.0"
    """The first version of which it is true."""
    requires: Literal["", "production", "sealed log"] = ""
    """What it speaks of that not every service has, such as the proxy; without it the claim is not shown."""


@dataclass(frozen=True, slots=True)
class Subject:
    """A section of the page: claims under a heading. `slug` is its anchor."""

    slug: str
    title: Promise
    claims: tuple[Claim, ...]
