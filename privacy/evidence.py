"""Which claims hold in this build: those whose tests passed on the very files that are on this disk.

`make evidence` runs the tests of each claim (tests/evidence.py) and writes evidence.json: per claim the fingerprint of
its files and tests, and the day. A claim whose files are others now, or are not here, is not shown until it was run
again.
"""

import json
from dataclasses import dataclass
from datetime import date
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Final

from django.conf import settings

from privacy.claims import SUBJECTS, Claim, Subject

RECORD: Final = Path(__file__).with_name("evidence.json")


@dataclass(frozen=True, slots=True)
class Shown:
    """A claim that holds, and the day on which its tests passed."""

    claim: Claim
    passed_on: date


@dataclass(frozen=True, slots=True)
class Section:
    """A subject with those of its claims that hold: at least one."""

    subject: Subject
    claims: tuple[Shown, ...]


def claims() -> list[Claim]:
    """Return every claim there is, shown or not."""
    return [claim for subject in SUBJECTS for claim in subject.claims]


def sources(claim: Claim) -> list[str]:
    """Return the files that a claim rests on: what makes it true, and its tests."""
    return sorted({*claim.files, *(node.partition("::")[0] for node in claim.tests)})


def fingerprint(claim: Claim, root: Path) -> str | None:
    """Return the SHA-256 over the claim's files below `root` and its tests' names; None when a file is missing."""
    found = sha256("\n".join(sorted(claim.tests)).encode())
    for name in sources(claim):
        below = _files(root / name)
        if not below:
            return None
        for path in below:
            found.update(f"\n{path.relative_to(root)}\n".encode() + sha256(path.read_bytes()).digest())
    return found.hexdigest()


def _files(path: Path) -> list[Path]:
    """Return the file itself, or all files in a folder."""
    return [path] if path.is_file() else sorted(each for each in path.rglob("*") if each.is_file())


def holding(record: Path, root: Path) -> dict[str, date]:
    """Return the claims that hold, by name, with the day on which their tests passed.

    A record that is missing or cannot be read proves nothing.
    """
    try:
        entries = json.loads(record.read_bytes())
        return {
            claim.name: date.fromisoformat(entries[claim.name]["passed_on"])
            for claim in claims()
            if claim.name in entries and entries[claim.name]["fingerprint"] == fingerprint(claim, root)
        }
    except (OSError, ValueError, TypeError, KeyError):
        return {}


@cache
def sections() -> tuple[Section, ...]:
    """Return what is to be shown, in the order of the page. Read from the disk once in a process's life."""
    days = holding(RECORD, settings.BASE_DIR)
    found = (
        Section(subject, tuple(Shown(claim, days[claim.name]) for claim in subject.claims if _is_so(claim, days)))
        for subject in SUBJECTS
    )
    return tuple(section for section in found if section.claims)


def _is_so(claim: Claim, days: dict[str, date]) -> bool:
    here = {"": True, "production": not settings.EMBEDDED, "sealed log": bool(settings.LOG_KEYS)}
    return claim.name in days and here[claim.only_with]


def write(passed: dict[str, dict[str, str]], record: Path = RECORD) -> None:
    """Replace the record: per claim its `fingerprint` and the day it `passed_on`, one line each for who merges."""
    lines = [f"  {json.dumps(name)}: {json.dumps(passed[name], sort_keys=True)}" for name in sorted(passed)]
    record.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
