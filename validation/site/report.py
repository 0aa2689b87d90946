"""A verdict as a page shows it: what to mark, what to say, in which order. Knows the engine and the messages only."""

from dataclasses import dataclass
from datetime import date
from itertools import zip_longest

from validation import messages
from validation.engine import Verdict
from validation.engine.banks import DIRECTORIES, Directory
from validation.engine.reasons import FAILED, KNOWN, NOT_CHECKED, PASSED, Reason

_GROUP = 4


@dataclass(frozen=True, slots=True)
class Letter:
    """One character of a number on the page."""

    text: str
    marked: bool


@dataclass(frozen=True, slots=True)
class CheckRow:
    """One line of the list of checks."""

    name: str
    result: str
    result_name: str
    note: str

    @property
    def icon(self) -> str:
        """The template of the icon that goes with the words."""
        return f"parts/icons/{'passed' if self.result == KNOWN else self.result}.svg"


@dataclass(frozen=True, slots=True)
class Notice:
    """Something to know beside the verdict: a `warning` that may cost a payment, or mere `info`."""

    kind: str
    text: str

    @property
    def icon(self) -> str:
        """The template of the icon that goes with the words."""
        return f"parts/icons/{self.kind}.svg"


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A repair, with the characters marked that differ from what was typed."""

    iban: str
    groups: list[list[Letter]]


@dataclass(frozen=True, slots=True)
class Report:
    """Everything the page shows about one verdict, in the active language."""

    verdict: Verdict
    groups: list[list[Letter]]
    reasons: list[str]
    checks: list[CheckRow]
    notices: list[Notice]
    suggestions: list[Suggestion]
    country: str
    directory: Directory | None
    directory_date: date | None


def report(verdict: Verdict) -> Report:
    """Return the page's view of a verdict, in the active language."""
    directory = DIRECTORIES.get(verdict.country.code) if verdict.country else None
    wrong = {place for reason in verdict.reasons for place in _places(reason, verdict)}
    return Report(
        verdict=verdict,
        groups=_grouped([Letter(character, place in wrong) for place, character in enumerate(verdict.iban, 1)]),
        reasons=[messages.reason(reason, verdict) for reason in verdict.reasons],
        checks=[_row(name, result, verdict) for name, result in verdict.checks._asdict().items()],
        notices=[
            Notice("info" if code == "normalised" else "warning", messages.warning(code, verdict))
            for (code,) in verdict.warnings
        ],
        suggestions=[Suggestion(iban, _changed(iban, verdict.iban)) for iban in verdict.suggestions],
        country=messages.country_name(verdict.country) if verdict.country else "",
        directory=directory,
        directory_date=messages.month(directory.as_of) if directory else None,
    )


def _row(name: str, result: str, verdict: Verdict) -> CheckRow:
    failed = next((reason for reason in verdict.reasons if reason.code == name), None)
    if result == FAILED and failed is not None:
        note = messages.reason(failed, verdict)
    elif result == NOT_CHECKED:
        note = messages.not_checked(name, verdict)
    else:
        note = str(messages.CHECK_MEANINGS[name])
    return CheckRow(str(messages.CHECK_NAMES[name]), result, str(messages.RESULT_NAMES[result]), note)


def _places(reason: Reason, verdict: Verdict) -> range:
    """Return the positions to mark: two letters of a country code, as many digits as were expected, else one."""
    if reason.position is None or (reason.code == "national_check_digits" and reason.expected is None):
        return range(0)  # The digits are somewhere inside the account number: marking one would mislead.
    if reason.code == "checksum" and verdict.checks.length != PASSED:
        return range(0)  # The number is short of a digit or has one too many; it need not be these.
    width = 2 if reason.code == "country" else 1
    if reason.code in ("checksum", "national_check_digits"):
        width = len(str(reason.expected))
    return range(reason.position, reason.position + width)


def _changed(repaired: str, typed: str) -> list[list[Letter]]:
    pairs = zip_longest(repaired, typed)
    return _grouped([Letter(new, new != old) for new, old in pairs if new is not None])


def _grouped(letters: list[Letter]) -> list[list[Letter]]:
    return [letters[start : start + _GROUP] for start in range(0, len(letters), _GROUP)]
