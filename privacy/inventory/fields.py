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
_AS_LONG_AS_THE_ACCOUNT: Final = _("As long as the account exists.")

LINES: Final[dict[str, Line]] = {
    "verdicts": Line(
        _("Check log: time, source, API key, country, result and reason codes"),
        _("Not encrypted. Not stored when logging is off."),
        _("The number of days you have chosen."),
        _CLEAR,
    ),
    "ibans": Line(
        _("Check log: IBAN, bank, IP address of the caller"),
        _(
            "Encrypted with your company's own key (AES-256-GCM); found by a keyed hash (HMAC-SHA256). "
            "Only stored in full mode."
        ),
        _("The number of days you have chosen."),
        _SEALED | _HASH,
    ),
    "counts": Line(
        _("How many checks you make, and how much of the quota they use"),
        _("One count per day and source, and per API key; one total per month. Not encrypted."),
        _("25 months."),
        _CLEAR,
    ),
    "keys": Line(
        _("API keys: first characters, scopes, allowed IP addresses, dates"),
        _("Not encrypted."),
        _("As long as the key works and 25 months after that; then deleted with the last count of its use."),
        _CLEAR,
    ),
    "key_texts": Line(
        _("The API keys themselves"),
        _("Never stored; only a hash (HMAC-SHA256) used to verify a key."),
        _("Same as the line above."),
        _HASH,
    ),
    "texts": Line(
        _("Contact and billing details, names of users, names and notes of API keys"),
        _("Encrypted with your company's own key (AES-256-GCM)."),
        _("Until you change or remove them."),
        _SEALED,
    ),
    "addresses": Line(
        _("E-mail addresses of users and invited colleagues"),
        _("Not encrypted, because they are needed to sign in and to send e-mail."),
        _("As long as the user exists; for an invitation, 30 days after it has expired."),
        _CLEAR,
    ),
    "users": Line(
        _("Users: role, language, time zone, when they joined and last signed in"),
        _("Not encrypted."),
        _("As long as the user exists."),
        _CLEAR,
    ),
    "passwords": Line(
        _("Passwords"),
        _("Never stored; only a hash (Argon2id) used to verify a password."),
        _("As long as the user exists."),
        _HASH,
    ),
    "factors": Line(
        _("Two-factor authentication"),
        _(
            "Secrets of authenticator apps and recovery codes are encrypted. Type, dates, and a "
            "passkey's name and public key are not encrypted."
        ),
        _("Until they are removed."),
        _SEALED | _CLEAR,
    ),
    "sessions": Line(
        _("Browsers that are signed in"),
        _("IP address and browser type are not encrypted; the contents of the session are encrypted."),
        _("As long as the session lasts: until twelve hours of inactivity, and 30 days at most."),
        _SEALED | _CLEAR,
    ),
    "history": Line(
        _("Audit log: what was done, when, by which user, from which network"),
        _("Not encrypted; the network is shortened, and entries are chained by hashes (SHA-256)."),
        _AS_LONG_AS_THE_ACCOUNT,
        _CLEAR | _HASH,
    ),
    "history_details": Line(_("Audit log: details"), _("Encrypted."), _AS_LONG_AS_THE_ACCOUNT, _SEALED),
    "history_addresses": Line(_("Audit log: full IP address"), _("Encrypted."), _("7 days."), _SEALED),
    "unmaskings": Line(
        _("When our staff viewed your masked details, and the support access you granted"),
        _("Not encrypted; the written reason is encrypted."),
        _("25 months."),
        _CLEAR | _SEALED,
    ),
    "staff": Line(
        _("What our staff viewed or did, when, who, and in which account (by its number)"),
        _(
            "Not encrypted, and chained by hashes (SHA-256); reasons and full IP addresses of staff are "
            "encrypted with our own key."
        ),
        _(
            "Always, so that nobody can hide what they did; reasons for 25 months or until your account "
            "is deleted, full IP addresses for 7 days."
        ),
        _CLEAR | _SEALED | _HASH,
    ),
    "account": Line(
        _("The account: its status, limits and settings"), _("Not encrypted."), _AS_LONG_AS_THE_ACCOUNT, _CLEAR
    ),
    "notes": Line(
        _("Our staff's notes on the account: what was agreed or found out"),
        _("Encrypted with your company's own key (AES-256-GCM). Author and time are not encrypted."),
        _("Two years. They are included in the copy of your data."),
        _SEALED | _CLEAR,
    ),
    "exports": Line(
        _("Copies of your data: who requested one and when, its size, when it was last downloaded"),
        _("Not encrypted; the copy itself is encrypted on our disk."),
        _("30 days; the copy itself for 24 hours."),
        _CLEAR,
    ),
    "deletions": Line(
        _(
            "Deletions: what was requested, by whom, and up to when the check log was deleted; deletion "
            "receipts, which identify nobody"
        ),
        _("Not encrypted; if a single IBAN is deleted, it is stored as a keyed hash (HMAC-SHA256)."),
        _(
            "Until carried out or cancelled; the note that part of the check log was deleted for 35 days, "
            "receipts for 30 days."
        ),
        _CLEAR | _HASH,
    ),
    "documents": Line(
        _("Documents issued to you: which one, when, in which version and language, who requested it"),
        _("Not encrypted; the document itself and the company it names are encrypted."),
        _("Until you delete them."),
        _SEALED | _CLEAR | _HASH,
    ),
    "data_keys": Line(
        _("The key that encrypts all this"),
        _("Encrypted with a master key, in a database separate from the data it encrypts."),
        _("As long as the account exists; when the key is destroyed, nothing encrypted with it can be read."),
        _SEALED | _CLEAR | _HASH,
    ),
    "messages": Line(
        _("Messages sent to us through the contact page: name, e-mail address and text"),
        _(
            "Encrypted with our own key, and e-mailed to us. Subject and time are not encrypted. Not "
            "linked to any account."
        ),
        _("30 days; the e-mail for as long as we keep it."),
        _SEALED | _CLEAR,
    ),
    "blocks": Line(
        _("Blocked IP addresses"),
        _("Not encrypted, and not linked to any account."),
        _("30 days after the block has ended."),
        _CLEAR,
    ),
}
"""Of whom is told: the client and its users, and whoever is kept out."""

ELSEWHERE: Final = ""
"""The line of fields that tell nothing of anybody: bookkeeping of the machine, and rights of staff."""
