"""The types of the API's bodies and responses: they parse requests, render responses and make the OpenAPI document.

Field and class names are in that document and in the code that customers generate from it: a field may be added to a
response, nothing may be renamed.
Descriptions are English in the OpenAPI document and translated on the page of the documentation.
"""

from typing import Annotated, Literal

from django.utils.translation import gettext_noop
from msgspec import UNSET, Meta, Struct, UnsetType

from validation.engine.reasons import BankResult, CheckResult, ReasonCode, WarningCode
from validation.engine.registry import Status

MAX_BATCH_IBANS = 1_000
MAX_TEXT_CHARACTERS = 100_000


class IbanRequest(Struct, forbid_unknown_fields=True):
    """One IBAN to check."""

    iban: Annotated[
        str,
        Meta(
            description=gettext_noop(
                "As it was written: spaces, hyphens, dots, slashes, line breaks, lower case and a "
                "leading “IBAN:” are accepted. Only the first 128 characters are read."
            ),
            examples=["SE45 5000 0000 0583 9825 7466"],
        ),
    ]


class BatchRequest(Struct, forbid_unknown_fields=True):
    """Up to 1000 IBANs to check."""

    ibans: Annotated[
        list[str],
        Meta(
            min_length=1,
            max_length=MAX_BATCH_IBANS,
            description=gettext_noop("Each in the same form as in a single check."),
            examples=[["SE45 5000 0000 0583 9825 7466", "DE89370400440532013000"]],
        ),
    ]


class CalculateRequest(Struct, forbid_unknown_fields=True):
    """A domestic account number to make an IBAN of."""

    country: Annotated[str, Meta(description=gettext_noop("ISO 3166 country code."), examples=["DE"])]
    bank_code: Annotated[
        str, Meta(description=gettext_noop("The domestic bank code, such as the Bankleitzahl."), examples=["37040044"])
    ]
    account_number: Annotated[
        str, Meta(description=gettext_noop("The domestic account number."), examples=["532013000"])
    ]
    branch_code: Annotated[str, Meta(description=gettext_noop("The branch code, where the country has one."))] = ""


class RecoverRequest(Struct, forbid_unknown_fields=True):
    """An IBAN of which up to three characters cannot be read."""

    iban: Annotated[
        str,
        Meta(
            description=gettext_noop(
                "With “?” in place of each unreadable character, one to three times. Spaces are accepted."
            ),
            examples=["SE45 5000 0000 0583 98?5 74?6"],
            # Documented, not enforced: what does not match is refused with a message of its own.
            extra_json_schema={"pattern": r"^[^?]*(\?[^?]*){1,3}$"},
        ),
    ]


class ExtractRequest(Struct, forbid_unknown_fields=True):
    """A text with IBANs in it."""

    text: Annotated[
        str,
        Meta(
            max_length=MAX_TEXT_CHARACTERS,
            description=gettext_noop("Any text, such as an e-mail or text read from an invoice."),
            examples=["Please pay to SE45 5000 0000 0583 9825 7466 by Friday."],
        ),
    ]


class Finding(Struct, omit_defaults=True, gc=False):
    """A failed check, or something worth a warning."""

    code: Annotated[
        ReasonCode | WarningCode,
        Meta(description=gettext_noop("The check that failed, or the subject of the warning. Codes never change.")),
    ]
    message: Annotated[str, Meta(description=gettext_noop("For people, in the language of Accept-Language."))]
    position: Annotated[
        int | UnsetType,
        Meta(description=gettext_noop("Position in `iban` where it begins, counted in characters from 1.")),
    ] = UNSET
    expected: Annotated[
        int | str | UnsetType,
        Meta(
            description=gettext_noop(
                "For `length` the correct number of characters, for `checksum` and "
                "`national_check_digits` the digits that would have been correct, for `structure` the "
                "expected kind of character: n digit, a letter, c either."
            )
        ),
    ] = UNSET


class ChecksAnswer(Struct, gc=False):
    """The result of each check. All that can be made are made."""

    characters: Annotated[CheckResult, Meta(description=gettext_noop("Only the letters A–Z and the digits 0–9."))]
    country: Annotated[
        CheckResult, Meta(description=gettext_noop("The country code is valid and the country uses IBANs."))
    ]
    length: Annotated[CheckResult, Meta(description=gettext_noop("The length is correct for the country."))]
    structure: Annotated[CheckResult, Meta(description=gettext_noop("Letters and digits are in the right places."))]
    checksum: Annotated[
        CheckResult,
        Meta(description=gettext_noop("The check digits match the rest of the number (ISO 7064, mod 97-10).")),
    ]
    national_check_digits: Annotated[
        CheckResult,
        Meta(description=gettext_noop("The country's own check digits within the account number.")),
    ]
    bank: Annotated[
        BankResult, Meta(description=gettext_noop("The bank code is looked up in our bank list for the country."))
    ]


class CountryOfIban(Struct, gc=False):
    """The country whose code the IBAN begins with."""

    code: Annotated[str, Meta(description=gettext_noop("ISO 3166 country code, or XK for Kosovo."))]
    name: Annotated[str, Meta(description=gettext_noop("In the language of Accept-Language."))]
    sepa: Annotated[bool, Meta(description=gettext_noop("Whether the country participates in SEPA payments."))]
    registry: Annotated[
        Status,
        Meta(
            description=gettext_noop(
                "`official`: in the SWIFT registry; `aspirational`: published by the country, not "
                "registered; `territory`: officially uses its parent country's code."
            )
        ),
    ]


class BankOfIban(Struct, gc=False):
    """The bank that the directory has under the bank code."""

    code: Annotated[str, Meta(description=gettext_noop("The bank code inside the IBAN."))]
    branch_code: Annotated[str | None, Meta(description=gettext_noop("The branch code, where the country has one."))]
    name: Annotated[str, Meta(description=gettext_noop("The bank's name in the directory."))]
    bic: Annotated[
        str | None,
        Meta(description=gettext_noop("The BIC listed for this code in the directory; null if there is none.")),
    ]
    candidates: Annotated[
        tuple[str, ...], Meta(description=gettext_noop("All BICs listed for this code in the directory."))
    ]
    source: Annotated[str, Meta(description=gettext_noop("The source of the directory entry."))]
    as_of: Annotated[
        str, Meta(description=gettext_noop("The month in which the directory last changed."), examples=["2026-10"])
    ]


class AccountOfIban(Struct, gc=False):
    """The national number inside the IBAN."""

    bban: Annotated[str, Meta(description=gettext_noop("The IBAN without country code and check digits."))]
    number: Annotated[
        str | None, Meta(description=gettext_noop("The account number, if the country's structure identifies it."))
    ]


class VerdictAnswer(Struct, gc=False):
    """What is known of one input. It never says that an account exists or who owns it."""

    input: Annotated[str, Meta(description=gettext_noop("What was sent, truncated to 128 characters."))]
    iban: Annotated[str, Meta(description=gettext_noop("The normalised text, as far as it can be normalised."))]
    formatted: Annotated[str, Meta(description=gettext_noop("`iban` in groups of four."))]
    valid: Annotated[
        bool,
        Meta(
            description=gettext_noop("True if there is no reason against the number. An unknown bank is not a reason.")
        ),
    ]
    checks: Annotated[ChecksAnswer, Meta(description=gettext_noop("The result of each check."))]
    reasons: Annotated[list[Finding], Meta(description=gettext_noop("The failed checks, the most basic first."))]
    warnings: Annotated[
        list[Finding],
        Meta(
            description=gettext_noop(
                "What people should know in addition to the result. Never grounds to refuse the number."
            )
        ),
    ]
    country: Annotated[
        CountryOfIban | None,
        Meta(description=gettext_noop("The country whose code the number begins with; null if there is none.")),
    ]
    bank: Annotated[
        BankOfIban | None,
        Meta(description=gettext_noop("The bank listed in the directory under the bank code; null if unknown.")),
    ]
    account: Annotated[
        AccountOfIban | None,
        Meta(description=gettext_noop("The national number inside the IBAN; null unless the structure is correct.")),
    ]
    suggestions: Annotated[
        tuple[str, ...],
        Meta(
            description=gettext_noop(
                "Corrections one edit away that pass every check, at most five, best first; only for a "
                "single check. They are guesses: ask the payee."
            )
        ),
    ]
    data_version: Annotated[str, Meta(description=gettext_noop("The version of the registry and bank directory."))]


class Summary(Struct):
    """How a batch went."""

    total: Annotated[int, Meta(description=gettext_noop("Number of IBANs checked."))]
    valid: Annotated[int, Meta(description=gettext_noop("Number of valid IBANs."))]
    invalid: Annotated[int, Meta(description=gettext_noop("Number of invalid IBANs."))]


class BatchAnswer(Struct):
    """The verdicts in the order of the request."""

    results: Annotated[
        list[VerdictAnswer], Meta(description=gettext_noop("One result for each IBAN, in the order of the request."))
    ]
    summary: Annotated[Summary, Meta(description=gettext_noop("The number of each kind."))]


class CalculateAnswer(Struct):
    """The IBAN of a domestic account number."""

    iban: Annotated[str, Meta(description=gettext_noop("The IBAN, without spaces."))]
    verdict: Annotated[VerdictAnswer, Meta(description=gettext_noop("The result of checking this IBAN."))]


class RecoverAnswer(Struct):
    """The IBANs that a partly unreadable one may have been."""

    candidates: Annotated[
        tuple[str, ...], Meta(description=gettext_noop("Those that pass all checks, in order; at most 100."))
    ]
    total: Annotated[int, Meta(description=gettext_noop("How many pass all checks."))]
    truncated: Annotated[bool, Meta(description=gettext_noop("True if there are more than those listed."))]


class FoundIban(Struct, gc=False):
    """An IBAN found in a text."""

    start: Annotated[
        int, Meta(description=gettext_noop("Position in the text where it begins, in characters (code points) from 0."))
    ]
    end: Annotated[int, Meta(description=gettext_noop("Where it ends: the position of the first character after it."))]
    text: Annotated[str, Meta(description=gettext_noop("As written in the text."))]
    verdict: Annotated[
        VerdictAnswer,
        Meta(
            description=gettext_noop(
                "The result of checking it. Text that only looks like an IBAN is also listed, as invalid."
            )
        ),
    ]


class ExtractAnswer(Struct):
    """The IBANs of a text, in its order."""

    ibans: Annotated[list[FoundIban], Meta(description=gettext_noop("All IBANs in the text, in order of appearance."))]


class PartOfBban(Struct):
    """A part of the national number."""

    kind: Annotated[str, Meta(description=gettext_noop("What the part is, such as `bank_code` or `account_number`."))]
    start: Annotated[int, Meta(description=gettext_noop("Its first character in the BBAN, counted from 0."))]
    end: Annotated[int, Meta(description=gettext_noop("The first character after it."))]


class DirectoryAnswer(Struct):
    """A country's part of the bank directory."""

    size: Annotated[int, Meta(description=gettext_noop("The number of bank codes it contains."))]
    as_of: Annotated[
        str, Meta(description=gettext_noop("The month in which the directory last changed."), examples=["2026-10"])
    ]
    source: Annotated[str, Meta(description=gettext_noop("Its source."))]
    complete: Annotated[bool, Meta(description=gettext_noop("Whether a bank code missing from it is significant."))]


class CountryAnswer(Struct):
    """How a country's IBAN is built, and what of it is checked."""

    code: Annotated[str, Meta(description=gettext_noop("ISO 3166 country code, or XK for Kosovo."))]
    name: Annotated[str, Meta(description=gettext_noop("In the language of Accept-Language."))]
    sepa: Annotated[bool, Meta(description=gettext_noop("Whether the country participates in SEPA payments."))]
    registry: Annotated[Status, Meta(description=gettext_noop("Same as in a check result."))]
    parent: Annotated[
        str | None, Meta(description=gettext_noop("For a territory, the country whose code it officially uses."))
    ]
    length: Annotated[int, Meta(description=gettext_noop("Number of characters in the whole IBAN."))]
    structure: Annotated[
        str,
        Meta(
            description=gettext_noop("Structure of the BBAN, in the notation of the SWIFT registry."),
            examples=["8!n10!n"],
        ),
    ]
    pattern: Annotated[str, Meta(description=gettext_noop("A regular expression for the whole IBAN."))]
    parts: Annotated[list[PartOfBban], Meta(description=gettext_noop("The parts of the BBAN, in order."))]
    example: Annotated[str, Meta(description=gettext_noop("An IBAN with correct structure and check digits."))]
    national_check_digits: Annotated[
        bool, Meta(description=gettext_noop("Whether the country's own check digits are checked."))
    ]
    bank_directory: Annotated[
        DirectoryAnswer | None,
        Meta(description=gettext_noop("What we know about the country's banks; null if nothing.")),
    ]


class CountriesAnswer(Struct):
    """Every country and territory that has IBANs."""

    countries: Annotated[list[CountryAnswer], Meta(description=gettext_noop("All countries, ordered by code."))]
    data_version: Annotated[str, Meta(description=gettext_noop("The version of the registry and bank directory."))]


class CountryOfBic(Struct):
    """The country in a BIC."""

    code: Annotated[str, Meta(description=gettext_noop("ISO 3166 country code, or XK for Kosovo."))]
    name: Annotated[str, Meta(description=gettext_noop("In the language of Accept-Language."))]


class BicAnswer(Struct):
    """A BIC and what the directory knows of it."""

    bic: Annotated[
        str,
        Meta(
            description=gettext_noop(
                "In upper case and without spaces; as sent if it does not have the structure of a BIC."
            )
        ),
    ]
    valid: Annotated[bool, Meta(description=gettext_noop("Whether it has the structure of a BIC (ISO 9362)."))]
    country: Annotated[
        CountryOfBic | None, Meta(description=gettext_noop("The country in it; null if it is not valid."))
    ]
    party_prefix: Annotated[
        str | None, Meta(description=gettext_noop("Four characters that identify the institution."))
    ]
    party_suffix: Annotated[str | None, Meta(description=gettext_noop("Two characters, formerly the location."))]
    branch: Annotated[str | None, Meta(description=gettext_noop("Three characters; null means the head office."))]
    test: Annotated[bool, Meta(description=gettext_noop("Whether it is a test BIC."))]
    known: Annotated[
        bool, Meta(description=gettext_noop("Whether it is listed in the directory. Not every BIC has bank codes."))
    ]
    known_as: Annotated[
        str | None,
        Meta(
            description=gettext_noop(
                "The form in which the directory lists it: a branch may be listed under its head office."
            )
        ),
    ]
    names: Annotated[tuple[str, ...], Meta(description=gettext_noop("The bank's names in the directory, at most 20."))]
    bank_codes: Annotated[
        tuple[str, ...],
        Meta(description=gettext_noop("Country and bank code together, at most 20."), examples=[["DE37040044"]]),
    ]
    total_bank_codes: Annotated[int, Meta(description=gettext_noop("How many bank codes it has in the directory."))]
    data_version: Annotated[str, Meta(description=gettext_noop("The version of the registry and bank directory."))]


class Period(Struct):
    """A calendar month in UTC."""

    start: Annotated[str, Meta(description=gettext_noop("The first day."), examples=["2026-11-01"])]
    end: Annotated[str, Meta(description=gettext_noop("The last day."), examples=["2026-11-30"])]


class UsedDay(Struct):
    """The checks of one day (UTC)."""

    day: Annotated[str, Meta(description=gettext_noop("The day, in UTC."), examples=["2026-11-07"])]
    valid: Annotated[int, Meta(description=gettext_noop("How many of the checked IBANs were valid."))]
    invalid: Annotated[int, Meta(description=gettext_noop("How many of the checked IBANs were not valid."))]
    units: Annotated[int, Meta(description=gettext_noop("Quota used on this day."))]


class UsageAnswer(Struct):
    """What the client has used of the month's quota, by all its keys."""

    quota: Annotated[int, Meta(description=gettext_noop("Number of checks per month."))]
    used: Annotated[int, Meta(description=gettext_noop("How many of them have been used."))]
    remaining: Annotated[int, Meta(description=gettext_noop("How many remain until the end of the month."))]
    period: Annotated[Period, Meta(description=gettext_noop("The month in question."))]
    days: Annotated[
        list[UsedDay], Meta(description=gettext_noop("The days of the month on which something was checked."))
    ]


Ready = Literal["ok", "failed"]


class Checkup(Struct):
    """Each part the service needs."""

    database: Annotated[Ready, Meta(description="The database answers.")]
    keyring: Annotated[Ready, Meta(description="The database of keys answers.")]
    spool: Annotated[Ready, Meta(description="What calls leave behind can be written down.")]
    disk: Annotated[Ready, Meta(description="The disk has free space.")]


class LiveAnswer(Struct):
    """The process answers."""

    live: Annotated[bool, Meta(description="True, since it answers.")]


class ReadyAnswer(Struct):
    """Whether the service can do its work."""

    ready: Annotated[bool, Meta(description="True if every part works.")]
    checks: Annotated[Checkup, Meta(description="Each part the service needs.")]
