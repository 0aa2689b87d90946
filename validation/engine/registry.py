"""The structure of every country's IBAN, as tables. Knows no bank and no national check digits.

Built once, when this module is imported, from the registry packaged in schwifty and from data/countries.toml, which
corrects it. Importing is what makes the tables, so threads never meet a half-built one.
"""

import re
import tomllib
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple

import pycountry
from schwifty import registry as schwifty_registry
from schwifty.domain import Component, IBANSpec

from validation.engine.reasons import Reason

Status = Literal["official", "aspirational", "territory"]

DATA = Path(__file__).parent / "data"
_OVERLAY: Final[dict[str, Any]] = tomllib.loads((DATA / "countries.toml").read_text(encoding="utf-8"))
REGISTRY_EDITION: Final[str] = _OVERLAY["registry_edition"]

_CLASSES = {"n": "[0-9]", "a": "[A-Z]", "c": "[A-Z0-9]"}
# Where schwifty has no (or only half of the) parts of a BBAN whose structure is another country's.
_SAME_FIELDS_AS = {"AO": "CV", "KM": "CF", "MG": "CF", "YT": "FR"}


class BbanField(NamedTuple):
    """A part of the BBAN: `bban[start:end]`. Where a country has no such part, both are 0."""

    start: int
    end: int

    def cut(self, bban: str) -> str | None:
        """Return this part of `bban`, or None where the country has none."""
        return bban[self.start : self.end] if self.end else None


PartKind = Literal[
    "bank_code",
    "branch_code",
    "account_number",
    "national_check_digits",
    "account_type",
    "account_holder_id",
    "account_id",
    "currency_code",
    "reserved",
    "undivided",
]


class Part(NamedTuple):
    """A run of the BBAN with one meaning; the parts of a country cover its BBAN without gap or overlap."""

    kind: PartKind
    start: int
    end: int


class Country(NamedTuple):
    """One country's (or territory's) IBAN: code, structure, and how far the number is recognised."""

    code: str
    name: str
    length: int
    bban_format: str
    """In the notation of the SWIFT registry, such as `8!n10!n`."""
    classes: str
    """The class of each character of the whole IBAN: `n` digit, `a` letter, `c` either."""
    pattern: re.Pattern[str]
    beginning: re.Pattern[str]
    """Matches as many characters as stand right, at the least the country code."""
    checksum_suffix: str
    """The country code in digits and two zeros: what mod 97-10 appends to the BBAN."""
    bank_code: BbanField
    branch_code: BbanField
    account_number: BbanField
    national_check_digits: BbanField
    parts: tuple[Part, ...]
    bank_key: BbanField
    """The part of the BBAN under which the bank directory lists banks."""
    sepa: bool
    status: Status
    parent: str | None
    """For a territory, the country whose prefix its numbers officially use."""
    example: str

    def first_misfit(self, iban: str) -> Reason:
        """Return where a text of this country's code and length leaves its structure. The text must not fit it."""
        begun = self.beginning.match(iban)
        place = begun.end() if begun else 0
        return Reason("structure", place + 1, self.classes[place])


def _classes(bban_format: str) -> str:
    parts = re.findall(r"(\d+)!([nac])", bban_format)
    return "".join(int(count) * kind for count, kind in parts)


def _pattern(classes: str, code: str) -> re.Pattern[str]:
    runs = [run.group() for run in re.finditer(r"n+|a+|c+", classes[2:])]
    return re.compile(code + "".join(f"{_CLASSES[run[0]]}{{{len(run)}}}" for run in runs))


def _beginning(classes: str, code: str) -> re.Pattern[str]:
    """Nest each character in the one before it, so that the match ends where the first misfit stands."""
    depth = len(classes) - 2
    return re.compile(code + "".join(f"(?:{_CLASSES[kind]}" for kind in classes[2:]) + ")?" * depth)


def _name(code: str) -> str:
    if code in _OVERLAY["names"]:
        return str(_OVERLAY["names"][code])
    entry = pycountry.countries.get(alpha_2=code)
    if entry is None:
        raise LookupError(f"data/countries.toml names no country {code}, and neither does ISO 3166.")
    return str(getattr(entry, "common_name", entry.name))


# What schwifty calls differently. The order is that of drawing: check digits inside another part are drawn over it.
_KINDS: Final[dict[Component, PartKind]] = {
    Component.ACCOUNT_CODE: "account_number",
    Component.BANK_CODE: "bank_code",
    Component.BRANCH_CODE: "branch_code",
    Component.ACCOUNT_TYPE: "account_type",
    Component.ACCOUNT_HOLDER_ID: "account_holder_id",
    Component.ACCOUNT_ID: "account_id",
    Component.CURRENCY_CODE: "currency_code",
    Component.NATIONAL_CHECKSUM_DIGITS: "national_check_digits",
}


def _fields(code: str) -> dict[PartKind, BbanField]:
    layout = schwifty_registry.get_iban_spec(_SAME_FIELDS_AS.get(code, code)).positions
    fields = {kind: BbanField(layout[component].start, layout[component].end) for component, kind in _KINDS.items()}
    corrected = {kind: BbanField(*place) for kind, place in _OVERLAY["fields"].get(code, {}).items()}
    return {kind: corrected.get(kind, field) for kind, field in fields.items()}


def _parts(code: str, fields: dict[PartKind, BbanField], length: int) -> tuple[Part, ...]:
    known = any(field.end for field in fields.values())
    kinds: list[PartKind] = ["reserved" if known else "undivided"] * length
    for kind, (start, end) in fields.items():
        kinds[start:end] = [kind] * (end - start)
    for start, end in _OVERLAY["more_check_digits"].get(code, []):
        kinds[start:end] = ["national_check_digits"] * (end - start)
    starts = [place for place in range(length) if place == 0 or kinds[place] != kinds[place - 1]]
    return tuple(Part(kinds[start], start, end) for start, end in zip(starts, [*starts[1:], length], strict=True))


def _sepa(code: str, spec: IBANSpec) -> bool:
    if code in _OVERLAY["sepa"]["outside"]:
        return False
    return spec.in_sepa_zone or code in _OVERLAY["sepa"]["joined"]


def _status(code: str, spec: IBANSpec) -> Status:
    if code in _OVERLAY["territories"]:
        return "territory"
    return "aspirational" if spec.aspirational else "official"


def _country(code: str) -> Country:
    spec = schwifty_registry.get_iban_spec(code)
    fields = _fields(code)
    lookup = [fields[_KINDS[component]] for component in spec.bic_lookup_components]
    classes = "aann" + _classes(spec.bban_spec)
    return Country(
        code=code,
        name=_name(code),
        length=spec.iban_length,
        bban_format=spec.bban_spec,
        classes=classes,
        pattern=_pattern(classes, code),
        beginning=_beginning(classes, code),
        checksum_suffix="".join(str(int(letter, 36)) for letter in code) + "00",
        bank_code=fields["bank_code"],
        branch_code=fields["branch_code"],
        account_number=fields["account_number"],
        national_check_digits=fields["national_check_digits"],
        parts=_parts(code, fields, spec.bban_length),
        bank_key=BbanField(lookup[0].start, lookup[-1].end),
        sepa=_sepa(code, spec),
        status=_status(code, spec),
        parent=_OVERLAY["territories"].get(code),
        example=_OVERLAY["examples"][code],
    )


COUNTRIES: Final[dict[str, Country]] = {code: _country(code) for code in _OVERLAY["examples"]}
"""Every country and territory by its prefix; schwifty's registry has the same ones (a test compares them)."""
