"""From codes to messages a customer understands, in the active language. The only place where codes become words."""

import gettext
import unicodedata
from collections.abc import Callable
from datetime import date, timedelta
from functools import cache
from itertools import groupby
from typing import Final, NamedTuple

import pycountry
from django.utils.functional import Promise
from django.utils.translation import get_language, gettext_lazy, ngettext, pgettext_lazy
from django.utils.translation import gettext as _

from validation.engine import Verdict
from validation.engine.banks import DIRECTORIES
from validation.engine.calculate import CalculationRefused
from validation.engine.national import BRITISH, WITH_RULE
from validation.engine.reasons import PASSED, Reason, ReasonCode, WarningCode
from validation.engine.registry import COUNTRIES, Country

Words = str | Promise

# Where ISO 3166 has no name, or one in the order of an index ("Palestine, State of").
_OWN_NAMES: Final[dict[str, Words]] = {
    "BY": gettext_lazy("Belarus"),
    "FK": gettext_lazy("Falkland Islands"),
    "GB": gettext_lazy("United Kingdom"),
    "MF": gettext_lazy("Saint Martin"),
    "PS": gettext_lazy("Palestine"),
    "RU": gettext_lazy("Russia"),
    "VA": gettext_lazy("Vatican City"),
    "VG": gettext_lazy("British Virgin Islands"),
    "XK": gettext_lazy("Kosovo"),
}

CHECK_NAMES: Final[dict[str, Words]] = {
    "characters": gettext_lazy("Characters"),
    "country": gettext_lazy("Country"),
    "length": gettext_lazy("Length"),
    "structure": gettext_lazy("Structure"),
    "checksum": gettext_lazy("Check digits"),
    "national_check_digits": gettext_lazy("National check digits"),
    "bank": gettext_lazy("Bank"),
}
RESULT_NAMES: Final[dict[str, Words]] = {
    "passed": pgettext_lazy("check", "passed"),
    "failed": pgettext_lazy("check", "failed"),
    "not_checked": pgettext_lazy("check", "not checked"),
    "known": pgettext_lazy("bank", "known"),
    "unknown": pgettext_lazy("bank", "unknown"),
}
PART_NAMES: Final[dict[str, Words]] = {
    "country": gettext_lazy("Country code"),
    "checksum": gettext_lazy("Check digits"),
    "bank_code": gettext_lazy("Bank code"),
    "branch_code": gettext_lazy("Branch code"),
    "account_number": gettext_lazy("Account number"),
    "national_check_digits": gettext_lazy("National check digits"),
    "account_type": gettext_lazy("Account type"),
    "account_holder_id": gettext_lazy("Account holder's identity number"),
    "account_id": gettext_lazy("Account owner's number"),
    "currency_code": gettext_lazy("Currency"),
    "reserved": gettext_lazy("Reserved"),
    "undivided": gettext_lazy("National number"),
}
KIND_NAMES: Final[dict[str, Words]] = {
    "n": gettext_lazy("a digit"),
    "a": gettext_lazy("a letter"),
    "c": gettext_lazy("a letter or a digit"),
}
STATUS_NAMES: Final[dict[str, Words]] = {
    "official": gettext_lazy("In the official SWIFT registry"),
    "aspirational": gettext_lazy("Published by the country, not in the SWIFT registry"),
    "territory": gettext_lazy("Territory that officially uses its parent country's code"),
}


STATUS_TAGS: Final[dict[str, Words]] = {
    "official": "",
    "aspirational": gettext_lazy("not registered"),
    "territory": gettext_lazy("territory"),
}


def kinds(classes: str) -> str:
    """Say what a run of character classes holds: `nnnn` is “4 digits”, `aann` is “2 letters, 2 digits”."""
    runs = [(kind, len(list(run))) for kind, run in groupby(classes)]
    return ", ".join(_COUNTED[kind](count) % {"count": count} for kind, count in runs)


_COUNTED: Final[dict[str, Callable[[int], str]]] = {
    "n": lambda count: ngettext("%(count)s digit", "%(count)s digits", count),
    "a": lambda count: ngettext("%(count)s letter", "%(count)s letters", count),
    "c": lambda count: ngettext("%(count)s letter or digit", "%(count)s letters or digits", count),
}


@cache
def _iso_names(language: str) -> gettext.NullTranslations:
    return gettext.translation("iso3166-1", pycountry.LOCALES_DIR, [language], fallback=True)


def country_name(country: Country) -> str:
    """Return the country's name in the active language."""
    own = _OWN_NAMES.get(country.code)
    if own is not None:
        return str(own)
    return _iso_names(get_language() or "en").gettext(country.name)


def country_name_of(code: str) -> str:
    """Return the name of any country of ISO 3166, or Kosovo's, in the active language; the code if there is none."""
    own = _OWN_NAMES.get(code)
    if own is not None:
        return str(own)
    entry = pycountry.countries.get(alpha_2=code)
    name = str(getattr(entry, "common_name", entry.name)) if entry else code
    return _iso_names(get_language() or "en").gettext(name)


def month(text: str) -> date:
    """Return the first day of a month written as `2026-10`, for the page to write in its language."""
    return date.fromisoformat(f"{text}-01")


def character_name(character: str) -> str:
    """Return a name for a character that cannot be mistaken for another: `“ı” (U+0131)`, or without a face `U+200B`."""
    code = f"U+{ord(character):04X}"
    if unicodedata.category(character)[0] in "CZM":
        return code
    quoted = _("“%(character)s”") % {"character": character}
    return quoted if character.isascii() else f"{quoted} ({code})"


def reason(reason: Reason, verdict: Verdict) -> str:
    """Return why the check failed, as one or two sentences with what was found and what was expected."""
    return of_fact(reason, fact(reason, verdict))


Fact = tuple[str, int]
"""What a message needs to know of the IBAN beside the reason: a text of it and a count, as far as it needs them."""


def fact(reason: Reason, verdict: Verdict) -> Fact:
    """Return all that the message depends on beside the reason and the language, for caches of messages."""
    return _REASONS[reason.code].fact(reason, verdict)


def of_fact(reason: Reason, fact: Fact) -> str:
    """Return the message of a reason and its fact, in the active language."""
    return _REASONS[reason.code].words(reason, *fact)


class _ReasonMessage(NamedTuple):
    fact: Callable[[Reason, Verdict], Fact]
    words: Callable[[Reason, str, int], str]


def _character_there(reason: Reason, verdict: Verdict) -> Fact:
    return verdict.iban[(reason.position or 1) - 1], 0


def _characters(reason: Reason, character: str, _count: int) -> str:
    return _("Character %(position)s is %(character)s. An IBAN contains only the letters A–Z and the digits 0–9.") % {
        "position": reason.position,
        "character": character_name(character),
    }


def _beginning(_reason: Reason, verdict: Verdict) -> Fact:
    return verdict.iban[:2], 0


def _country(_reason: Reason, code: str, _count: int) -> str:
    return _("It begins with “%(code)s”, which is not the code of a country that uses IBANs.") % {"code": code}


def _country_and_length(_reason: Reason, verdict: Verdict) -> Fact:
    return verdict.country.code if verdict.country else "", len(verdict.iban)


def _length(reason: Reason, code: str, found: int) -> str:
    if not found:
        return _("There is nothing to check.")
    if not code:
        return _("The text is longer than %(most)s characters; an IBAN has at most 34.") % {"most": reason.expected}
    country = COUNTRIES[code]
    values = {"country": country_name(country), "expected": reason.expected, "found": found}
    if found < country.length:
        return _("Too short: an IBAN from %(country)s has %(expected)s characters, this one has %(found)s.") % values
    return _("Too long: an IBAN from %(country)s has %(expected)s characters, this one has %(found)s.") % values


def _structure(reason: Reason, character: str, _count: int) -> str:
    return _("Character %(position)s is “%(character)s”, but it must be %(kind)s.") % {
        "position": reason.position,
        "character": character,
        "kind": KIND_NAMES[str(reason.expected)],
    }


def _check_digits(_reason: Reason, verdict: Verdict) -> Fact:
    # Digits for a number that lacks one, or has one too many, would mislead.
    return verdict.iban[2:4] if verdict.checks.length == PASSED else "", 0


def _checksum(reason: Reason, found: str, _count: int) -> str:
    if not found:
        return _("The check digits do not match the rest either.")
    return _(
        "The check digits are %(found)s, but for this number they would be %(expected)s. Usually one "
        "digit is wrong or two were swapped."
    ) % {"found": found, "expected": reason.expected}


def _none(_reason: Reason, _verdict: Verdict) -> Fact:
    return "", 0


def _national(reason: Reason, _text: str, _count: int) -> str:
    if reason.expected is None:
        return _("The country's own check digits in the account number do not match the rest of it.")
    return _("The country's own check digits do not match: they would be %(expected)s.") % {"expected": reason.expected}


_REASONS: Final[dict[ReasonCode, _ReasonMessage]] = {
    "characters": _ReasonMessage(_character_there, _characters),
    "country": _ReasonMessage(_beginning, _country),
    "length": _ReasonMessage(_country_and_length, _length),
    "structure": _ReasonMessage(_character_there, _structure),
    "checksum": _ReasonMessage(_check_digits, _checksum),
    "national_check_digits": _ReasonMessage(_none, _national),
}


def failed_check(code: str) -> str:
    """Return what is wrong with an IBAN of which only the code of its failed check was stored."""
    return str(_FAILED_CHECKS.get(code, code))


_FAILED_CHECKS: Final[dict[str, Words]] = {
    "characters": gettext_lazy("It contains a character that is not allowed in an IBAN."),
    "country": gettext_lazy("It does not begin with the code of a country that uses IBANs."),
    "length": gettext_lazy("Its length is wrong."),
    "structure": gettext_lazy("There is a letter where a digit belongs, or a digit where a letter belongs."),
    "checksum": gettext_lazy("The check digits do not match the rest of the number."),
    "national_check_digits": gettext_lazy("The country's own check digits do not match."),
}


def warning(code: WarningCode, verdict: Verdict) -> str:
    """Return what a person should know beside the verdict."""
    if code == "bank_unknown" and verdict.country and not DIRECTORIES[verdict.country.code].complete:
        return _(
            "We do not know the bank code. Our bank list for this country is incomplete, so a missing code "
            "means little."
        )
    return str(_WARNINGS[code])


_WARNINGS: Final[dict[WarningCode, Words]] = {
    "bank_unknown": gettext_lazy(
        "No bank in our bank list for this country has this bank code. The IBAN may still be correct, "
        "but ask the payee to confirm it."
    ),
    "territory_prefix": gettext_lazy(
        "This country code is in use but not in the SWIFT registry: banks officially use that of the "
        "parent country. Some banks will refuse it."
    ),
    "aspirational_country": gettext_lazy(
        "The country publishes this format but has not registered it with SWIFT. Some banks will refuse it."
    ),
    "normalised": gettext_lazy("We ignore spaces, punctuation and lower case."),
}


CHECK_MEANINGS: Final[dict[str, Words]] = {
    "characters": gettext_lazy("Only the letters A–Z and the digits 0–9."),
    "country": gettext_lazy("The country code is valid and the country uses IBANs."),
    "length": gettext_lazy("The length is correct for the country."),
    "structure": gettext_lazy("Letters and digits are in the right places."),
    "checksum": gettext_lazy("The check digits match the rest of the number (ISO 7064, mod 97-10)."),
    "national_check_digits": gettext_lazy("The country's own check digits within the account number."),
    "bank": gettext_lazy("The bank code is looked up in our bank list for the country."),
}
_EARLIER_FAILED = gettext_lazy("Skipped: an earlier check failed.")


def not_checked(check: str, verdict: Verdict) -> str:
    """Return why a check was not made."""
    if verdict.country is None or verdict.bban is None:
        return str(_EARLIER_FAILED)
    if check == "bank":
        return _("We have no bank list for this country.")
    return _national_not_checked(verdict, verdict.country.code)


def _national_not_checked(verdict: Verdict, code: str) -> str:
    if code in BRITISH:
        return _(
            "British account numbers can only be checked with Pay.UK's tables, and none loaded here "
            "covers this sort code."
        )
    if code == "DE" and verdict.bank is None:
        return _("Each German bank chooses its own method, and we do not know this bank.")
    if code == "DE":
        return _("The bank uses a method that we do not support.")
    if code in WITH_RULE:
        return _("The sources disagree about account numbers of this kind.")
    return _("The country has no national check digits, or no reliable public rule for them.")


def wait(time: timedelta) -> str:
    """Return the message for somebody who has checked too often."""
    seconds = int(time.total_seconds())
    return ngettext(
        (
            "You have checked too many in one minute. Please wait %(seconds)s second, then check again: your "
            "text is still here."
        ),
        (
            "You have checked too many in one minute. Please wait %(seconds)s seconds, then check again: "
            "your text is still here."
        ),
        seconds,
    ) % {"seconds": seconds}


def national_rule(code: str) -> str:
    """Return how far a country's own check digits are checked."""
    if code in BRITISH:
        return _("British account numbers can only be checked with Pay.UK's tables, which the operator can load.")
    if code == "DE":
        return _("With the method that each bank has chosen; for a few banks we do not have the method.")
    if code in WITH_RULE:
        return _("Calculated by the country's rule, in addition to the IBAN's own check digits.")
    return _("The country has no national check digits, or no reliable public rule for them.")


FORM_PROBLEMS: Final[dict[str, Words]] = {
    "empty": gettext_lazy("Paste or type an IBAN first."),
    "missing": gettext_lazy("The form was sent without the field “iban”. Open the page again and retry."),
    "several": gettext_lazy("Check one IBAN at a time: the form contained several."),
    "unknown_field": gettext_lazy(
        "The form contained fields that this page does not have. Open the page again and retry."
    ),
    "file": gettext_lazy("Paste the number as text: this page does not accept files."),
    "unavailable": gettext_lazy("Checks are not available right now. Your text is still here: try again in a moment."),
    "encoding": gettext_lazy("Part of the text could not be read as UTF-8. Paste the number again, or type it."),
}
"""What is wrong with a form that holds no text to check."""

CALCULATION_REFUSALS: Final[dict[str, Words]] = {
    "missing": gettext_lazy("“%(field)s” is missing: it is required for this country."),
    "unknown_country": gettext_lazy("“%(field)s” must be the code of a country that uses IBANs, such as DE."),
    "not_used": gettext_lazy("Omit “%(field)s”: this country does not use it."),
    "characters": gettext_lazy("Invalid character in “%(field)s”: it must be %(kind)s."),
    "too_short": gettext_lazy("“%(field)s” is too short: %(expected)s characters are required."),
    "too_long": gettext_lazy("“%(field)s” is too long: at most %(expected)s characters are allowed."),
    "contradiction": gettext_lazy("“%(field)s” contradicts the same part in another field."),
    "national_check_digits": gettext_lazy("The country's own check digits in “%(field)s” do not match the rest."),
}
"""Why no IBAN can be made of a domestic number."""

RECOVERY_REFUSALS: Final[dict[str, Words]] = {
    "empty": gettext_lazy("There is nothing to recover: “iban” is empty."),
    "too_long": gettext_lazy("“iban” is too long: an IBAN has at most 34 characters."),
    "characters": gettext_lazy("“iban” may contain only letters A–Z, digits and “?”."),
    "no_placeholder": gettext_lazy("“iban” contains no “?”. Put one in place of each unreadable character."),
    "too_many_placeholders": gettext_lazy("“iban” contains more than three “?”: too many numbers would be possible."),
}
"""Why an IBAN cannot be recovered."""


def calculation(refused: CalculationRefused) -> tuple[Words, dict[str, object]]:
    """Return why no IBAN can be made of a domestic number: a message with placeholders, and their values."""
    values: dict[str, object] = {"field": refused.field, "expected": refused.expected}
    if refused.code == "characters":
        values["kind"] = KIND_NAMES[str(refused.expected)]
    return CALCULATION_REFUSALS[refused.code], values
