"""Every table of accounts, field by field, and those of the libraries that sign users in.

Passwords, secrets of two-factor methods, contents of sessions and nonces of links are never exported.
"""

from collections.abc import Iterable
from typing import Final

from allauth.account.models import EmailAddress, EmailConfirmation
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from accounts import batch
from accounts.audit import client_log, hash_chain, staff_log
from accounts.auth import presence
from accounts.guard import blocks
from accounts.guard.models import Block, Revision
from accounts.models import (
    BillingDetails,
    Client,
    ClientNote,
    ContactDetails,
    HistoryDetail,
    HistoryEntry,
    Invitation,
    OwnerRecovery,
    StaffDetail,
    StaffEntry,
    StaffLogLock,
    SupportAccess,
    Unmasking,
    UsageDay,
    User,
)
from accounts.personal_data import summaries
from accounts.personal_data.declaration import (
    BOOKKEEPING,
    CLEAR,
    HASH,
    SEALED,
    Erased,
    Export,
    StoredTable,
    erased_last,
    stored,
)
from accounts.personal_data.retention import CONFIRMATION_RETENTION, INVITATION_RETENTION, in_months
from accounts.personal_data.schema import Column
from accounts.profile import details
from accounts.staff import notes, unmasking
from accounts.team import owner_recovery
from accounts.usage import counts

REFERENCED: Final = "other rows refer to it"
OWNING: Final = "says whose the row is"
WITH_THE_ACCOUNT: Final = "with the account"
COUNTED_FOR: Final = f"after {counts.RETENTION_MONTHS} months"

_STAFF_ONLY: Final = "only for staff; no user of a client has any"


def _contact(client: Client, rows: list[ContactDetails]) -> Iterable[details.Contact]:
    return [details.contact(client) for _row in rows]


def _billing(client: Client, rows: list[BillingDetails]) -> Iterable[details.Billing]:
    return [details.billing(client) for _row in rows]


def email_of(user: User | None) -> str:
    """Return a user's e-mail address for the export; empty for a user who is gone."""
    return user.email if user else ""


def end_sessions(sessions: QuerySet[UserSession]) -> Erased:
    """Sign out the users of these sessions."""
    while found := list(sessions[: batch.ROWS]):
        presence.end_sessions(found)
        # For some, the browser session may be gone already: then their row is still here.
        sessions.filter(pk__in=[session.pk for session in found]).delete()
        yield {"sessions": len(found)}


def _erase_members(client: Client) -> Erased:
    # The owners remain until the last step: they are notified of it.
    return batch.drain(User.objects.filter(client=client).exclude(role=User.Role.OWNER), "users")


def _erase_audit_log(client: Client) -> Erased:
    for _details in batch.drain(HistoryDetail.objects.filter(entry__client=client), "history"):
        yield {}  # An entry and its details are exported, and counted, as one row.
    yield from batch.drain(HistoryEntry.objects.filter(client=client), "history")


def _erase_staff_details(client: Client) -> Erased:
    # The entries remain: they identify nobody, and prove what staff did.
    for erased in staff_log.forget_client(client.pk):
        yield {"staff_history": erased}


TABLES: Final[tuple[StoredTable, ...]] = (
    StoredTable(
        Client,
        "when the account is deleted",
        (
            stored(
                "id",
                CLEAR,
                "random ID",
                f"{REFERENCED}; owns the data key",
                Column("id", _("The account's number"), lambda client: str(client.pk)),
            ),
            stored(
                "state",
                CLEAR,
                "active, suspended, closing or gone",
                "who may sign in",
                _("State: active, suspended, closing or gone"),
            ),
            stored("user_limit", CLEAR, "maximum number of users", "limit", _("Maximum number of users")),
            stored("monthly_quota", CLEAR, "checks per month", "limit", _("Checks per calendar month")),
            stored(
                "needs_second_factor",
                CLEAR,
                "whether all users need two-factor authentication",
                "sign-in",
                _("Whether two-factor authentication is mandatory for all users"),
            ),
            stored(
                "suspended_at", CLEAR, "time, while suspended", "shown to its users", _("Suspended since, if suspended")
            ),
            stored(
                "is_demo",
                CLEAR,
                "created for demonstration",
                "gets no mail",
                _("Whether it was created for demonstration"),
            ),
            stored("created_at", CLEAR, "time", "contract", _("When it was created")),
        ),
        summaries.ACCOUNT,
        Export("account", _("The account itself"), lambda client: Client.objects.filter(pk=client.pk)),
        erase=erased_last,
    ),
    StoredTable(
        User,
        "when the user is removed, or with the account",
        (
            stored(
                "id",
                CLEAR,
                "random ID",
                REFERENCED,
                Column("id", _("User number, as shown in the audit log"), lambda user: str(user.pk)),
            ),
            stored("client", CLEAR, "account", OWNING),
            stored(
                "email",
                CLEAR,
                "e-mail address",
                "sign-in and mail",
                _("E-mail address"),
                summary=summaries.EMAIL_ADDRESSES,
            ),
            stored("password", HASH, "Argon2id of the password", "sign-in", summary=summaries.PASSWORDS),
            stored(
                "sealed_name",
                SEALED,
                "name",
                "how colleagues recognise the user",
                Column("name", _("Name"), details.name),
                summary=summaries.TEXTS,
            ),
            stored("role", CLEAR, "owner or member", "what the user may do", _("owner or sub_user (member)")),
            stored("language", CLEAR, "language", "mails and pages", _("Language of e-mails; empty: browser language")),
            stored("time_zone", CLEAR, "time zone", "pages", _("Time zone of the pages")),
            stored("is_active", CLEAR, "may sign in", "sign-in", _("Whether the user may sign in")),
            stored("is_staff", CLEAR, "works for the operator", _STAFF_ONLY, summary=BOOKKEEPING),
            stored("is_superuser", CLEAR, "may do everything", "never true in production", summary=BOOKKEEPING),
            stored("joined_at", CLEAR, "time", "shown to owners", _("When the user joined")),
            stored(
                "last_login",
                CLEAR,
                "time of the last sign-in",
                "shown to owners; maintained by Django",
                _("When the user last signed in"),
            ),
            stored("groups", CLEAR, "groups of staff", _STAFF_ONLY, summary=BOOKKEEPING),
            stored("user_permissions", CLEAR, "permissions of staff", _STAFF_ONLY, summary=BOOKKEEPING),
        ),
        summaries.USERS,
        Export(
            "users",
            _("People who can sign in"),
            lambda client: User.objects.filter(client=client).order_by("joined_at", "pk"),
        ),
        erase=_erase_members,
    ),
    StoredTable(
        EmailAddress,
        "with the user",
        (
            stored("id", CLEAR, "number", REFERENCED),
            stored("user", CLEAR, "user", OWNING, Column("user", _("User number"), lambda row: str(row.user_id))),
            stored("email", CLEAR, "e-mail address", "sign-in and mail", _("E-mail address")),
            stored(
                "verified", CLEAR, "whether confirmed", "sign-in", _("Whether it has been confirmed from its mailbox")
            ),
            stored("primary", CLEAR, "whether used to sign in", "sign-in", _("Whether the user signs in with it")),
        ),
        summaries.EMAIL_ADDRESSES,
        Export(
            "email_addresses",
            _("E-mail addresses of users and whether they are confirmed"),
            lambda client: EmailAddress.objects.filter(user__client=client).order_by("pk"),
        ),
    ),
    StoredTable(
        EmailConfirmation,
        f"after {CONFIRMATION_RETENTION.days} days; not in use, since addresses are confirmed by codes",
        (
            stored("id", CLEAR, "number", REFERENCED),
            stored(
                "email_address",
                CLEAR,
                "e-mail address",
                OWNING,
                Column("email", _("E-mail address"), lambda row: row.email_address.email),
            ),
            stored("created", CLEAR, "time", "end of the link", _("When it was created")),
            stored("sent", CLEAR, "time", "end of the link", _("When it was sent")),
            stored("key", CLEAR, "random text of the link", "proves who reads the mail", summary=BOOKKEEPING),
        ),
        summaries.EMAIL_ADDRESSES,
        Export(
            "email_confirmations",
            _("E-mails asking to confirm an address that have not been answered yet"),
            lambda client: (
                EmailConfirmation.objects.filter(email_address__user__client=client)
                .select_related("email_address")
                .order_by("pk")
            ),
        ),
    ),
    StoredTable(
        Authenticator,
        "when removed, or with the user",
        (
            stored("id", CLEAR, "number", REFERENCED),
            stored("user", CLEAR, "user", OWNING, Column("user", _("User number"), lambda row: str(row.user_id))),
            stored(
                "type",
                CLEAR,
                "totp, webauthn or recovery_codes",
                "sign-in",
                Column("kind", _("totp, webauthn (passkey) or recovery_codes"), lambda row: str(row.type)),
            ),
            stored("data", SEALED, "secrets sealed; of a passkey, name and public key in clear", "sign-in"),
            stored("created_at", CLEAR, "time", "shown to the user", _("When it was added")),
            stored("last_used_at", CLEAR, "time", "shown to the user", _("When it was last used")),
        ),
        summaries.TWO_FACTOR,
        Export(
            "second_factors",
            _("Users' two-factor methods; their secrets are not in this copy"),
            lambda client: Authenticator.objects.filter(user__client=client).order_by("pk"),
        ),
    ),
    StoredTable(
        UserSession,
        f"when signed out, after {presence.MEMBER.idle // 3600} idle hours, or with the user",
        (
            stored("id", CLEAR, "number", REFERENCED),
            stored("user", CLEAR, "user", OWNING, Column("user", _("User number"), lambda row: str(row.user_id))),
            stored(
                "ip",
                CLEAR,
                "IP address",
                "the user recognises foreign browsers by it",
                Column("address", _("Internet address"), lambda row: row.ip),
            ),
            stored(
                "user_agent",
                CLEAR,
                "how the browser identifies itself",
                "the user recognises foreign browsers by it",
                Column("browser", _("Browser name as reported by the browser"), lambda row: row.user_agent),
            ),
            stored("created_at", CLEAR, "time", "shown to the user", _("Sign-in time")),
            stored(
                "last_seen_at",
                CLEAR,
                f"time, every {presence.MEMBER.noted_every} seconds; of staff every {presence.STAFF.noted_every}",
                "shown to the user",
                _("Last active"),
            ),
            stored("session_key", CLEAR, "random text of the cookie", "ends the session"),
            stored("data", CLEAR, "empty", "allauth's; not in use"),
        ),
        summaries.SESSIONS,
        Export(
            "sessions",
            _("Browsers that are signed in"),
            lambda client: UserSession.objects.filter(user__client=client).order_by("pk"),
        ),
        erase=lambda client: end_sessions(UserSession.objects.filter(user__client=client)),
    ),
    StoredTable(
        Invitation,
        f"when accepted or withdrawn, {INVITATION_RETENTION.days} days after its end, or with the account",
        (
            stored("id", CLEAR, "random ID", "the link names it"),
            stored("client", CLEAR, "account", OWNING),
            stored("email", CLEAR, "e-mail address of the invited person", "mail", _("E-mail address")),
            stored(
                "invited_by",
                CLEAR,
                "user",
                "shown to the invited person",
                Column(
                    "invited_by",
                    _("E-mail address of the person who sent the invitation"),
                    lambda row: email_of(row.invited_by),
                ),
            ),
            stored(
                "nonce", CLEAR, "random value", "makes older links invalid; a link is signed too", summary=BOOKKEEPING
            ),
            stored("sent_at", CLEAR, "time", "shown to owners", _("When the invitation was last sent")),
            stored("expires_at", CLEAR, "time", "end of the link", _("Link valid until")),
        ),
        summaries.EMAIL_ADDRESSES,
        Export(
            "invitations",
            _("Invited people who have not joined"),
            lambda client: (
                Invitation.objects.filter(client=client).select_related("invited_by").order_by("sent_at", "pk")
            ),
        ),
    ),
    StoredTable(
        OwnerRecovery,
        "when carried out or cancelled, or with the account",
        (
            stored("id", CLEAR, "random ID", "the link names it"),
            stored("client", CLEAR, "account", OWNING),
            stored(
                "user",
                CLEAR,
                "user who is to become an owner",
                "whom the request concerns",
                Column("user", _("E-mail address of the user"), lambda row: row.user.email),
            ),
            stored(
                "requested_at",
                CLEAR,
                "time",
                f"it is carried out after {owner_recovery.DELAY.days * 24} hours",
                _("When it was created"),
            ),
        ),
        summaries.ACCOUNT,
        Export(
            "owner_requests",
            _("A request made to us for a user to become an owner"),
            lambda client: OwnerRecovery.objects.filter(client=client).select_related("user"),
        ),
    ),
    StoredTable(
        ContactDetails,
        WITH_THE_ACCOUNT,
        (
            stored("client", CLEAR, "account", OWNING, summary=summaries.ACCOUNT),
            stored(
                "sealed",
                SEALED,
                "company, person, phone, address",
                "contract",
                Column("company", _("Company")),
                Column("organisation_number", _("Organisation number")),
                Column("person", _("Contact person")),
                Column("phone", _("Phone")),
                Column("street", _("Street and number")),
                Column("postcode", _("Postcode")),
                Column("city", _("City")),
                Column("country", _("Country")),
            ),
            stored("changed_at", CLEAR, "time", "shown to owners", summary=summaries.ACCOUNT),
        ),
        summaries.TEXTS,
        Export(
            "contact",
            _("Contact details"),
            lambda client: ContactDetails.objects.filter(client=client),
            _contact,
        ),
    ),
    StoredTable(
        BillingDetails,
        WITH_THE_ACCOUNT,
        (
            stored("client", CLEAR, "account", OWNING, summary=summaries.ACCOUNT),
            stored(
                "sealed",
                SEALED,
                "company, address, VAT number, reference, e-mail address",
                "invoices",
                Column("company", _("Company")),
                Column("street", _("Street and number")),
                Column("postcode", _("Postcode")),
                Column("city", _("City")),
                Column("country", _("Country")),
                Column("vat_number", _("VAT number")),
                Column("reference", _("Your reference")),
                Column("invoice_email", _("E-mail address for invoices")),
            ),
            stored("changed_at", CLEAR, "time", "shown to owners", summary=summaries.ACCOUNT),
        ),
        summaries.TEXTS,
        Export(
            "billing",
            _("Billing details"),
            lambda client: BillingDetails.objects.filter(client=client),
            _billing,
        ),
    ),
    StoredTable(
        ClientNote,
        f"{notes.RETENTION.days // 365} years after it was written, or with the account",
        (
            stored("id", CLEAR, "random ID", REFERENCED),
            stored("client", CLEAR, "account", OWNING),
            stored("author", CLEAR, "member of staff", "whom colleagues ask about it"),
            stored("written_at", CLEAR, "time", "its end", _("When it was written")),
            stored(
                "sealed",
                SEALED,
                "ticket and text",
                "what the next colleague must know",
                Column("ticket", _("Case number")),
                Column("text", _("Text of the note")),
            ),
        ),
        summaries.NOTES,
        Export(
            "notes",
            _("Our staff's notes about the account"),
            lambda client: ClientNote.objects.filter(client=client).order_by("written_at", "pk"),
            notes.opened,
        ),
    ),
    StoredTable(
        UsageDay,
        f"{COUNTED_FOR}, or with the account",
        (
            stored("id", CLEAR, "number", REFERENCED),
            stored("client", CLEAR, "account", OWNING),
            stored("day", CLEAR, "day (UTC)", "billing", _("Day (UTC)")),
            stored("source", CLEAR, "page or API", "billing", _("The channel: page or api")),
            stored("valid", CLEAR, "how many valid IBANs", "billing", _("Valid numbers")),
            stored("invalid", CLEAR, "how many IBANs that are not valid", "billing", _("Invalid numbers")),
            stored(
                "units", CLEAR, "checks counted against the quota", "billing", _("Checks counted against the quota")
            ),
        ),
        summaries.COUNTS,
        Export(
            "usage",
            _("Number of checks made, by day and channel: counts only"),
            lambda client: UsageDay.objects.filter(client=client).order_by("day", "source"),
        ),
    ),
    StoredTable(
        SupportAccess,
        f"after {in_months(unmasking.RETENTION)} months, or with the account",
        (
            stored("id", CLEAR, "random ID", REFERENCED),
            stored("client", CLEAR, "account", OWNING),
            stored(
                "granted_by",
                CLEAR,
                "user",
                "shown to owners",
                Column(
                    "granted_by",
                    _("E-mail address of the person who allowed it, if still known"),
                    lambda row: email_of(row.granted_by),
                ),
            ),
            stored("granted_at", CLEAR, "time", "shown to owners", _("When it was allowed")),
            stored("until", CLEAR, "time", "end of the access", _("Until when")),
            stored("ended_at", CLEAR, "time", "end of the access", _("When an owner ended it early")),
        ),
        summaries.UNMASKINGS,
        Export(
            "support_accesses",
            _("Periods when you let support see your masked details"),
            lambda client: (
                SupportAccess.objects.filter(client=client).select_related("granted_by").order_by("granted_at", "pk")
            ),
        ),
    ),
    StoredTable(
        Unmasking,
        f"after {in_months(unmasking.RETENTION)} months, or with the account",
        (
            stored("id", CLEAR, "random ID, generated with the form", "a form is used once"),
            stored("client", CLEAR, "account", OWNING),
            stored("staff", CLEAR, "member of staff", "who sees the details"),
            stored(
                "groups",
                CLEAR,
                "groups of the member of staff",
                "shown to owners",
                _("Groups of the staff member: support, billing, security"),
            ),
            stored("ticket", CLEAR, "case number", "the reason", _("Case number; empty if you had allowed it")),
            stored(
                "sealed_reason",
                SEALED,
                "the reason in words",
                "shown to owners",
                Column("words", _("The reason as written by our staff"), unmasking.reason_text),
            ),
            stored("access", CLEAR, "the support access that took the place of a reason", "the reason"),
            stored("opened_at", CLEAR, "time", "shown to owners", _("When it began")),
            stored("until", CLEAR, "time", "end of the unmasking", _("When it ends automatically")),
            stored("ended_at", CLEAR, "time", "end of the unmasking", _("When it was ended early")),
        ),
        summaries.UNMASKINGS,
        Export(
            "unmaskings",
            _("When our staff opened your masked details"),
            lambda client: Unmasking.objects.filter(client=client).order_by("opened_at", "pk"),
        ),
    ),
    StoredTable(
        StaffEntry,
        "never: the chain stays complete; of a deleted account it has the random ID, and nothing that ID belonged to",
        (
            stored("id", CLEAR, "number", REFERENCED),
            stored("number", CLEAR, "position in the chain", "order"),
            stored(
                "at",
                CLEAR,
                "time, whole seconds",
                "who did what",
                Column("at", _("When"), lambda row: row.when),
            ),
            stored(
                "tag",
                CLEAR,
                "code of what a member of staff viewed or did",
                "who did what",
                _("Action code"),
                Column("what", _("Description of the action"), lambda row: row.description),
            ),
            stored("actor", CLEAR, "random ID of the member of staff", "who did what"),
            stored("client", CLEAR, "random ID of the account concerned; no relation", "who did what"),
            stored("network", CLEAR, "network of the member of staff's IP address", "from where"),
            stored("detail_hash", HASH, "SHA-256 of the salted details", "proves the details while they exist"),
            stored("previous_hash", HASH, "hash of the previous entry", "chain"),
            stored("hash", HASH, "SHA-256 of the entry", "chain"),
        ),
        summaries.STAFF_LOG,
        Export(
            "staff_history",
            _(
                "What our staff viewed or did in the account; the reasons are deleted with the account, and the "
                "rest identifies nobody"
            ),
            lambda client: staff_log.entries(client=client.pk).order_by("number"),
            lambda _client, rows: staff_log.open_entries(rows),
        ),
        details=StoredTable(
            StaffDetail,
            f"details {in_months(staff_log.DETAILS_RETENTION)} months, or until the account they concern is deleted; "
            f"the full IP address {hash_chain.FULL_IP_ADDRESS_RETENTION.days} days",
            (
                stored("entry", CLEAR, "entry", OWNING),
                stored(
                    "sealed",
                    SEALED,
                    "short texts such as the reason; under a key of the operator's",
                    "who did what",
                    Column("page", _("Name of the page"), lambda row: row.details.get("page", "")),
                    Column("ticket", _("Case number"), lambda row: row.details.get("ticket", "")),
                    Column(
                        "reason", _("The reason as written by our staff"), lambda row: row.details.get("reason", "")
                    ),
                ),
                stored("sealed_address", SEALED, "full IP address of the member of staff", "to investigate misuse"),
            ),
            summaries.STAFF_LOG,
        ),
        erase=_erase_staff_details,
    ),
    StoredTable(
        HistoryEntry,
        WITH_THE_ACCOUNT,
        (
            stored("id", CLEAR, "number", REFERENCED),
            stored("client", CLEAR, "account", OWNING),
            stored("number", CLEAR, "position in the chain", "order", _("Position in the audit log")),
            stored(
                "tag",
                CLEAR,
                "code of the action",
                "who did what",
                _("Action code"),
                Column("what", _("Description of the action"), lambda row: row.description),
            ),
            stored("at", CLEAR, "time, whole seconds", "who did what", Column("at", _("When"), lambda row: row.when)),
            stored(
                "actor",
                CLEAR,
                "the user's random ID",
                "who did what",
                Column("by", _("E-mail address of the person who did it, if still known"), lambda row: row.who),
            ),
            stored(
                "network",
                CLEAR,
                "network of the IP address, /24 or /48",
                "from where",
                _("Network of the IP address, shortened"),
            ),
            stored("detail_hash", HASH, "SHA-256 of the salted details", "proves the details while they exist"),
            stored("previous_hash", HASH, "hash of the previous entry", "chain"),
            stored("hash", HASH, "SHA-256 of the entry", "chain"),
        ),
        summaries.AUDIT_LOG,
        Export(
            "history",
            _("What was done in the account, when and by whom"),
            lambda client: client_log.entries(client).order_by("number"),
            client_log.open_entries,
        ),
        details=StoredTable(
            HistoryDetail,
            f"with its entry; the full IP address after {hash_chain.FULL_IP_ADDRESS_RETENTION.days} days",
            (
                stored("entry", CLEAR, "entry", OWNING, summary=summaries.AUDIT_LOG),
                stored(
                    "sealed_address",
                    SEALED,
                    "full IP address",
                    "to investigate misuse",
                    Column("address", _("Full IP address; stored for seven days")),
                    summary=summaries.AUDIT_IP_ADDRESSES,
                ),
                stored(
                    "sealed",
                    SEALED,
                    "short texts such as an e-mail address",
                    "who did what",
                    Column("details", _("Details")),
                ),
            ),
            summaries.AUDIT_DETAILS,
        ),
        erase=_erase_audit_log,
    ),
    StoredTable(
        Session,
        "when signed out or expired",
        (
            stored("session_key", CLEAR, "random text of the cookie", "finds the session"),
            stored("session_data", SEALED, "who is signed in, and what is in progress", "sign-in"),
            stored("expire_date", CLEAR, "time", "end"),
        ),
        summaries.SESSIONS,
        not_exported="names nobody in clear; deleted with the UserSession of the same key, or when it expires",
    ),
    StoredTable(
        User.groups.through,
        "with the user; staff only",
        (
            stored("id", CLEAR, "number", REFERENCED),
            stored("user", CLEAR, "member of staff", OWNING),
            stored("group", CLEAR, "group of staff", "back-office"),
        ),
        BOOKKEEPING,
        not_exported=_STAFF_ONLY,
    ),
    StoredTable(
        User.user_permissions.through,
        "with the user; staff only",
        (
            stored("id", CLEAR, "number", REFERENCED),
            stored("user", CLEAR, "member of staff", OWNING),
            stored("permission", CLEAR, "permission of staff", "back-office"),
        ),
        BOOKKEEPING,
        not_exported=_STAFF_ONLY,
    ),
    StoredTable(
        StaffLogLock,
        "never: one row",
        (stored("id", CLEAR, "number", "serialises writes to the staff audit log"),),
        BOOKKEEPING,
        not_exported="holds no data",
    ),
    StoredTable(
        Revision,
        "never: one row",
        (
            stored("id", CLEAR, "number", REFERENCED),
            stored("mark", CLEAR, "random value", "tells workers that something changed"),
        ),
        BOOKKEEPING,
        not_exported="holds no data",
    ),
    StoredTable(
        Block,
        f"{blocks.RETENTION_AFTER_END.days} days after its end, or when lifted",
        (
            stored("id", CLEAR, "number", REFERENCED),
            stored("network", CLEAR, "IP address or network", "blocked"),
            stored("reason", CLEAR, "why, in the operator's words", "blocked"),
            stored("created_at", CLEAR, "time", "blocked"),
            stored("expires_at", CLEAR, "time", "end of the block"),
        ),
        summaries.BLOCKED_IP_ADDRESSES,
        not_exported="concerns no account",
    ),
)

IMPERSONAL: Final = {
    "admin.LogEntry": "nothing, ever: what staff do is in their audit log",
    "auth.Permission": "names of permissions of staff",
    "auth.Group": "names of groups of staff",
    "auth.Group_permissions": "permissions of groups of staff",
    "contenttypes.ContentType": "names of tables",
    "accounts.Metric": "counts and sizes by the hour, of the whole service or of one machine",
}
