"""What is kept of whom, in which field and how: read by deploy/data.md, by the page of privacy and by their tests.

`LINES` is the table that people read, translated. `TABLES` in kept_fields.py has every field of every table and names
the line that tells of it; a test holds both against the models.
"""

from enum import StrEnum
from typing import Final, NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class How(StrEnum):
    """In which form a field is kept."""

    CLEAR = "clear"
    SEALED = "sealed"
    HASH = "hash"


class Line(NamedTuple):
    """A line of the readable table."""

    what: Promise
    how: Promise
    until: Promise
    forms: frozenset[How]
    """In which forms its fields are kept."""


_CLEAR: Final = frozenset({How.CLEAR})
_SEALED: Final = frozenset({How.SEALED})
_HASH: Final = frozenset({How.HASH})
_AS_LONG_AS_THE_ACCOUNT: Final = _("As long as the account.")

LINES: Final[dict[str, Line]] = {
    "verdicts": Line(
        _("Log of checks: time, door, API key, country, result and codes of its reasons"),
        _("In clear. Not kept in mode off."),
        _("As many days as you have chosen."),
        _CLEAR,
    ),
    "ibans": Line(
        _("Log of checks: IBAN, bank, address of the caller"),
        _(
            "Sealed with a key of your account alone (AES-256-GCM), found again by a keyed hash (HMAC-SHA256). Kept in "
            "mode full only."
        ),
        _("As many days as you have chosen."),
        _SEALED | _HASH,
    ),
    "counts": Line(
        _("How many checks you make, and how much of the quota they cost"),
        _("One count per day and door, and per API key; one sum per month. In clear."),
        _("25 months."),
        _CLEAR,
    ),
    "keys": Line(
        _("API keys: how they begin, scopes, addresses they work from, dates"),
        _("In clear."),
        _("As long as the key works, and 25 months after; then with the last count of its use."),
        _CLEAR,
    ),
    "key_texts": Line(
        _("API keys themselves"),
        _("Never; only a hash (HMAC-SHA256) that proves one."),
        _("As the line above."),
        _HASH,
    ),
    "texts": Line(
        _("Contact and billing details, names of users, names and notes of API keys"),
        _("Sealed with a key of your account alone (AES-256-GCM)."),
        _("Until you change or remove them."),
        _SEALED,
    ),
    "addresses": Line(
        _("E-mail addresses of users and invited colleagues"),
        _("In clear, since they are needed to sign in and to send mail."),
        _("As long as the user; of an invitation 30 days after it has expired."),
        _CLEAR,
    ),
    "users": Line(
        _("Users: role, language, time zone, when they joined and last signed in"),
        _("In clear."),
        _("As long as the user."),
        _CLEAR,
    ),
    "passwords": Line(
        _("Passwords"), _("Never; only a hash (Argon2id) that proves one."), _("As long as the user."), _HASH
    ),
    "factors": Line(
        _("Second factors"),
        _(
            "Secrets of authenticator apps and recovery codes sealed. Kind, dates, and a passkey's name and public key "
            "in clear."
        ),
        _("Until they are removed."),
        _SEALED | _CLEAR,
    ),
    "sessions": Line(
        _("Browsers that are signed in"),
        _("Address and kind of browser in clear; what the session holds is sealed."),
        _("As long as the session: twelve idle hours, and 30 days at most."),
        _SEALED | _CLEAR,
    ),
    "history": Line(
        _("History: what was done, when, by which user, from which network"),
        _("In clear, with the network shortened and chained by hashes (SHA-256)."),
        _AS_LONG_AS_THE_ACCOUNT,
        _CLEAR | _HASH,
    ),
    "history_details": Line(_("History: details"), _("Sealed."), _AS_LONG_AS_THE_ACCOUNT, _SEALED),
    "history_addresses": Line(_("History: full address"), _("Sealed."), _("7 days."), _SEALED),
    "unmaskings": Line(
        _("When our staff opened your masked details, and the access for support that you gave"),
        _("In clear; the reason in words sealed."),
        _("25 months."),
        _CLEAR | _SEALED,
    ),
    "staff": Line(
        _("What our staff looked at or did, when, who, and of which account, by its number"),
        _("In clear, and chained by hashes (SHA-256); reasons and full addresses of staff sealed with a key of ours."),
        _(
            "Always, so that nobody can hide what they did; reasons 25 months or until your account is deleted, full "
            "addresses 7 days."
        ),
        _CLEAR | _SEALED | _HASH,
    ),
    "account": Line(_("The account: its state, limits and settings"), _("In clear."), _AS_LONG_AS_THE_ACCOUNT, _CLEAR),
    "notes": Line(
        _("Notes of our staff on the account: what was agreed, or found out"),
        _("Sealed with a key of your account alone (AES-256-GCM). Who wrote it and when in clear."),
        _("Two years. They are in the copy of your data."),
        _SEALED | _CLEAR,
    ),
    "exports": Line(
        _("Copies of your data: who asked for one and when, how large it is, when it was downloaded last"),
        _("In clear; the copy itself is sealed on our disk."),
        _("30 days; the copy itself 24 hours."),
        _CLEAR,
    ),
    "deletions": Line(
        _("Deletions: what is asked for, by whom, up to when the log was deleted; receipts, which name nobody"),
        _("In clear; the number of a deletion of one IBAN as a keyed hash (HMAC-SHA256)."),
        _("Until carried out or cancelled; what says that a part of the log is deleted 35 days, receipts 30 days."),
        _CLEAR | _HASH,
    ),
    "documents": Line(
        _("Documents made out to you: which one, when, in which version and language, who asked for it"),
        _("In clear; the document itself, and whom it names, sealed."),
        _("Until you delete them."),
        _SEALED | _CLEAR | _HASH,
    ),
    "data_keys": Line(
        _("The key that seals all this"),
        _("Sealed by a master key, in a database of its own apart from what it seals."),
        _("As long as the account; when it is destroyed, everything sealed is unreadable."),
        _SEALED | _CLEAR | _HASH,
    ),
    "messages": Line(
        _("What somebody writes to us on the contact page: name, e-mail address and text"),
        _(
            "Sealed with a key of the operator's, and mailed to the operator. Subject and time in clear. Tied to no "
            "account."
        ),
        _("30 days; the mail as long as the operator keeps it."),
        _SEALED | _CLEAR,
    ),
    "blocks": Line(
        _("Blocked addresses"),
        _("In clear, and tied to no account."),
        _("30 days after the block has ended."),
        _CLEAR,
    ),
}
"""Of whom is told: the client and its users, and whoever is kept out."""

ELSEWHERE: Final = ""
"""The line of fields that tell nothing of anybody: bookkeeping of the machine, and rights of staff."""
