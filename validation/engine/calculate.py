"""From a domestic account number to its IBAN: the parts as a person writes them, put where the country wants them.

Pure, and no rule of its own: what is put together is judged by `check`. Numbers are never guessed: what cannot be
placed without a doubt is refused, and the refusal names the part at fault.

Not every domestic number holds all that its IBAN needs:

- Britain and Ireland: the four letters of the bank (the first of its BIC) stand in no public list of sort codes, so
  `bank_code` must have them; a sort code alone is refused as a missing bank code.
- Sweden: clearing and account number become the 17 digits of an IBAN in a way that each bank has chosen for itself,
  so the bank code is the IBAN's (three digits) and the account number must have all 17.
- Switzerland and Liechtenstein: banks may lay out the account number as they like; most put zeros in front.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Final, Literal, NamedTuple

from validation.engine import national
from validation.engine.normalise import MAX_INPUT_CHARACTERS, SEPARATORS
from validation.engine.registry import COUNTRIES, Country
from validation.engine.verdict import Verdict, check

FieldName = Literal["country", "bank_code", "branch_code", "account_number"]
RefusalCode = Literal[
    "missing",
    "unknown_country",
    "not_used",
    "characters",
    "too_short",
    "too_long",
    "contradiction",
    "national_check_digits",
]


class CalculationRefused(ValueError):
    """Why there is no IBAN: the part at fault, a code, and what was expected. Its text never holds the number.

    `expected` is, for `missing`, `too_short` and `too_long`, the number of characters without check digits; for
    `characters` the class of the first character that does not fit (`n` digit, `a` letter, `c` either); for
    `national_check_digits` the digits that would have been right, where there are such. `contradiction` means that a
    part was sent twice and differs; `not_used`, that the country has no such part.
    """

    def __init__(self, field: FieldName, code: RefusalCode, expected: int | str | None = None) -> None:
        super().__init__(f"{field}: {code}")
        self.field = field
        self.code = code
        self.expected = expected


NOT_COMPUTED: Final = {
    "DZ": "No source of the key has been confirmed on public numbers.",
    "FO": "Each bank has its own rule, or none, as in Denmark.",
    "GL": "Each bank has its own rule, or none, as in Denmark.",
    "SE": "Each bank has its own rule, and some have none.",
}
"""Countries whose BBAN has a field of check digits that we cannot compute, and why: the account number must end in
them. In every other country check digits may be left out if they have a field or a fixed place of their own."""

_FULL_LENGTH: Final = frozenset(
    # A short number would be one without its check digits, or one cut off: zeros in front would hide that.
    ["AX", "EE", "FI", "GW", "HR", "HU", "IR", "MZ", "NO", "PL"]
) | frozenset(NOT_COMPUTED)
# People leave out the zeros that the IBAN has in front of these bank codes. Source: the domestic examples of the SWIFT
# IBAN registry r102 (CH, LI); Bank of Israel, list of banks (two digits); TCMB, list of EFT codes (four digits).
_SHORT_BANK_CODES: Final = frozenset(["CH", "IL", "LI", "TR"])
# Check digits stand behind what they guard, but for these, where they are written together with what follows.
_CHECK_DIGITS_IN_FRONT: Final = frozenset(["ES", "IT", "SM"])

# The number that people write begins where the IBAN has a branch: with the Czech prefix, or with filling zeros.
_NUMBERS_FROM_THE_BRANCH_ON: Final = frozenset(["CZ", "EE", "SK"])

Places = tuple[int, ...]
"""Where the characters of a text stand in the BBAN, from 0."""
Choices = dict[int, Places]
"""The places of a text by its length: with or without check digits, for instance. The usual length is the first."""


class _Piece(NamedTuple):
    """A part of the BBAN and under which name it is typed."""

    typed_as: FieldName
    kind: str
    places: range
    computed: bool
    """Whether these are check digits that may be left out."""


class _Layout(NamedTuple):
    """Where in one country's BBAN the typed parts stand."""

    country: Country
    bank: Choices
    bank_and_branch: Choices
    """For a bank code that holds the branch code too."""
    branch: Choices
    account: Choices
    padded: bool
    check_digits: tuple[range, ...]
    """Those that may be left out."""


class _Typed(NamedTuple):
    """The parts as typed, in capitals; of the separators only hyphens are left, and in the account number slashes."""

    bank: str
    branch: str
    account: str


_DASHES = "-\u2010\u2011\u2012\u2013\u2014\u2015"
_TABLE = str.maketrans(
    {
        **dict.fromkeys(SEPARATORS),
        **dict.fromkeys(_DASHES, "-"),
        "/": "/",
        **{chr(small): chr(small - 32) for small in range(ord("a"), ord("z") + 1)},
    }
)
_MARKS = str.maketrans("", "", "-/")
_PLAIN: Final = re.compile("[0-9A-Z]*")
_CLASSES: Final = {"n": re.compile("[0-9]"), "a": re.compile("[A-Z]"), "c": re.compile("[0-9A-Z]")}


def calculate(country: str, bank_code: str, account_number: str, branch_code: str = "") -> Verdict:
    """Return the verdict on the IBAN of a domestic account number; `verdict.iban` is the IBAN, and it is valid.

    Each part may hold the separators that `check` accepts, and small letters. Taken are:

    - the bank code alone, with `branch_code` beside it, or both together in `bank_code`;
    - national check digits left out (then they are computed) or written with their part (then they are verified):
      the key of a French RIB, the control digits of a Spanish CCC or the last digits of a Norwegian number with the
      account number, the Italian CIN in front of the bank code, the check digit of a Polish, Hungarian or Croatian
      bank code behind it;
    - an account number with fewer characters than the IBAN has, which gets zeros in front, except where numbers
      always have their full length (Finland, Croatia, Hungary, Norway, Poland, Sweden and its like) or hold more than
      the number (Iceland, Brazil, Bulgaria: type, owner or currency follow it in the order of the IBAN);
    - the whole domestic number in `account_number`, with an empty bank code: `8601 11 17947`;
    - the forms that people write in the Czech Republic and Slovakia (`19-2000145399/0800`), Finland (`123456-785`),
      Hungary (`11773016`, `11111018`) and Estonia (`22`, `221020145685`).

    Raises CalculationRefused, and TypeError for anything but text.
    """
    code = _bare("country", country)
    if not code:
        raise CalculationRefused("country", "missing")
    layout = _LAYOUTS.get(code)
    if layout is None:
        raise CalculationRefused("country", "unknown_country")
    typed = _Typed(
        _bare("bank_code", bank_code), _bare("branch_code", branch_code), _bare("account_number", account_number)
    )
    if read := _WRITTEN.get(code):
        typed = read(typed)
    return _judged(layout, _placed(layout, typed))


def _bare(field: FieldName, text: str) -> str:
    if not isinstance(text, str):
        raise TypeError("A part of an account number is text.")
    if len(text) > MAX_INPUT_CHARACTERS:
        raise CalculationRefused(field, "too_long")
    bare = text.translate(_TABLE)
    if not _PLAIN.fullmatch(bare.translate(_MARKS)):
        raise CalculationRefused(field, "characters", "c")
    return bare if field == "account_number" else bare.translate(_MARKS)


class _Number:
    """A BBAN in the making, and who filled each place."""

    def __init__(self, country: Country) -> None:
        self.classes = country.classes[4:]
        self.characters = [""] * len(self.classes)
        self.origins: list[FieldName] = ["account_number"] * len(self.classes)

    def fill(self, field: FieldName, text: str, choices: Choices) -> None:
        """Put the text where its length says; none is needed where all is filled already."""
        if not text and all(self.characters[place] for place in next(iter(choices.values()), ())):
            return
        if not choices:
            raise CalculationRefused(field, "not_used")
        places = choices.get(len(text))
        if places is None:
            code: RefusalCode = "too_long" if len(text) > min(choices) else "too_short" if text else "missing"
            raise CalculationRefused(field, code, next(iter(choices)))
        for place, character in zip(places, text, strict=True):
            if not _CLASSES[self.classes[place]].fullmatch(character):
                raise CalculationRefused(field, "characters", self.classes[place])
            if self.characters[place] not in {"", character}:
                raise CalculationRefused(field, "contradiction")
            self.characters[place] = character
            self.origins[place] = field


def _placed(layout: _Layout, typed: _Typed) -> _Number:
    """Put every typed part in its place."""
    number = _Number(layout.country)
    whole = len(number.classes)
    bank = typed.bank
    if bank and layout.country.code in _SHORT_BANK_CODES:
        bank = bank.zfill(next(iter(layout.bank)))
    account = _account(layout, typed.account)
    if len(account) == whole:
        number.fill("account_number", account, {whole: tuple(range(whole))})
    number.fill("bank_code", bank, layout.bank if typed.branch else {**layout.bank, **layout.bank_and_branch})
    if len(account) != whole:
        number.fill("account_number", account, layout.account)
    number.fill("branch_code", typed.branch, layout.branch)
    return number


def _account(layout: _Layout, text: str) -> str:
    """Return the account number with its zeros in front. Behind a hyphen, check digits are known by their count."""
    usual, *longer = layout.account
    head, hyphen, tail = text.rpartition("-")
    bare = text.translate(_MARKS)
    if not layout.padded or not bare:
        return bare
    behind = longer and layout.country.code not in _CHECK_DIGITS_IN_FRONT
    if hyphen and behind and len(tail) == longer[0] - usual:
        return head.translate(_MARKS).zfill(usual) + tail
    return bare.zfill(usual)


def _judged(layout: _Layout, number: _Number) -> Verdict:
    """Compute what was left out and let `check` have the last word."""
    country = layout.country
    left_out = [places.start for places in layout.check_digits if not number.characters[places.start]]
    characters = (found or _FILLING[kind] for found, kind in zip(number.characters, number.classes, strict=True))
    bban = national.completed(country.code, "".join(characters), left_out)
    if bban is None:
        raise CalculationRefused("account_number", "national_check_digits")
    verdict = check(country.code + national.mod_97_10(bban + country.code + "00") + bban)
    if verdict.valid:
        return verdict
    # Structure and check digits are right by now: what is left is the country's own rule, which names the place.
    reason = verdict.reasons[0]
    place = (reason.position or 5) - 5
    raise CalculationRefused(number.origins[place], "national_check_digits", reason.expected)


_FILLING: Final = {"n": "0", "c": "0", "a": "A"}
"""What fills the place of check digits until they are computed, by the class of the place."""


def _sort_code(typed: _Typed) -> _Typed:
    """Take six digits in the place of the bank code for what they are."""
    if re.fullmatch("[0-9]{6}", typed.bank) and not typed.branch:
        return typed._replace(bank="", branch=typed.bank)
    return typed


_CZECH = re.compile("(?:([0-9]{1,6})-)?([0-9]{2,10})(?:/([0-9]{4}))?")


def _czech(typed: _Typed) -> _Typed:
    """Read prefix, number and bank: `19-2000145399/0800`. Source: ČNB, decree 169/2011; NBS, decree 8/2009."""
    branch = typed.branch and typed.branch.zfill(6)
    written = _CZECH.fullmatch(typed.account)
    if written is None:
        return typed._replace(branch=branch, account=typed.account.translate(_MARKS))
    prefix, account, bank = written.groups(default="")
    if bank and typed.bank not in {"", bank}:
        raise CalculationRefused("bank_code", "contradiction")
    if branch and not prefix:
        return _Typed(typed.bank or bank, branch, account.zfill(10))
    return _Typed(typed.bank or bank, branch, prefix.zfill(6) + account.zfill(10))


_FINNISH = re.compile("([0-9]{6})-([0-9]{2,8})")


def _finnish(typed: _Typed) -> _Typed:
    """Read `123456-785`: the zeros of the machine's form stand behind the sixth digit, in some banks the seventh.

    Source: Federation of Finnish Financial Services, "The structure of Finnish bank account numbers".
    """
    if len(typed.bank) == 6 and not typed.account.startswith(typed.bank):
        typed = typed._replace(bank="", account=f"{typed.bank}-{typed.account.translate(_MARKS)}")
    written = _FINNISH.fullmatch(typed.account)
    if written is None:
        return typed
    digits = "".join(written.groups())
    # 4: savings and local cooperative banks; 5: cooperative banks.
    begins = 7 if digits[0] in "45" else 6
    account = digits[:begins] + digits[begins:].zfill(14 - begins)
    bank = typed.bank[:3] if digits.startswith(typed.bank) else typed.bank
    return typed._replace(bank=bank, account=account)


def _hungarian(typed: _Typed) -> _Typed:
    """Give a number of two groups its third, of zeros. Source: MNB, decree on payments 35/2017."""
    account = typed.account.translate(_MARKS)
    two_groups = 8 if typed.bank else 16
    return typed._replace(account=account + "00000000" if len(account) == two_groups else account)


def _estonian(typed: _Typed) -> _Typed:
    """Fill a number up to 14 digits: the first two are the branch's field, the last is the check digit.

    Source: Eesti Pangaliit, the standard of account numbers, by which they have 4 to 14 digits.
    """
    account = typed.account.translate(_MARKS)
    alone = account and len(typed.bank) == 2 and not typed.branch
    return typed._replace(account=account.zfill(14) if alone else account)


_WRITTEN: Final[Mapping[str, Callable[[_Typed], _Typed]]] = {
    **dict.fromkeys([*national.BRITISH, "IE"], _sort_code),
    **dict.fromkeys(["CZ", "SK"], _czech),
    **dict.fromkeys(["FI", "AX"], _finnish),
    "EE": _estonian,
    "HU": _hungarian,
}
"""Where people write a number in a form of their own, what reads it."""


def _pieces(country: Country) -> list[_Piece]:
    """Divide the BBAN by the names under which its parts are typed; check digits go with what they are written with."""
    names: dict[str, FieldName] = {"bank_code": "bank_code", "branch_code": "branch_code"}
    typed_as = [names.get(part.kind, "account_number") for part in country.parts]
    pieces = []
    for at, part in enumerate(country.parts):
        computed = part.kind == "national_check_digits" and country.code in national.WITH_RULE
        if part.kind == "national_check_digits":
            typed_as[at] = typed_as[at + 1 if country.code in _CHECK_DIGITS_IN_FRONT else at - 1]
        pieces.append(_Piece(typed_as[at], part.kind, range(part.start, part.end), computed))
    return pieces


def _choices(pieces: Iterable[_Piece]) -> Choices:
    """Return the places of the pieces: all but what may be left out, and all."""
    needed = [piece for piece in pieces if not piece.computed]
    ways = [[piece for piece in needed if piece.kind != "reserved"], needed, list(pieces)]
    return {len(places): places for places in map(_places, ways) if places}


def _places(pieces: Iterable[_Piece]) -> Places:
    return tuple(place for piece in pieces for place in piece.places)


def _layout(country: Country) -> _Layout:
    pieces = _pieces(country)
    bank = [piece for piece in pieces if piece.typed_as == "bank_code"]
    branch = [piece for piece in pieces if piece.typed_as == "branch_code"]
    account = [piece for piece in pieces if piece.typed_as == "account_number"]
    places = _choices(account)
    if country.code in _NUMBERS_FROM_THE_BRANCH_ON:
        written = _places(branch + account)
        places[len(written)] = written
    plain = {piece.kind for piece in account if not piece.computed} <= {"account_number", "reserved"}
    return _Layout(
        country,
        _choices(bank),
        _choices(bank + branch),
        _choices(branch),
        places,
        plain and country.code not in _FULL_LENGTH,
        tuple(piece.places for piece in pieces if piece.computed),
    )


_LAYOUTS: Final = {code: _layout(country) for code, country in COUNTRIES.items()}
