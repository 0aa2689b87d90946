"""German check digits: each bank code names one of the Bundesbank's methods. Knows account numbers of ten digits only.

Source: Deutsche Bundesbank, "Prüfzifferberechnungsmethoden zur Prüfung von Kontonummern". A test compares every method
here with schwifty's, whose objects keep the last remainder in themselves and so cannot be shared by threads. Methods
that are missing are `not_checked`, which is up to the caller.
"""

from collections.abc import Callable, Sequence
from functools import partial
from itertools import cycle, islice
from operator import getitem
from typing import Final, NamedTuple

Method = Callable[[str, str], bool]
"""Takes the bank code (8 digits) and the account number (10 digits); returns whether the check digit is right."""


class Weighing(NamedTuple):
    """One weighted sum: what each digit is worth at its place, and where the check digit stands."""

    worths: tuple[dict[str, int], ...]
    first: int
    check: int

    def sum(self, account: str) -> int:
        """Return what the weighed digits are worth together."""
        return sum(map(getitem, self.worths, account[self.first :]))


def _plain(digit: int, weight: int) -> int:
    return digit * weight


def _cross_sum(digit: int, weight: int) -> int:
    return sum(divmod(digit * weight, 10))


def _last_digit(digit: int, weight: int) -> int:
    return digit * weight % 10


def _weigh(  # noqa: PLR0913 - the columns of the Bundesbank's own tables
    weights: Sequence[int],
    *,
    first: int = 1,
    last: int = 9,
    check: int = 10,
    worth: Callable[[int, int], int] = _plain,
    leftwards: bool = True,
) -> Weighing:
    """Lay `weights` (repeated as needed) over the places `first` to `last`, counted from 1 as the Bundesbank does."""
    laid = list(islice(cycle(weights), last - first + 1))
    return Weighing(
        tuple(
            {str(digit): worth(digit, weight) for digit in range(10)}
            for weight in (reversed(laid) if leftwards else laid)
        ),
        first - 1,
        check - 1,
    )


def _modulus_10(weighing: Weighing, _bank_code: str, account: str) -> bool:
    return (weighing.sum(account) + int(account[weighing.check])) % 10 == 0


def _modulus_11(weighing: Weighing, _bank_code: str, account: str, *, ten: str = "0") -> bool:
    """Compare with 11 less the remainder, where 11 becomes 0 and 10 becomes `ten` (empty: the number is void)."""
    remainder = weighing.sum(account) % 11
    due = "0" if remainder == 0 else ten if remainder == 1 else str(11 - remainder)
    return account[weighing.check] == due


def _modulus_11_or_twins(weighing: Weighing, bank_code: str, account: str) -> bool:
    """Methods 16 and 23: with the remainder 1, two equal digits at places 9 and 10 pass as well."""
    if weighing.sum(account) % 11 == 1 and account[8] == account[9]:
        return True
    return _modulus_11(weighing, bank_code, account)


def _always(_bank_code: str, _account: str) -> bool:
    return True


def _any_of(methods: Sequence[Method], bank_code: str, account: str) -> bool:
    return any(method(bank_code, account) for method in methods)


def _exempt(ranges: Sequence[tuple[int, int]], method: Method, bank_code: str, account: str) -> bool:
    """Numbers in these ranges carry no check digit; all others follow `method`."""
    number = int(account)
    return any(least <= number <= most for least, most in ranges) or method(bank_code, account)


_LUHN = _weigh((2, 1), worth=_cross_sum)
_FALLING = _weigh((2, 3, 4, 5, 6, 7))
_LONG = _weigh((2, 3, 4, 5, 6, 7, 8, 9))
_TEN = _weigh((2, 3, 4, 5, 6, 7, 8, 9, 10))
_TWENTY = _weigh((2, 3, 4, 5, 6, 7, 8, 9, 3))
_LUHN_2_TO_7 = _weigh((2, 1), first=2, last=7, check=8, worth=_cross_sum)

_method_00: Method = partial(_modulus_10, _LUHN)
_method_04: Method = partial(_modulus_11, _FALLING, ten="")
_method_06: Method = partial(_modulus_11, _FALLING)
_method_10: Method = partial(_modulus_11, _TEN)
_method_20: Method = partial(_modulus_11, _TWENTY)


def _method_21(_bank_code: str, account: str) -> bool:
    """Luhn, but the sum is cross-summed until one digit remains."""
    total = _LUHN.sum(account)
    while total >= 10:
        total = sum(map(int, str(total)))
    return (10 - total) % 10 == int(account[9])


def _seventeen(weighing: Weighing, _bank_code: str, account: str) -> bool:
    return (10 - (weighing.sum(account) - 1) % 11) % 10 == int(account[weighing.check])


def _method_24(_bank_code: str, account: str) -> bool:
    digits = account[:9]
    if digits[0] in "3456":
        digits = digits[1:]
    elif digits[0] == "9":
        digits = digits[3:]
    total = sum(
        (int(digit) * weight + weight) % 11 for digit, weight in zip(digits.lstrip("0"), cycle((1, 2, 3)), strict=False)
    )
    return total % 10 == int(account[9])


_TWENTY_FIVE = _weigh((2, 3, 4, 5, 6, 7, 8, 9), first=2)


def _method_25(bank_code: str, account: str) -> bool:
    if _TWENTY_FIVE.sum(account) % 11 == 1 and account[1] not in "89":
        return False
    return _modulus_11(_TWENTY_FIVE, bank_code, account)


_TWENTY_SIX = _weigh((2, 3, 4, 5, 6, 7), last=7, check=8)


def _method_26(bank_code: str, account: str) -> bool:
    shifted = account[2:] + "00" if account.startswith("00") else account
    return _modulus_11(_TWENTY_SIX, bank_code, shifted)


_SIXTY_ONE = _weigh((2, 1), last=7, check=8, worth=_cross_sum)
# With an 8 at place 9 the two last digits are weighed too, as if they followed place 7.
_SIXTY_ONE_LONG = _weigh((2, 1, 0, 2, 1, 2, 1, 2, 1, 2), last=10, check=8, worth=_cross_sum)


def _method_61(bank_code: str, account: str) -> bool:
    return _modulus_10(_SIXTY_ONE_LONG if account[8] == "8" else _SIXTY_ONE, bank_code, account)


def _method_63(bank_code: str, account: str) -> bool:
    """The sub-account "00" may be left out; the number then stands two places further right."""
    if account[0] != "0":
        return False
    if _modulus_10(_LUHN_2_TO_7, bank_code, account):
        return True
    return account.startswith("000") and _modulus_10(_LUHN_2_TO_7, bank_code, account[2:] + "00")


_LUHN_4_TO_9 = _weigh((2, 1), first=4, worth=_cross_sum)
_LUHN_BUT_3_AND_4 = _weigh((2, 1, 2, 1, 2, 0, 0, 1, 2), worth=_cross_sum)


def _method_68(bank_code: str, account: str) -> bool:
    if 400_000_000 <= int(account) <= 499_999_999:
        return True
    if account[0] != "0":
        return account[3] == "9" and _modulus_10(_LUHN_4_TO_9, bank_code, account)
    return _modulus_10(_LUHN, bank_code, account) or _modulus_10(_LUHN_BUT_3_AND_4, bank_code, account)


_KINDS_OF_76 = "046789"
_SEVENTY_SIX = _weigh((2, 3, 4, 5, 6, 7, 8), first=2, last=7, check=8)


def _method_76(_bank_code: str, account: str) -> bool:
    def right(number: str) -> bool:
        remainder = _SEVENTY_SIX.sum(number) % 11
        return (0 if remainder == 10 else remainder) == int(number[7])

    if account[0] not in _KINDS_OF_76:
        return False
    return right(account) or (account.startswith("00") and account[2] in _KINDS_OF_76 and right(account[2:] + "00"))


_EIGHTY_EIGHT = _weigh((2, 3, 4, 5, 6, 7), first=4)
_EIGHTY_EIGHT_LONG = _weigh((2, 3, 4, 5, 6, 7, 8), first=3)


def _method_88(bank_code: str, account: str) -> bool:
    return _modulus_11(_EIGHTY_EIGHT_LONG if account[2] == "9" else _EIGHTY_EIGHT, bank_code, account)


_FIFTY_TWO_WEIGHTS = (2, 4, 8, 5, 10, 9, 7, 3, 6, 1, 2, 4)


def _method_52(bank_code: str, account: str) -> bool:
    """The number of the former ESER system: half of the bank code, two digits, and the account without its zeros."""
    tail = account[4:].lstrip("0")
    digits = bank_code[4:] + account[2] + account[3] + tail
    return (
        sum(int(digit) * weight for digit, weight in zip(reversed(digits), _FIFTY_TWO_WEIGHTS, strict=False)) % 11 == 10
    )


def _method_c0(bank_code: str, account: str) -> bool:
    if account.startswith("00") and account[2] != "0" and _method_52(bank_code, account):
        return True
    return _method_20(bank_code, account)


_SEVENTEEN = _weigh((1, 2), first=2, last=7, check=8, worth=_cross_sum, leftwards=False)
_SEVENTEEN_LONG = _weigh((1, 2), worth=_cross_sum, leftwards=False)


def _method_c1(bank_code: str, account: str) -> bool:
    return _seventeen(_SEVENTEEN_LONG if account[0] == "5" else _SEVENTEEN, bank_code, account)


METHODS: Final[dict[str, Method]] = {
    "00": _method_00,
    "01": partial(_modulus_10, _weigh((3, 7, 1))),
    "02": partial(_modulus_11, _LONG, ten=""),
    "03": partial(_modulus_10, _weigh((2, 1))),
    "04": _method_04,
    "05": partial(_modulus_10, _weigh((7, 3, 1))),
    "06": _method_06,
    "07": partial(_modulus_11, _TEN, ten=""),
    "08": partial(_exempt, [(0, 59_999)], _method_00),
    "09": _always,
    "10": _method_10,
    "11": partial(_modulus_11, _TEN, ten="9"),
    "13": partial(_modulus_10, _LUHN_2_TO_7),
    "14": partial(_modulus_11, _weigh((2, 3, 4, 5, 6, 7), first=4), ten=""),
    "15": partial(_modulus_11, _weigh((2, 3, 4, 5), first=6)),
    "16": partial(_modulus_11_or_twins, _FALLING),
    "17": partial(_seventeen, _SEVENTEEN),
    "18": partial(_modulus_10, _weigh((3, 9, 7, 1))),
    "19": partial(_modulus_11, _weigh((2, 3, 4, 5, 6, 7, 8, 9, 1))),
    "20": _method_20,
    "21": _method_21,
    "22": partial(_modulus_10, _weigh((3, 1), worth=_last_digit)),
    "23": partial(_modulus_11_or_twins, _weigh((2, 3, 4, 5, 6, 7), last=6, check=7)),
    "24": _method_24,
    "25": _method_25,
    "26": _method_26,
    "28": partial(_modulus_11, _weigh((2, 3, 4, 5, 6, 7, 8), last=7, check=8)),
    "32": partial(_modulus_11, _weigh((2, 3, 4, 5, 6, 7), first=4)),
    "33": partial(_modulus_11, _weigh((2, 3, 4, 5, 6), first=5)),
    "34": partial(_modulus_11, _weigh((2, 4, 8, 5, 10, 9, 7), last=7, check=8)),
    "38": partial(_modulus_11, _weigh((2, 4, 8, 5, 10, 9), first=4)),
    "60": partial(_modulus_10, _weigh((2, 1), first=3, worth=_cross_sum)),
    "61": _method_61,
    "63": _method_63,
    "68": _method_68,
    "76": _method_76,
    "88": _method_88,
    "91": partial(
        _any_of,
        [
            partial(_modulus_11, _weigh((2, 3, 4, 5, 6, 7), last=6, check=7)),
            partial(_modulus_11, _weigh((7, 6, 5, 4, 3, 2), last=6, check=7)),
            partial(_modulus_11, _weigh((2, 3, 4, 0, 5, 6, 7, 8, 9, 10), last=10, check=7)),
            partial(_modulus_11, _weigh((2, 4, 8, 5, 10, 9), last=6, check=7)),
        ],
    ),
    "95": partial(
        _exempt,
        [
            (1, 1_999_999),
            (9_000_000, 25_999_999),
            (396_000_000, 499_999_999),
            (700_000_000, 799_999_999),
            (910_000_000, 989_999_999),
        ],
        _method_06,
    ),
    "99": partial(_exempt, [(396_000_000, 499_999_999)], _method_06),
    "A2": partial(_any_of, [_method_00, _method_04]),
    "A3": partial(_any_of, [_method_00, _method_10]),
    "C0": _method_c0,
    "C1": _method_c1,
}
