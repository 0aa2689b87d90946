"""What the calls of the API take and give, as types: they parse requests, render answers and make the OpenAPI document.

Field names and shapes are promises to clients' programs; a field may be added to an answer, nothing may change.
"""

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from validation.engine.reasons import BankResult, CheckResult, ReasonCode, WarningCode
from validation.engine.registry import Status

MOST_IN_BATCH = 1_000
MOST_CHARACTERS_OF_TEXT = 100_000


class IbanRequest(Struct, forbid_unknown_fields=True):
    """One IBAN to check."""

    iban: Annotated[
        str,
        Meta(
            description="As a person wrote it: blanks, hyphens, dots, slashes, line breaks, small letters and a leading "
            "“IBAN:” do no harm. Only the first 128 characters are read.",
            examples=["SE45 5000 0000 0583 9825 7466"],
        ),
    ]


class BatchRequest(Struct, forbid_unknown_fields=True):
    """Up to 1000 IBANs to check."""

    ibans: Annotated[
        list[str],
        Meta(
            min_length=1,
            max_length=MOST_IN_BATCH,
            description="Each as in a single check.",
            examples=[["SE45 5000 0000 0583 9825 7466", "DE89370400440532013000"]],
        ),
    ]


class CalculateRequest(Struct, forbid_unknown_fields=True):
    """A domestic account number to make an IBAN of."""

    country: Annotated[str, Meta(description="ISO 3166 code of the country.", examples=["DE"])]
    bank_code: Annotated[
        str, Meta(description="The domestic bank code, such as the Bankleitzahl.", examples=["37040044"])
    ]
    account_number: Annotated[str, Meta(description="The domestic account number.", examples=["532013000"])]
    branch_code: Annotated[str, Meta(description="The branch code, where the country has one.")] = ""


class RecoverRequest(Struct, forbid_unknown_fields=True):
    """An IBAN of which up to three characters cannot be read."""

    iban: Annotated[
        str,
        Meta(
            description="With “?” in place of each character that cannot be read.",
            examples=["SE45 5000 0000 0583 98?5 74?6"],
        ),
    ]


class ExtractRequest(Struct, forbid_unknown_fields=True):
    """A text with IBANs in it."""

    text: Annotated[
        str,
        Meta(
            max_length=MOST_CHARACTERS_OF_TEXT,
            description="Any text, such as a mail or what was read from an invoice.",
            examples=["Please pay to SE45 5000 0000 0583 9825 7466 by Friday."],
        ),
    ]


class Finding(Struct, omit_defaults=True, gc=False):
    """A failed check, or something worth a warning."""

    code: Annotated[ReasonCode | WarningCode, Meta(description="Never changes.")]
    message: Annotated[str, Meta(description="For people, in the language of Accept-Language.")]
    position: Annotated[
        int | UnsetType, Meta(description="Where in `iban` it begins, counted in characters from 1.")
    ] = UNSET
    expected: Annotated[
        int | str | UnsetType,
        Meta(
            description="For `length` the right number of characters, for `checksum` and `national_check_digits` "
            "the digits that would have been right, for `structure` the class of the character: n digit, a letter, "
            "c either."
        ),
    ] = UNSET


class ChecksAnswer(Struct, gc=False):
    """The result of each check. All that can be made are made."""

    characters: CheckResult
    country: CheckResult
    length: CheckResult
    structure: CheckResult
    checksum: CheckResult
    national_check_digits: CheckResult
    bank: BankResult


class CountryOfIban(Struct, gc=False):
    """The country whose code the IBAN begins with."""

    code: str
    name: Annotated[str, Meta(description="In the language of Accept-Language.")]
    sepa: bool
    registry: Annotated[
        Status,
        Meta(
            description="`official`: in the SWIFT registry; `aspirational`: published by the country, not registered; "
            "`territory`: officially uses its parent country's prefix."
        ),
    ]


class BankOfIban(Struct, gc=False):
    """The bank that the directory has under the bank code."""

    code: str
    branch_code: str | None
    name: str
    bic: str | None
    candidates: Annotated[tuple[str, ...], Meta(description="Every BIC under which the directory lists this code.")]
    source: str
    as_of: Annotated[str, Meta(description="The month in which the directory last changed.", examples=["2026-10"])]


class AccountOfIban(Struct, gc=False):
    """The national number inside the IBAN."""

    bban: str
    number: Annotated[str | None, Meta(description="The account number, where the country's structure tells it apart.")]


class VerdictAnswer(Struct, gc=False):
    """What is known of one input. It never says that an account exists or who owns it."""

    input: Annotated[str, Meta(description="What was sent, cut at 128 characters.")]
    iban: Annotated[str, Meta(description="The normalised text, as far as normalising goes.")]
    formatted: Annotated[str, Meta(description="`iban` in groups of four.")]
    valid: Annotated[bool, Meta(description="True if there is no reason against it. An unknown bank is none.")]
    checks: ChecksAnswer
    reasons: Annotated[list[Finding], Meta(description="The failed checks, the most basic first.")]
    warnings: list[Finding]
    country: CountryOfIban | None
    bank: BankOfIban | None
    account: AccountOfIban | None
    suggestions: Annotated[
        tuple[str, ...],
        Meta(
            description="Repairs one edit away that pass every check, at most five, best first; only for a single "
            "check. A guess: ask the payee."
        ),
    ]
    data_version: Annotated[str, Meta(description="The version of the registry and bank directory.")]


class Summary(Struct):
    """How a batch went."""

    total: int
    valid: int
    invalid: int


class BatchAnswer(Struct):
    """The verdicts in the order of the request."""

    results: list[VerdictAnswer]
    summary: Summary


class CalculateAnswer(Struct):
    """The IBAN of a domestic account number."""

    iban: str
    verdict: VerdictAnswer


class RecoverAnswer(Struct):
    """The IBANs that a partly unreadable one may have been."""

    candidates: Annotated[tuple[str, ...], Meta(description="Those that pass every check, in order; at most 100.")]
    total: Annotated[int, Meta(description="How many pass every check.")]
    truncated: Annotated[bool, Meta(description="True if there are more than are listed.")]


class FoundIban(Struct, gc=False):
    """An IBAN found in a text."""

    start: Annotated[int, Meta(description="Where it begins in the text, in characters (code points) from 0.")]
    end: Annotated[int, Meta(description="Where it ends: the first character after it.")]
    text: Annotated[str, Meta(description="As it stands in the text.")]
    verdict: VerdictAnswer


class ExtractAnswer(Struct):
    """The IBANs of a text, in its order."""

    ibans: list[FoundIban]


class PartOfBban(Struct):
    """A part of the national number."""

    kind: str
    start: Annotated[int, Meta(description="Its first character in the BBAN, counted from 0.")]
    end: Annotated[int, Meta(description="The first character after it.")]


class DirectoryAnswer(Struct):
    """A country's part of the bank directory."""

    size: Annotated[int, Meta(description="How many bank codes it knows.")]
    as_of: str
    source: str
    complete: Annotated[bool, Meta(description="Whether a bank code that is not in it means something.")]


class CountryAnswer(Struct):
    """How a country's IBAN is built, and what of it is checked."""

    code: str
    name: str
    sepa: bool
    registry: Status
    parent: Annotated[str | None, Meta(description="For a territory, the country whose prefix it officially uses.")]
    length: Annotated[int, Meta(description="Characters of the whole IBAN.")]
    structure: Annotated[
        str, Meta(description="Of the BBAN, in the notation of the SWIFT registry.", examples=["8!n10!n"])
    ]
    pattern: Annotated[str, Meta(description="A regular expression for the whole IBAN.")]
    parts: list[PartOfBban]
    example: str
    national_check_digits: Annotated[bool, Meta(description="Whether the country's own check digits are checked.")]
    bank_directory: DirectoryAnswer | None


class CountriesAnswer(Struct):
    """Every country and territory that has IBANs."""

    countries: list[CountryAnswer]
    data_version: str


class CountryOfBic(Struct):
    """The country in a BIC."""

    code: str
    name: str


class BicAnswer(Struct):
    """A BIC and what the directory knows of it."""

    bic: str
    valid: Annotated[bool, Meta(description="Whether it has the structure of a BIC (ISO 9362).")]
    country: CountryOfBic | None
    party_prefix: Annotated[str | None, Meta(description="Four characters that stand for the institution.")]
    party_suffix: Annotated[str | None, Meta(description="Two characters, formerly the location.")]
    branch: Annotated[str | None, Meta(description="Three characters; null is the head office.")]
    test: Annotated[bool, Meta(description="Whether it is a BIC for tests only.")]
    known: Annotated[bool, Meta(description="Whether the directory lists it. Not every BIC has bank codes.")]
    known_as: Annotated[
        str | None, Meta(description="As what the directory lists it: a branch may be known by its head office.")
    ]
    names: Annotated[tuple[str, ...], Meta(description="The bank's names in the directory, at most 20.")]
    bank_codes: Annotated[
        tuple[str, ...], Meta(description="Country and bank code together, at most 20.", examples=[["DE37040044"]])
    ]
    total_bank_codes: int
    data_version: str


class Period(Struct):
    """A calendar month in UTC."""

    start: Annotated[str, Meta(description="Its first day.", examples=["2026-11-01"])]
    end: Annotated[str, Meta(description="Its last day.", examples=["2026-11-30"])]


class UsedDay(Struct):
    """The checks of one day (UTC)."""

    day: str
    valid: int
    invalid: int
    units: Annotated[int, Meta(description="What the day cost of the quota.")]


class UsageAnswer(Struct):
    """What the client has used of the month's quota, by all its keys."""

    quota: int
    used: int
    remaining: int
    period: Period
    days: list[UsedDay]


Ready = Literal["ok", "failed"]


class Checkup(Struct):
    """Each part the service needs."""

    database: Ready
    keyring: Ready
    spool: Ready
    disk: Ready


class LiveAnswer(Struct):
    """The process answers."""

    live: bool


class ReadyAnswer(Struct):
    """Whether the service can do its work."""

    ready: bool
    checks: Checkup
