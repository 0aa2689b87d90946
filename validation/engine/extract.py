"""IBANs in free text: where they stand, and the verdict on each. Pure; no rule of its own, `check` decides.

The text is first drawn together: letters and digits with at most two separators between them become one run, anything
else ends it. Within the runs every place where two letters and two digits follow one another is looked at once, and
from there as many characters as the country's IBAN has. So the work grows with the length of the text and nothing else.

What is returned:

- What passes every check, wherever it stands: in one piece or in groups of any size, glued to a word in front of it or
  to letters behind it (`IBANSE45…`, `…466EUR`). Not when a digit follows directly: that is another, longer number.
- What fails for its check digits only, if it clearly is meant as an IBAN: country, length and structure are right,
  neither letter nor digit touches it (but for the word IBAN in front), and it is written in one piece or in groups of
  four, as IBANs are.
- A number in groups needs as many digits as letters, or else it is taken for prose.

A number may be broken over one line end. Where numbers overlap, a valid one goes before a wrong one, and then the one
that begins first.
"""

import re
from bisect import bisect_left
from collections.abc import Iterator
from operator import attrgetter
from typing import Final, NamedTuple

from validation.engine.national import CHECK_DIGITS, numeric
from validation.engine.normalise import SEPARATORS
from validation.engine.registry import COUNTRIES
from validation.engine.verdict import Verdict, check


class Found(NamedTuple):
    """One IBAN in a text: `text` is the text from `start` to before `end`, counted in code points from 0."""

    start: int
    end: int
    text: str
    verdict: Verdict


def extract(text: str) -> list[Found]:
    """Return the IBANs in `text` in their order, none overlapping another; raises TypeError for anything but text.

    The work is linear in the length of the text, however hostile; to set a limit to the length is the caller's part.
    """
    if not isinstance(text, str):
        raise TypeError("IBANs are found in text.")
    valid: list[Found] = []
    wrong: list[Found] = []
    for start, end, checksum_passes in _candidates(text):
        if valid and start < valid[-1].end:
            continue
        if checksum_passes and not text[end : end + 1].isdigit() and _is_no_prose(text[start:end]):
            found = _found(text, start, end)
            if found.verdict.valid:
                valid.append(found)
                continue
        if not (wrong and start < wrong[-1].end) and _is_clearly_meant(text, start, end):
            wrong.append(_found(text, start, end))
    return sorted(valid + [found for found in wrong if not _overlaps(found, valid)], key=attrgetter("start"))


def _found(text: str, start: int, end: int) -> Found:
    written = text[start:end]
    return Found(start, end, written, check(written))


_BLANKS: Final = re.escape("".join(character for character in SEPARATORS if character not in "\r\n"))
# Letters and digits, and in the second group what joins them to the next ones: at most two separators, or a line end
# with the blanks of an indented line behind it. Possessive: what was once read is not read again.
_RUN: Final = re.compile(rf"([A-Za-z0-9]++)([{_BLANKS}]{{0,2}}+(?:(?:\r\n|\r|\n)[ \t]{{0,8}}+)?+(?=[A-Za-z0-9]))?")
_BEGINNING: Final = re.compile("[A-Z]{2}[0-9]{2}")
_END_OF_RUN: Final = "\n"


def _candidates(text: str) -> Iterator[tuple[int, int, bool]]:
    """Yield start and end of all that has a country's structure, and whether its check digits are right."""
    drawn, places = _drawn_together(text)
    for beginning in _BEGINNING.finditer(drawn):
        country = COUNTRIES.get(beginning[0][:2])
        if country is None:
            continue
        first, last = beginning.start(), beginning.start() + country.length - 1
        iban = drawn[first : last + 1]
        if country.pattern.fullmatch(iban):
            number = numeric(iban[4:] + country.checksum_suffix)
            yield places[first], places[last] + 1, iban[2:4] == CHECK_DIGITS[int(number) % 97]


def _drawn_together(text: str) -> tuple[str, list[int]]:
    """Return the runs of letters and digits in capitals, and the place in the text of each of their characters."""
    runs: list[str] = []
    places: list[int] = []
    for run in _RUN.finditer(text):
        runs.append(run[1])
        places.extend(range(*run.span(1)))
        if run[2] is None:
            runs.append(_END_OF_RUN)
            places.append(run.end())
    return "".join(runs).upper(), places


def _is_no_prose(written: str) -> bool:
    if written.isalnum():
        return True
    digits = sum(map(str.isdigit, written))
    letters = sum(map(str.isalpha, written))
    return digits >= letters and len(written.splitlines()) <= 2


_IBAN: Final = re.compile("[^A-Za-z0-9]?[Ii][Bb][Aa][Nn]")
_SEPARATED: Final = re.compile(f"[{re.escape(SEPARATORS)}]+")


def _is_clearly_meant(text: str, start: int, end: int) -> bool:
    """Whether this is a number by itself, in one piece or in groups of four."""
    before = text[max(0, start - 5) : start]
    if text[end : end + 1].isalnum() or (before[-1:].isalnum() and not _IBAN.fullmatch(before)):
        return False
    *groups, last = _SEPARATED.split(text[start:end])
    return not groups or ({len(group) for group in groups} == {4} and len(last) <= 4 and _is_no_prose(text[start:end]))


def _overlaps(found: Found, others: list[Found]) -> bool:
    """Whether one of `others`, which stand in their order, has a character in common with this one."""
    after = bisect_left(others, found.end, key=attrgetter("start"))
    return after > 0 and others[after - 1].end > found.start
