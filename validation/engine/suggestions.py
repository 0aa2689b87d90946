"""Repairs of a mistyped IBAN: what one edit away would pass every check. Cautious: a guess is for a person to confirm.

Too dear for a batch (each number costs hundreds of candidates), so only a single check asks for them.
"""

from collections.abc import Iterator
from typing import Final

from validation.engine.national import mod_97_10
from validation.engine.normalise import MAX_INPUT_CHARACTERS
from validation.engine.reasons import FAILED
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
    for kind, edits in enumerate((_look_alikes, _swaps, _other_digits)):
        for candidate in edits(verdict.iban):
            if candidate not in found and _checksum_passes(candidate):
                repaired = check(candidate)
                if repaired.valid:
                    found[candidate] = (kind, repaired.bank is None)
    return verdict._replace(suggestions=tuple(sorted(found, key=found.__getitem__)[:MOST]))


def _checksum_passes(candidate: str) -> bool:
    """Sort out 96 of 97 candidates before the full check."""
    return candidate[2:4] == mod_97_10(candidate[4:] + candidate[:2] + "00")


def _look_alikes(iban: str) -> Iterator[str]:
    for place, character in enumerate(iban):
        if character in _LOOK_ALIKE:
            yield iban[:place] + _LOOK_ALIKE[character] + iban[place + 1 :]


def _swaps(iban: str) -> Iterator[str]:
    for place in range(len(iban) - 1):
        if iban[place] != iban[place + 1]:
            yield iban[:place] + iban[place + 1] + iban[place] + iban[place + 2 :]


def _other_digits(iban: str) -> Iterator[str]:
    for place, character in enumerate(iban):
        if character.isdigit():
            for digit in "0123456789":
                if digit != character:
                    yield iban[:place] + digit + iban[place + 1 :]
