"""British account numbers: the modulus checks of Pay.UK's tables. Knows sort codes and accounts, never an IBAN.

Source: Vocalink, "Validating Account Numbers: UK Modulus Checking", version 6.40; the exceptions bear its
numbers. The tables valacdos.txt and scsubtab.txt are not ours to ship: an operator downloads them, and whoever
starts the engine calls `use(load(folder))` once, before the first check. Without them nothing is checked.

The specification names the digits of sort code and account number u v w x y z a b c d e f g h.
"""

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from itertools import pairwise
from operator import getitem
from pathlib import Path
from types import MappingProxyType
from typing import ClassVar, Final, NamedTuple

WEIGHTS_FILE: Final = "valacdos.txt"
SUBSTITUTES_FILE: Final = "scsubtab.txt"


class TablesError(ValueError):
    """A table that cannot be read or trusted; its message names the file, the line and what is wrong."""


class ModulusLine(NamedTuple):
    """One modulus check of a sort code: what each digit is worth, and how the sum is judged."""

    worths: tuple[Mapping[str, int], ...]
    modulus: int
    exception: int
    """The specification's number of a departure from the plain check; 0 means none."""
    check: "Check"

    def remainder(self, digits: str) -> int:
        """Return what the fourteen digits are worth together, by the modulus."""
        return sum(map(getitem, self.worths, digits)) % self.modulus


Check = Callable[[ModulusLine, str, str], bool]
"""Takes a line, the sort code (6 digits) and the account number (8); returns whether the number is possible."""


class Tables(NamedTuple):
    """Both of Pay.UK's tables. Nothing in them changes after `load`, so threads may share them."""

    starts: tuple[str, ...]
    """The first sort code of each range, ascending; `ends` and `lines` stand in the same order."""
    ends: tuple[str, ...]
    lines: tuple[tuple[ModulusLine, ...], ...]
    """The one or two checks of each range, in the order of the file."""
    substitutes: Mapping[str, str]

    def find(self, sort_code: str) -> tuple[ModulusLine, ...]:
        """Return the checks to make at a sort code; none when no line covers it."""
        place = bisect_right(self.starts, sort_code) - 1
        return self.lines[place] if place >= 0 and sort_code <= self.ends[place] else ()


class _InUse:
    tables: ClassVar[Tables | None] = None


def use(tables: Tables | None) -> None:
    """Set the tables that every later check consults; None takes them out of use."""
    _InUse.tables = tables


def in_use() -> Tables | None:
    """Return the tables set by `use`."""
    return _InUse.tables


def passes(tables: Tables, sort_code: str, account_number: str) -> bool | None:
    """Return whether an account number (8 digits) is possible at a sort code (6 digits).

    None means that no check can be made, in which case the specification presumes the number valid: no line covers
    the sort code, or it is one of the foreign currency accounts to which exception 6 denies the checks.
    """
    lines = tables.find(sort_code)
    if not lines or (lines[0].exception == _FOREIGN_CURRENCY and _is_foreign_currency(account_number)):
        return None
    sort_code = tables.substitutes.get(sort_code, sort_code)
    results = (line.check(line, sort_code, account_number) for line in lines)
    return any(results) if lines[0].exception in _EITHER else all(results)


def _is_foreign_currency(account: str) -> bool:
    return account[0] in "45678" and account[6] == account[7]


def _plain(line: ModulusLine, sort_code: str, account: str) -> bool:
    return line.remainder(sort_code + account) == 0


def _shortened_at_9(line: ModulusLine, sort_code: str, account: str) -> bool:
    """With g = 9 the weights u to b are zeroised; digits 0 in their places come to the same."""
    return line.remainder("00000000" + account[2:] if account[6] == "9" else sort_code + account) == 0


def _exception_1(line: ModulusLine, sort_code: str, account: str) -> bool:
    return (line.remainder(sort_code + account) + 27) % 10 == 0


def _exception_2(line: ModulusLine, sort_code: str, account: str) -> bool:
    if account[0] == "0":
        return _plain(line, sort_code, account)
    return _shortened_at_9(_LLOYDS, sort_code, account)


def _exception_3(line: ModulusLine, sort_code: str, account: str) -> bool:
    return account[2] in "69" or _plain(line, sort_code, account)


def _exception_4(line: ModulusLine, sort_code: str, account: str) -> bool:
    return line.remainder(sort_code + account) == int(account[6:])


def _exception_5(line: ModulusLine, sort_code: str, account: str) -> bool:
    """The standard check ends at g, the double alternate at h. No digit is right when 10 is due."""
    due = -line.remainder(sort_code + account) % line.modulus
    return due == int(account[_CHECK_DIGIT[line.modulus]])


def _exception_8(line: ModulusLine, _sort_code: str, account: str) -> bool:
    return _plain(line, "090126", account)


def _exception_9(line: ModulusLine, _sort_code: str, account: str) -> bool:
    """Lloyds holds every euro account at one sort code, though customers name their own branch's."""
    return _plain(line, "309634", account)


def _exception_10(line: ModulusLine, sort_code: str, account: str) -> bool:
    if account[:2] in {"09", "99"}:
        return _shortened_at_9(line, sort_code, account)
    return _plain(line, sort_code, account)


def _exception_14(line: ModulusLine, sort_code: str, account: str) -> bool:
    """Coutts: a number that fails may end in a 0, 1 or 9 too many."""
    if _plain(line, sort_code, account):
        return True
    return account[7] in "019" and _plain(line, sort_code, "0" + account[:7])


_CHECKS: Final[dict[int, Check]] = {
    0: _plain,
    1: _exception_1,
    2: _exception_2,
    3: _exception_3,
    4: _exception_4,
    5: _exception_5,
    6: _plain,  # What it denies the checks is seen before them.
    7: _shortened_at_9,
    8: _exception_8,
    9: _exception_9,
    10: _exception_10,
    11: _plain,
    12: _plain,
    13: _plain,
    14: _exception_14,
}
# Exceptions of a first line, with that of its second: to pass one of them is enough. Elsewhere both must be passed.
_EITHER: Final = {2: 9, 10: 11, 12: 13}
_PAIRS: Final = {**_EITHER, 5: 5, 6: 6}
_PAIRED: Final = frozenset(_PAIRS) | frozenset(_PAIRS.values())
_FOREIGN_CURRENCY: Final = 6
_CHECK_DIGIT: Final = {11: 6, 10: 7}
"""Where, under exception 5, the check digit stands in the account number, by the modulus of the line."""
_MODULUS: Final = {"MOD10": 10, "MOD11": 11, "DBLAL": 10}


@cache
def _worth(weight: int, method: str) -> dict[str, int]:
    """Lay out what each digit is worth; the double alternate check adds the digits of the product."""
    if method == "DBLAL":
        return {str(digit): sum(map(int, str(digit * weight))) for digit in range(10)}
    return {str(digit): digit * weight for digit in range(10)}


def _line(method: str, weights: tuple[int, ...], exception: int) -> ModulusLine:
    worths = tuple(_worth(weight, method) for weight in weights)
    return ModulusLine(worths, _MODULUS[method], exception, _CHECKS[exception])


# What exception 2 puts in the place of the table's weights for numbers that do not begin with 0.
_LLOYDS: Final = _line("MOD11", (0, 0, 1, 2, 5, 3, 6, 4, 8, 7, 10, 9, 3, 1), 0)


def load(folder: Path) -> Tables:
    """Read both tables from `folder`.

    Raises TablesError for a file that is missing or unreadable, and for any line that does not follow the
    specification: a table we half understand would refuse good accounts.
    """
    ranges = _ranges(folder / WEIGHTS_FILE)
    return Tables(
        starts=tuple(start for start, _ in ranges),
        ends=tuple(end for _, end in ranges),
        lines=tuple(ranges.values()),
        substitutes=MappingProxyType(_substitutes(folder / SUBSTITUTES_FILE)),
    )


def _ranges(path: Path) -> dict[tuple[str, str], tuple[ModulusLine, ...]]:
    ranges: dict[tuple[str, str], tuple[ModulusLine, ...]] = {}
    numbers: dict[tuple[str, str], int] = {}
    for number, fields in _fields(path):
        try:
            span, line = _sort_codes(fields), _weights(fields)
        except TablesError as error:
            raise _wrong(path, number, str(error)) from None
        ranges[span] = (*ranges.get(span, ()), line)
        numbers[span] = number
    for span, lines in ranges.items():
        if not _go_together(lines):
            exceptions = ", ".join(str(line.exception) for line in lines)
            problem = f"the specification knows no range with these exceptions (0 is none): {exceptions}"
            raise _wrong(path, numbers[span], problem)
    ascending = sorted(ranges)
    for before, after in pairwise(ascending):
        if after[0] <= before[1]:
            raise _wrong(path, numbers[after], f"the range overlaps that of line {numbers[before]}")
    return {span: ranges[span] for span in ascending}


def _sort_codes(fields: list[str]) -> tuple[str, str]:
    for field in fields[:2]:
        if not re.fullmatch("[0-9]{6}", field):
            raise TablesError(f"{field!r} is not a sort code of six digits")
    if not fields[1:]:
        raise TablesError("a second sort code is missing")
    return fields[0], fields[1]


def _weights(fields: list[str]) -> ModulusLine:
    """Read what follows the two sort codes: the method, fourteen weights, and an exception or nothing."""
    start, end, *method_and_weights = fields
    method, *weights = method_and_weights or [""]
    if start > end:
        raise TablesError(f"the range ends ({end}) before it starts ({start})")
    if method not in _MODULUS:
        raise TablesError(f"{method!r} is none of the methods {', '.join(_MODULUS)}")
    if len(weights) not in {14, 15}:
        raise TablesError(f"{len(weights)} numbers stand where 14 weights and an optional exception should")
    # The double alternate check adds up digits; what a sign would mean there is not specified.
    pattern = "[0-9]{1,3}" if method == "DBLAL" else "-?[0-9]{1,3}"
    for weight in weights[:14]:
        if not re.fullmatch(pattern, weight):
            raise TablesError(f"{weight!r} is not a weight for {method}")
    exception = weights[14] if weights[14:] else "0"
    if exception not in map(str, _CHECKS):
        raise TablesError(f"the exception {exception!r} is unknown to this version")
    return _line(method, tuple(map(int, weights[:14])), int(exception))


def _go_together(lines: tuple[ModulusLine, ...]) -> bool:
    """Return whether the specification says how to combine these checks of one range."""
    first, *others = [line.exception for line in lines]
    if not others:
        return first not in _PAIRED or _PAIRS.get(first) == first
    return others == [_PAIRS.get(first)] or (len(others) == 1 and _PAIRED.isdisjoint([first, *others]))


def _substitutes(path: Path) -> dict[str, str]:
    substitutes: dict[str, str] = {}
    for number, fields in _fields(path):
        try:
            original, substitute = _sort_codes(fields)
        except TablesError as error:
            raise _wrong(path, number, str(error)) from None
        if fields[2:]:
            raise _wrong(path, number, f"{len(fields)} fields stand where two sort codes should")
        if original in substitutes:
            raise _wrong(path, number, f"{original} has a substitute already")
        substitutes[original] = substitute
    return substitutes


def _fields(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield each line's number and its fields; blank lines are passed over."""
    try:
        text = path.read_text(encoding="ascii", errors="replace")
    except OSError as error:
        raise TablesError(f"{path} cannot be read: {error.strerror}.") from error
    if not text.strip():
        raise TablesError(f"{path} is empty.")
    for number, line in enumerate(text.split("\n"), 1):
        fields = line.split()
        if fields:
            yield number, fields


def _wrong(path: Path, number: int, problem: str) -> TablesError:
    return TablesError(f"{path}, line {number}: {problem}.")
