"""What a claim is: a sentence to the public, what makes it true, and the tests that would fail if it were not."""

from dataclasses import dataclass
from typing import Literal

from django.utils.functional import Promise


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim of the page of security; shown only while its evidence stands, see privacy/evidence.py."""

    name: str
    """English, of lower-case letters and underscores, the same for ever: others may point at it."""
    says: Promise
    """What is so, to whoever has to judge us."""
    how: Promise
    """What makes it so."""
    check: Promise
    """What its tests do, in plain words."""
    files: tuple[str, ...]
    """Where it is made so, from the root of the project: files, or folders with all that is in them."""
    tests: tuple[str, ...]
    """Node ids of pytest: files, classes or functions, from the root of the project."""
    since: str = "0.1.0"
    """The first version of which it is true."""
    only_with: Literal["", "production", "sealed log"] = ""
    """What it speaks of that not every service has, such as the proxy; without it the claim is not shown."""


@dataclass(frozen=True, slots=True)
class Subject:
    """A section of the page: claims under a heading. `name` is its anchor."""

    name: str
    title: Promise
    claims: tuple[Claim, ...]


def within(path: str, *names: str) -> tuple[str, ...]:
    """Return the node ids of classes and functions of one file of tests: `HistoryTests`, `SilenceTests::test_…`."""
    return tuple(f"{path}::{name}" for name in names)
