"""Why an IBAN fails, and what is worth a warning: codes for machines, in order. Messages: validation/messages.py."""

from typing import Final, Literal, NamedTuple

PASSED: Final = "passed"
FAILED: Final = "failed"
NOT_CHECKED: Final = "not_checked"
KNOWN: Final = "known"
UNKNOWN: Final = "unknown"

CheckResult = Literal["passed", "failed", "not_checked"]
BankResult = Literal["known", "unknown", "not_checked"]

# The most basic first: when several fail, this is the order in which they are listed.
ReasonCode = Literal["characters", "country", "length", "structure", "checksum", "national_check_digits"]
WarningCode = Literal["bank_unknown", "territory_prefix", "aspirational_country", "normalised"]


class Reason(NamedTuple):
    """One failed check.

    `position` counts characters of the normalised IBAN from 1. `expected` is, for `length`, the right number of
    characters; for `structure` the class of the character in the notation of the SWIFT registry (`n` digit, `a`
    letter, `c` either); for `checksum` and `national_check_digits` the digits that would have been right.
    """

    code: ReasonCode
    position: int | None = None
    expected: int | str | None = None


class Warning(NamedTuple):  # noqa: A001 - the wire format calls it a warning
    """Something true of a valid or invalid IBAN that a person should know; never a reason to refuse it."""

    code: WarningCode


class Checks(NamedTuple):
    """The result of each check, in the order of precedence of the reasons."""

    characters: CheckResult = NOT_CHECKED
    country: CheckResult = NOT_CHECKED
    length: CheckResult = NOT_CHECKED
    structure: CheckResult = NOT_CHECKED
    checksum: CheckResult = NOT_CHECKED
    national_check_digits: CheckResult = NOT_CHECKED
    bank: BankResult = NOT_CHECKED
