"""What the documentation of the API says of its calls and fields, where a table needs words. English here, as ever."""

from typing import Final, NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy, pgettext_lazy


class About(NamedTuple):
    """A call in a customer's words."""

    title: Promise
    text: Promise
    note: Promise | None = None


# By the name of the handler, which is the call's name in the OpenAPI document.
CALLS: Final[dict[str, About]] = {
    "validate": About(
        gettext_lazy("Check one IBAN"),
        gettext_lazy(
            "The response is a check result, with status 200 whether the number is valid or not. All "
            "checks that are possible are made. If one fails, likely corrections are suggested."
        ),
    ),
    "validate_batch": About(
        gettext_lazy("Check many IBANs"),
        gettext_lazy(
            "Up to a thousand in one call; results come in the order in which you send them. If the "
            "remaining quota is too small for all of them, none is checked. No corrections are suggested."
        ),
    ),
    "make_iban": About(
        gettext_lazy("Calculate an IBAN"),
        gettext_lazy(
            "From a domestic bank code and account number. The country's own check digits are "
            "calculated, or verified if you send them. Nothing is guessed: if a field is invalid, the "
            "refusal names it."
        ),
        gettext_lazy(
            "United Kingdom and Ireland: begin `bank_code` with the four letters of the bank. Sweden: "
            "send the bank's three digits, and the account number as the 17 digits used in the IBAN, "
            "since each bank writes its numbers into them in its own way."
        ),
    ),
    "find_candidates": About(
        gettext_lazy("Complete a damaged IBAN"),
        gettext_lazy(
            "The response gives the count of numbers that pass all checks and lists up to a hundred of "
            "them. Even if there is only one, ask the payee before you pay."
        ),
    ),
    "find_in_text": About(
        gettext_lazy("Find IBANs in a text"),
        gettext_lazy(
            "In up to 100,000 characters, written in groups or not. Each is returned with its position "
            "in the text and its result."
        ),
    ),
    "look_up_bic": About(
        gettext_lazy("Look up a BIC"),
        gettext_lazy(
            "Its structure, its country, and the banks listed under it in the directory. A BIC that is "
            "not in the directory may still exist."
        ),
    ),
    "list_countries": About(
        gettext_lazy("All countries"),
        gettext_lazy(
            "How the IBANs of every country and territory are built. Request it once and cache the "
            "response: it stays the same until `data_version` changes."
        ),
        gettext_lazy("Only the first country is shown below."),
    ),
    "show_country": About(
        gettext_lazy("One country"),
        gettext_lazy("How its IBANs are built, and what is checked."),
    ),
    "show_usage": About(
        gettext_lazy("Read usage"),
        gettext_lazy(
            "For the current calendar month (UTC), for all live keys of your company and its use of the check page."
        ),
    ),
    "show_document": About(
        gettext_lazy("The OpenAPI document"),
        gettext_lazy(
            "A description of this API for programs, as OpenAPI 3.1: use it with a client generator or a "
            "tool such as Postman. No key is needed."
        ),
    ),
}

# JSON's types, by the words of JSON Schema.
TYPES: Final[dict[str, Promise]] = {
    "string": pgettext_lazy("type of a field", "string"),
    "integer": pgettext_lazy("type of a field", "integer"),
    "boolean": pgettext_lazy("type of a field", "boolean"),
    "object": pgettext_lazy("type of a field", "object"),
    "null": pgettext_lazy("type of a field", "null"),
    "array of string": pgettext_lazy("type of a field", "list of strings"),
    "array of object": pgettext_lazy("type of a field", "list of objects"),
}

RESULTS: Final[dict[str, Promise]] = {
    "passed": gettext_lazy("The check was made, and nothing speaks against the number."),
    "failed": gettext_lazy("The check was made, and the number is not valid. The reason is given in `reasons`."),
    "not_checked": gettext_lazy(
        "The check could not be made: an earlier one failed, or there is no rule or directory for this country."
    ),
    "known": gettext_lazy("Only for `bank`: the bank code is in the directory."),
    "unknown": gettext_lazy(
        "Only for `bank`: the bank code is not in the directory. This is a warning and never makes a number invalid."
    ),
}

EXPECTED: Final[dict[str, Promise]] = {
    "characters": gettext_lazy("`position`: the first character that is not allowed in an IBAN."),
    "country": gettext_lazy("Nothing more: no country with this code uses IBANs."),
    "length": gettext_lazy("`expected`: the correct number of characters."),
    "structure": gettext_lazy(
        "`position`: the first character that is wrong; `expected`: `n` for a digit, `a` for a letter, `c` for either."
    ),
    "checksum": gettext_lazy("`expected`: the two digits that would have been correct, if the length is correct."),
    "national_check_digits": gettext_lazy(
        "`expected`: the digits that would have been correct, where this can be determined."
    ),
}
"""What a reason holds beside its code and its message."""

WARNINGS: Final[dict[str, Promise]] = {
    "bank_unknown": gettext_lazy("The bank code is not in the directory. Ask the payee to confirm the number."),
    "territory_prefix": gettext_lazy(
        "The country code is in use, but banks officially use that of the parent country."
    ),
    "aspirational_country": gettext_lazy("The country publishes the format but has not registered it with SWIFT."),
    "normalised": gettext_lazy("Spaces, punctuation or lower case were ignored."),
}
