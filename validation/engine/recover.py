"""An IBAN with unreadable places: every number that it can have been. Pure; no rule of its own, `check` decides.

At three places where letters may stand, 46,656 numbers are possible. The last place is not tried but solved: of the
characters that may stand there, the remainder by 97 of all before it leaves few. About one number in 97 is put
together and checked, at the most some 500.
"""

from collections.abc import Iterator, Sequence
from itertools import product
from typing import Final, Literal, NamedTuple

from validation.engine.normalise import MAX_INPUT_CHARACTERS, normalise
from validation.engine.registry import COUNTRIES, Country
from validation.engine.verdict import check

PLACEHOLDER: Final = "?"
MOST_PLACEHOLDERS: Final = 3
MOST_CANDIDATES: Final = 100
_LONGEST_IBAN: Final = 34

RefusalCode = Literal["empty", "too_long", "characters", "no_placeholder", "too_many_placeholders"]


class RecoveryRefused(ValueError):
    """Why a text is not searched for numbers; its text never holds the input."""

    def __init__(self, code: RefusalCode) -> None:
        super().__init__(code)
        self.code = code


class Recovery(NamedTuple):
    """What an IBAN with unreadable places can have been. No candidate is a result too."""

    iban: str
    """The normalised text, with its placeholders."""
    candidates: tuple[str, ...]
    """The first hundred valid IBANs in alphabetical order, digits before letters."""
    total: int
    """How many there are."""
    truncated: bool
    """Whether there are more than are listed."""


def recover(text: str) -> Recovery:
    """Return the IBANs that pass every check once the one to three `?` in `text` are filled.

    A `?` may stand for any character, also of the country code and the check digits. Separators and small letters are
    accepted as by `check`. Raises RecoveryRefused, and TypeError for anything but text.
    """
    if not isinstance(text, str):
        raise TypeError("An IBAN is text.")
    iban = normalise(text)
    if refusal := _refusal(text, iban):
        raise RecoveryRefused(refusal)
    found = sorted(
        candidate
        for country in COUNTRIES.values()
        if country.length == len(iban) and _may_be(iban[:2], country.code)
        for candidate in _candidates(country.code + iban[2:], country)
        if check(candidate).valid
    )
    return Recovery(iban, tuple(found[:MOST_CANDIDATES]), len(found), len(found) > MOST_CANDIDATES)


def _refusal(text: str, iban: str) -> RefusalCode | None:
    if not iban:
        return "empty"
    if len(text) > MAX_INPUT_CHARACTERS or len(iban) > _LONGEST_IBAN:
        return "too_long"
    plain = iban.replace(PLACEHOLDER, "")
    if plain and not (plain.isascii() and plain.isalnum()):
        return "characters"
    unreadable = len(iban) - len(plain)
    if not unreadable:
        return "no_placeholder"
    return "too_many_placeholders" if unreadable > MOST_PLACEHOLDERS else None


def _may_be(written: str, code: str) -> bool:
    return all(character in (PLACEHOLDER, letter) for character, letter in zip(written, code, strict=True))


_ALPHABETS: Final = {
    "n": "0123456789",
    "a": "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "c": "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ",
}
_VALUES: Final = {character: int(character, 36) for character in _ALPHABETS["c"]}


def _candidates(iban: str, country: Country) -> Iterator[str]:
    """Yield every number of the country's structure whose remainder by 97 is 1; the country code is filled in."""
    alphabets = [_ALPHABETS[kind] for kind in country.classes]
    places = [place for place, character in enumerate(iban) if character == PLACEHOLDER]
    if any(character not in alphabets[place] for place, character in enumerate(iban) if place not in places):
        return
    if not places:
        yield iban
        return
    # ISO 13616 reads the number with its first four characters at the end.
    rearranged = iban[4:] + iban[:4]
    fixed = rearranged.split(PLACEHOLDER)
    open_places = sorted(places, key=lambda place: (place - 4) % len(iban))
    *tried, solved = [alphabets[place] for place in open_places]
    solutions = _solutions(solved, fixed[-1])
    for chosen in product(*tried):
        for last in solutions[_remainder(fixed, chosen)]:
            number = "".join(map("".join, zip(fixed, (*chosen, last), strict=False))) + fixed[-1]
            yield number[-4:] + number[:-4]


def _remainder(fixed: Sequence[str], chosen: Sequence[str]) -> int:
    """Return the remainder by 97 of all that stands before the last open place."""
    remainder = 0
    for text, character in zip(fixed, (*chosen, ""), strict=False):
        remainder = _appended(_appended(remainder, text), character)
    return remainder


def _appended(remainder: int, text: str) -> int:
    for character in text:
        value = _VALUES[character]
        remainder = (remainder * (10 if value < 10 else 100) + value) % 97
    return remainder


def _solutions(alphabet: str, rest: str) -> list[list[str]]:
    """Return, for each remainder before the last open place, the characters there that make the whole leave 1."""
    solutions: list[list[str]] = [[] for _ in range(97)]
    for before in range(97):
        for character in alphabet:
            if _appended(before, character + rest) == 1:
                solutions[before].append(character)
    return solutions
