"""A claim: what is stated publicly, how it is implemented, and how it is checked. Knows no test and no result.

The tests of a claim carry its slug: `@pytest.mark.claim("own_key")`.
"""

from dataclasses import dataclass
from typing import Literal

from django.utils.functional import Promise


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim of the security page; privacy/security_page/evidence.py decides whether it is shown."""

    slug: str
    """Its anchor on the page and its name in markers; never changed, since others may link to it."""
    says: Promise
    """The statement, for people who assess the service."""
    how: Promise
    """How it is implemented."""
    check: Promise
    """What its tests do, in plain language."""
    since: str = "0.1.0"
    """The first version of which it is true."""
    requires: Literal["", "production", "sealed log"] = ""
    """A part that not every installation has, such as the proxy; without it the claim is not shown."""


@dataclass(frozen=True, slots=True)
class ClaimSubject:
    """A section of the page: claims under a heading. `slug` is its anchor."""

    slug: str
    title: Promise
    claims: tuple[Claim, ...]
