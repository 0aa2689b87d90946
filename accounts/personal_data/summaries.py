"""What the list of stored data says about accounts, users and their API keys. Durations come from the rules."""

from typing import Final

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from accounts.audit import hash_chain, staff_log
from accounts.auth import presence
from accounts.guard import blocks
from accounts.personal_data.declaration import CLEAR, HASH, SEALED, StorageSummary
from accounts.personal_data.retention import INVITATION_RETENTION, in_months
from accounts.staff import notes, unmasking
from accounts.usage import counts

_NOT_ENCRYPTED: Final = _("Not encrypted.")
_AS_LONG_AS_THE_ACCOUNT: Final = _("As long as the account exists.")
_AS_LONG_AS_THE_USER: Final = _("As long as the user exists.")
COUNTED_FOR: Final = format_lazy(_("{months} months."), months=counts.RETENTION_MONTHS)

ACCOUNT: Final = StorageSummary(
    _("The account: its status, limits and settings"), _NOT_ENCRYPTED, _AS_LONG_AS_THE_ACCOUNT, frozenset({CLEAR})
)
USERS: Final = StorageSummary(
    _("Users: role, language, time zone, when they joined and last signed in"),
    _NOT_ENCRYPTED,
    _AS_LONG_AS_THE_USER,
    frozenset({CLEAR}),
)
EMAIL_ADDRESSES: Final = StorageSummary(
    _("E-mail addresses of users and invited colleagues"),
    _("Not encrypted, because they are needed to sign in and to send e-mail."),
    format_lazy(
        _("As long as the user exists; for an invitation, {days} days after it has expired."),
        days=INVITATION_RETENTION.days,
    ),
    frozenset({CLEAR}),
)
PASSWORDS: Final = StorageSummary(
    _("Passwords"),
    _("Never stored; only a hash (Argon2id) used to verify a password."),
    _AS_LONG_AS_THE_USER,
    frozenset({HASH}),
)
TEXTS: Final = StorageSummary(
    _("Contact and billing details, names of users, names and notes of API keys"),
    _("Encrypted with your company's own key (AES-256-GCM)."),
    _("Until you change or remove them."),
    frozenset({SEALED}),
)
TWO_FACTOR: Final = StorageSummary(
    _("Two-factor authentication"),
    _(
        "Secrets of authenticator apps and recovery codes are encrypted. Type, dates, and a "
        "passkey's name and public key are not encrypted."
    ),
    _("Until they are removed."),
    frozenset({SEALED, CLEAR}),
)
SESSIONS: Final = StorageSummary(
    _("Browsers that are signed in"),
    _("IP address and browser type are not encrypted; the contents of the session are encrypted."),
    format_lazy(
        _("As long as the session lasts: until {hours} hours of inactivity, and {days} days at most."),
        hours=presence.MEMBER.idle // 3600,
        days=presence.MEMBER.longest // 86400,
    ),
    frozenset({SEALED, CLEAR}),
)
NOTES: Final = StorageSummary(
    _("Our staff's notes on the account: what was agreed or found out"),
    _("Encrypted with your company's own key (AES-256-GCM). Author and time are not encrypted."),
    format_lazy(_("{years} years. They are included in the copy of your data."), years=notes.RETENTION.days // 365),
    frozenset({SEALED, CLEAR}),
)
COUNTS: Final = StorageSummary(
    _("How many checks you make, and how much of the quota they use"),
    _("One count per day and source, and per API key; one total per month. Not encrypted."),
    COUNTED_FOR,
    frozenset({CLEAR}),
)
UNMASKINGS: Final = StorageSummary(
    _("When our staff viewed your masked details, and the support access you granted"),
    _("Not encrypted; the written reason is encrypted."),
    format_lazy(_("{months} months."), months=in_months(unmasking.RETENTION)),
    frozenset({CLEAR, SEALED}),
)
STAFF_LOG: Final = StorageSummary(
    _("What our staff viewed or did, when, who, and in which account (by its number)"),
    _(
        "Not encrypted, and chained by hashes (SHA-256); reasons and full IP addresses of staff are "
        "encrypted with our own key."
    ),
    format_lazy(
        _(
            "Always, so that nobody can hide what they did; reasons for {months} months or until your account "
            "is deleted, full IP addresses for {days} days."
        ),
        months=in_months(staff_log.DETAILS_RETENTION),
        days=hash_chain.FULL_IP_ADDRESS_RETENTION.days,
    ),
    frozenset({CLEAR, SEALED, HASH}),
)
AUDIT_LOG: Final = StorageSummary(
    _("Audit log: what was done, when, by which user, from which network"),
    _("Not encrypted; the network is shortened, and entries are chained by hashes (SHA-256)."),
    _AS_LONG_AS_THE_ACCOUNT,
    frozenset({CLEAR, HASH}),
)
AUDIT_DETAILS: Final = StorageSummary(
    _("Audit log: details"), _("Encrypted."), _AS_LONG_AS_THE_ACCOUNT, frozenset({SEALED})
)
AUDIT_IP_ADDRESSES: Final = StorageSummary(
    _("Audit log: full IP address"),
    _("Encrypted."),
    format_lazy(_("{days} days."), days=hash_chain.FULL_IP_ADDRESS_RETENTION.days),
    frozenset({SEALED}),
)
BLOCKED_IP_ADDRESSES: Final = StorageSummary(
    _("Blocked IP addresses"),
    _("Not encrypted, and not linked to any account."),
    format_lazy(_("{days} days after the block has ended."), days=blocks.RETENTION_AFTER_END.days),
    frozenset({CLEAR}),
)
