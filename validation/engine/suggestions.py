"""Repairs of a mistyped IBAN: what one edit away would pass every check. Cautious: a guess is for a person to confirm.

A single check asks for them, a batch does not. Most candidates are sorted out by arithmetic on the remainder by 97.
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from validation.engine.national import mod_97_10, numeric
from validation.engine.normalise import MAX_INPUT_CHARACTERS
from validation.engine.reasons import FAILED
from validation.engine.registry import Country
from validation.engine.verdict import Verdict, check

MOST: Final = 5
_LOOK_ALIKE: Final = {"O": "0", "0": "O", "I": "1", "1": "I", "B": "8", "8": "B", "S": "5", "5": "S"}
_LONGEST_IBAN: Final = 34


def with_suggestions(verdict: Verdict) -> Verdict:
    """Return the verdict with at most five repairs, best first; a valid one, or one beyond a guess, has none.

    Tried are, in this order: a look-alike (O and 0, I and 1, B and 8, S and 5), two neighbours swapped, one digit
    wrong. Within each kind a repair whose bank is known comes before one whose bank is not.
    """
    if verdict.valid or verdict.checks.characters == FAILED or not 4 < len(verdict.iban) <= _LONGEST_IBAN:
        return verdict
    if len(verdict.input) >= MAX_INPUT_CHARACTERS:
        return verdict
    found: dict[str, tuple[int, bool]] = {}
    weighed = _Weighed(verdict.iban, verdict.country)
    for kind, edits in enumerate((_look_alikes, _swaps, _other_digits)):
        for candidate in edits(weighed):
            if candidate not in found:
                repaired = check(candidate)
                if repaired.valid:
                    found[candidate] = (kind, repaired.bank is None)
    return verdict._replace(suggestions=tuple(sorted(found, key=found.__getitem__)[:MOST]))


class _Weighed:
    """A number whose characters are weighed once, so that an edit of digits is judged without building its result."""

    def __init__(self, iban: str, country: Country | None) -> None:
        self.iban = iban
        fits = country is not None and country.length == len(iban)
        self.classes = country.classes if country and fits else "c" * len(iban)
        self.reach = len(iban) if fits else 2
        """How many characters are worth an edit: where country or length is wrong, those of the country code."""
        place, weights = 0, [0] * len(iban)
        # In the order of ISO 7064: the BBAN, then country code and check digits. The last digit weighs 1.
        for at in (*range(3, -1, -1), *range(len(iban) - 1, 3, -1)):
            weights[at] = _POWERS[place]
            place += 1 if iban[at] <= "9" else 2
        self.weights = weights
        self.lacks = (1 - int(numeric(iban[4:] + iban[:4]))) % 97
        """What the number lacks to the remainder 1 of a right one."""


_POWERS: Final = [pow(10, place, 97) for place in range(2 * _LONGEST_IBAN)]
_INVERSES: Final = [0, *(pow(weight, -1, 97) for weight in range(1, 97))]


def _look_alikes(weighed: _Weighed) -> Iterator[str]:
    iban = weighed.iban
    for place, character in enumerate(iban[: weighed.reach]):
        alike = _LOOK_ALIKE.get(character)
        if alike and _may_stand(alike, weighed.classes[place]):
            candidate = iban[:place] + alike + iban[place + 1 :]
            if _checksum_passes(candidate):
                yield candidate


def _swaps(weighed: _Weighed) -> Iterator[str]:
    iban, weights, classes = weighed.iban, weighed.weights, weighed.classes
    for place, (first, second) in enumerate(pairwise(iban[: weighed.reach + 1])):
        if first == second:
            continue
        if first <= "9" and second <= "9":
            change = (int(second) - int(first)) * (weights[place] - weights[place + 1])
            if change % 97 != weighed.lacks:
                continue
            yield _swapped(iban, place)
        elif _may_stand(second, classes[place]) and _may_stand(first, classes[place + 1]):
            candidate = _swapped(iban, place)
            if _checksum_passes(candidate):
                yield candidate


def _swapped(iban: str, place: int) -> str:
    return f"{iban[:place]}{iban[place + 1]}{iban[place]}{iban[place + 2 :]}"


def _may_stand(character: str, kind: str) -> bool:
    return kind in ("c", "n" if character <= "9" else "a")


def _other_digits(weighed: _Weighed) -> Iterator[str]:
    """Solve for the one digit that would be right at each place, rather than try all ten."""
    iban, lacks = weighed.iban, weighed.lacks
    if not lacks:
        return
    for place, (character, weight) in enumerate(zip(iban[: weighed.reach], weighed.weights, strict=False)):
        if character <= "9":
            digit = int(character)
            change = lacks * _INVERSES[weight] % 97
            # Of the two digits that differ by this much, 97 apart, one at most is a digit.
            if digit + change <= 9:
                yield f"{iban[:place]}{digit + change}{iban[place + 1 :]}"
            elif digit + change >= 97:
                yield f"{iban[:place]}{digit + change - 97}{iban[place + 1 :]}"


def _checksum_passes(candidate: str) -> bool:
    """Sort out 96 of 97 candidates before the full check."""
    return candidate[2:4] == mod_97_10(candidate[4:] + candidate[:2] + "00")
