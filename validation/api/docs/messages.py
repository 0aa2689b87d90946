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
            "The answer is a verdict, with status 200 whether the number is valid or not. Every check that can be made "
            "is made. If one fails, likely repairs are suggested."
        ),
    ),
    "validate_batch": About(
        gettext_lazy("Check many IBANs"),
        gettext_lazy(
            "Up to a thousand in one call, answered in the order in which you send them. When the rest of the quota is "
            "too small for all of them, none is checked. There are no suggestions."
        ),
    ),
    "make_iban": About(
        gettext_lazy("Calculate an IBAN"),
        gettext_lazy(
            "From a domestic bank code and account number. The country's own check digits are computed, or verified if "
            "you send them. Nothing is guessed: a field that does not fit is named in the refusal."
        ),
        gettext_lazy(
            "Britain and Ireland: begin `bank_code` with the four letters of the bank. Sweden: send the bank's three "
            "digits and the account number as the 17 digits of the IBAN, since each bank writes its numbers into them "
            "in a way of its own."
        ),
    ),
    "find_candidates": About(
        gettext_lazy("Complete a damaged IBAN"),
        gettext_lazy(
            "The answer counts the numbers that pass every check and lists up to a hundred of them. Even if there is "
            "only one, ask the payee before you pay."
        ),
    ),
    "find_in_text": About(
        gettext_lazy("Find IBANs in a text"),
        gettext_lazy(
            "In up to 100,000 characters, written in groups or not. Each comes with its place in the text and its "
            "verdict."
        ),
    ),
    "look_up_bic": About(
        gettext_lazy("Look up a BIC"),
        gettext_lazy(
            "Its structure, its country, and the banks that the directory lists under it. A BIC that the directory "
            "does not know may still exist."
        ),
    ),
    "list_countries": About(
        gettext_lazy("All countries"),
        gettext_lazy(
            "How the IBANs of every country and territory are built. Ask once and keep the answer: it is the same "
            "until `data_version` changes."
        ),
        gettext_lazy("Below stands only the first of the countries."),
    ),
    "show_country": About(
        gettext_lazy("One country"),
        gettext_lazy("How its IBANs are built, and what of them is checked."),
    ),
    "show_usage": About(
        gettext_lazy("Read the usage"),
        gettext_lazy("Of the current calendar month (UTC), over all live keys of your company and its check page."),
    ),
    "show_document": About(
        gettext_lazy("The OpenAPI document"),
        gettext_lazy(
            "This API described for programs, as OpenAPI 3.1: feed it to a generator of clients or to a tool such as "
            "Postman. It needs no key."
        ),
    ),
}

# JSON's types, by the words of JSON Schema.
TYPES: Final[dict[str, Promise]] = {
    "string": pgettext_lazy("type of a field", "text"),
    "integer": pgettext_lazy("type of a field", "whole number"),
    "boolean": pgettext_lazy("type of a field", "true or false"),
    "object": pgettext_lazy("type of a field", "object"),
    "null": pgettext_lazy("type of a field", "null"),
    "array of string": pgettext_lazy("type of a field", "list of texts"),
    "array of object": pgettext_lazy("type of a field", "list of objects"),
}

RESULTS: Final[dict[str, Promise]] = {
    "passed": gettext_lazy("The check was made, and nothing speaks against the number."),
    "failed": gettext_lazy("The check was made, and the number is not valid. The reason stands in `reasons`."),
    "not_checked": gettext_lazy(
        "The check could not be made: an earlier one failed, or there is no rule or directory for this country."
    ),
    "known": gettext_lazy("Only of `bank`: the directory lists the bank code."),
    "unknown": gettext_lazy(
        "Only of `bank`: the directory does not list it. That is a warning and never makes a number invalid."
    ),
}

EXPECTED: Final[dict[str, Promise]] = {
    "characters": gettext_lazy("`position`: the first character that no IBAN has."),
    "country": gettext_lazy("Nothing more: no country with this code has IBANs."),
    "length": gettext_lazy("`expected`: the right number of characters."),
    "structure": gettext_lazy(
        "`position`: the first character that does not fit; `expected`: `n` for a digit, `a` for a letter, `c` for "
        "either."
    ),
    "checksum": gettext_lazy("`expected`: the two digits that would have been right, if the length is right."),
    "national_check_digits": gettext_lazy("`expected`: the digits that would have been right, where that can be said."),
}
"""What a reason tells beside its code and its sentence."""

WARNINGS: Final[dict[str, Promise]] = {
    "bank_unknown": gettext_lazy("The directory does not list the bank code. Ask the payee to confirm the number."),
    "territory_prefix": gettext_lazy("The prefix is in use, but banks officially use the parent country's."),
    "aspirational_country": gettext_lazy("The country publishes the format but has not registered it with SWIFT."),
    "normalised": gettext_lazy("Blanks, punctuation or small letters were read over."),
}
