"""Which claims are shown, and with which result. Knows no test: the results come with a release, in evidence.json.

`make release` runs the tests and writes that file. Where it is missing (a working copy, an unsigned installation) the
claims are shown without a result; where it is there, those that did not pass are left out.
"""

import logging
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Annotated, Final, Literal

import msgspec
from django.conf import settings

from privacy.security_page.claims import SUBJECTS, Claim, ClaimSubject

logger: Final = logging.getLogger(__name__)


class ClaimResult(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The result of the tests of one claim, and how many there are."""

    result: Literal["passed", "failed", "not run"]
    tests: Annotated[int, msgspec.Meta(ge=0)]


class Evidence(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The content of evidence.json: which commit was tested on which day, and the result of each claim by its slug."""

    version: Annotated[str, msgspec.Meta(pattern=r"^[0-9A-Za-z.+-]{1,40}\Z")]
    commit: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{40,64}\Z")]
    date: date
    claims: dict[str, ClaimResult]

    @property
    def short_commit(self) -> str:
        """Return the beginning of the commit, for people to compare."""
        return self.commit[:12]


@dataclass(frozen=True, slots=True)
class ShownClaim:
    """A claim with the number of its tests and the day on which all passed; None without results."""

    claim: Claim
    passed_on: date | None
    tests: int = 0


@dataclass(frozen=True, slots=True)
class ClaimSection:
    """A subject with the claims that are shown: at least one."""

    subject: ClaimSubject
    claims: tuple[ShownClaim, ...]


def claims() -> list[Claim]:
    """Return every claim, shown or not."""
    return [claim for subject in SUBJECTS for claim in subject.claims]


def read(path: Path) -> Evidence | None:
    """Return the results of a release; None when there are none, or the file is not exactly as described above."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Evidence)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        # A malformed file proves nothing: the claims are shown as in a working copy.
        logger.warning("%s is not used: %s", path.name, error)
        return None


@cache
def evidence() -> Evidence | None:
    """Return the results that came with this release. Read from disk once per process."""
    return read(settings.EVIDENCE_FILE)


def sections() -> tuple[ClaimSection, ...]:
    """Return the sections to show, in the order of the page."""
    found = evidence()
    shown = (
        ClaimSection(subject, tuple(_shown(claim, found) for claim in subject.claims if _is_shown(claim, found)))
        for subject in SUBJECTS
    )
    return tuple(section for section in shown if section.claims)


def _is_shown(claim: Claim, found: Evidence | None) -> bool:
    available = {"": True, "production": not settings.EMBEDDED, "sealed log": bool(settings.LOG_KEYS)}
    return available[claim.requires] and (found is None or passed(claim, found))


def passed(claim: Claim, found: Evidence) -> bool:
    """Return whether all tests of a claim ran and passed; a claim without a test did not."""
    result = found.claims.get(claim.slug)
    return result is not None and result.result == "passed" and result.tests > 0


def _shown(claim: Claim, found: Evidence | None) -> ShownClaim:
    return ShownClaim(claim, found.date, found.claims[claim.slug].tests) if found else ShownClaim(claim, None)
