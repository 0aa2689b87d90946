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

from privacy.security_page.claims import SUBJECTS, Claim, Subject

logger: Final = logging.getLogger(__name__)


class Result(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What became of one claim's tests, and how many there are."""

    result: Literal["passed", "failed", "not run"]
    tests: Annotated[int, msgspec.Meta(ge=0)]


class Evidence(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The content of evidence.json: which commit was tested on which day, and the result of each claim by its slug."""

    version: Annotated[str, msgspec.Meta(pattern=r"^[0-9A-Za-z.+-]{1,40}\Z")]
    commit: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{40,64}\Z")]
    date: date
    claims: dict[str, Result]

    @property
    def short_commit(self) -> str:
        """Return as much of the commit as people compare."""
        return self.commit[:12]


@dataclass(frozen=True, slots=True)
class Shown:
    """A claim with the number of its tests and the day on which all passed; None when no results are here."""

    claim: Claim
    passed_on: date | None
    tests: int = 0


@dataclass(frozen=True, slots=True)
class Section:
    """A subject with those of its claims that are shown: at least one."""

    subject: Subject
    claims: tuple[Shown, ...]


def claims() -> list[Claim]:
    """Return every claim there is, shown or not."""
    return [claim for subject in SUBJECTS for claim in subject.claims]


def read(path: Path) -> Evidence | None:
    """Return the results of a release; None when there are none, or the file is not exactly as described above."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Evidence)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        # Whoever edited it proves nothing: the claims are shown as in a working copy.
        logger.warning("%s is not used: %s", path.name, error)
        return None


@cache
def evidence() -> Evidence | None:
    """Return the results that came with this release. Read from the disk once in a process's life."""
    return read(settings.EVIDENCE_FILE)


def sections() -> tuple[Section, ...]:
    """Return what is to be shown, in the order of the page."""
    found = evidence()
    shown = (
        Section(subject, tuple(_shown(claim, found) for claim in subject.claims if _is_shown(claim, found)))
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


def _shown(claim: Claim, found: Evidence | None) -> Shown:
    return Shown(claim, found.date, found.claims[claim.slug].tests) if found else Shown(claim, None)
