"""Every field of every table: what it is, in which form, why, and for how long. deploy/data.md is written from this.

For operators, so in English only. A new field fails the tests until it has its row here.
"""

from typing import Final, NamedTuple

from privacy.inventory.fields import ELSEWHERE, How

CLEAR, SEALED, HASH = How.CLEAR, How.SEALED, How.HASH


class Field(NamedTuple):
    """A field of a table."""

    name: str
    line: str
    """The line of kept.LINES that tells of it."""
    how: How
    what: str
    why: str


class Table(NamedTuple):
    """A table of the database."""

    model: str
    """As Django names it: `accounts.User`."""
    until: str
    """When a row goes."""
    fields: tuple[Field, ...]


_WITH_THE_ACCOUNT: Final = "with the account"
_REFERS: Final = "other rows refer to it"
_BELONGS: Final = "says whose the row is"
_ORDER: Final = "order"


def _table(model: str, until: str, *fields: tuple[str, str, How, str, str]) -> Table:
    return Table(model, until, tuple(Field(*field) for field in fields))


TABLES: Final[tuple[Table, ...]] = (
    _table(
        "accounts.Client",
        "when the account is deleted",
        ("id", "account", CLEAR, "random number", f"{_REFERS}; owns the data key"),
        ("state", "account", CLEAR, "active, suspended, closing or gone", "who is let in"),
        ("user_limit", "account", CLEAR, "most users", "limit"),
        ("monthly_quota", "account", CLEAR, "units per month", "limit"),
        ("needs_second_factor", "account", CLEAR, "whether all users need a second factor", "sign-in"),
        ("suspended_at", "account", CLEAR, "time, while suspended", "shown to its users"),
        ("is_demo", "account", CLEAR, "made for demonstration", "mails nobody"),
        ("created_at", "account", CLEAR, "time", "contract"),
    ),
    _table(
        "accounts.User",
        "when the user is removed, or with the account",
        ("id", "users", CLEAR, "random number", _REFERS),
        ("client", "users", CLEAR, "account", _BELONGS),
        ("role", "users", CLEAR, "owner or sub-user", "what the user may do"),
        ("email", "addresses", CLEAR, "e-mail address", "sign-in and mail"),
        ("password", "passwords", HASH, "Argon2id of the password", "sign-in"),
        ("sealed_name", "texts", SEALED, "name", "how colleagues know the user"),
        ("language", "users", CLEAR, "language", "mails and pages"),
        ("time_zone", "users", CLEAR, "time zone", "pages"),
        ("is_active", "users", CLEAR, "may sign in", "sign-in"),
        ("is_staff", ELSEWHERE, CLEAR, "works for the operator", "back-office; never true for a client's user"),
        ("is_superuser", ELSEWHERE, CLEAR, "may do everything", "never true in production"),
        ("joined_at", "users", CLEAR, "time", "shown to owners"),
        ("last_login", "users", CLEAR, "time of the last sign-in", "shown to owners; kept by Django"),
        ("groups", ELSEWHERE, CLEAR, "groups of staff", "back-office; none for a client's user"),
        ("user_permissions", ELSEWHERE, CLEAR, "rights of staff", "back-office; none for a client's user"),
    ),
    _table(
        "accounts.User_groups",
        "with the user; staff only",
        ("id", ELSEWHERE, CLEAR, "number", _REFERS),
        ("user", ELSEWHERE, CLEAR, "member of staff", _BELONGS),
        ("group", ELSEWHERE, CLEAR, "group of staff", "back-office"),
    ),
    _table(
        "accounts.User_user_permissions",
        "with the user; staff only",
        ("id", ELSEWHERE, CLEAR, "number", _REFERS),
        ("user", ELSEWHERE, CLEAR, "member of staff", _BELONGS),
        ("permission", ELSEWHERE, CLEAR, "right of staff", "back-office"),
    ),
    _table(
        "accounts.Invitation",
        "when accepted or withdrawn, 30 days after its end, or with the account",
        ("id", "addresses", CLEAR, "random number", "the link names it"),
        ("client", "addresses", CLEAR, "account", _BELONGS),
        ("email", "addresses", CLEAR, "e-mail address of who is invited", "mail"),
        ("invited_by", "addresses", CLEAR, "user", "shown to who is invited"),
        ("nonce", ELSEWHERE, CLEAR, "random number", "makes older links void; a link is signed as well"),
        ("sent_at", "addresses", CLEAR, "time", "shown to owners"),
        ("expires_at", "addresses", CLEAR, "time", "end of the link"),
    ),
    _table(
        "accounts.OwnerRecovery",
        "when carried out or cancelled, or with the account",
        ("id", "account", CLEAR, "random number", "the link names it"),
        ("client", "account", CLEAR, "account", _BELONGS),
        ("user", "account", CLEAR, "user who is to become an owner", "the deed"),
        ("requested_at", "account", CLEAR, "time", "72 hours pass first"),
    ),
    _table(
        "accounts.ContactDetails",
        _WITH_THE_ACCOUNT,
        ("client", "account", CLEAR, "account", _BELONGS),
        ("sealed", "texts", SEALED, "company, person, phone, address", "contract"),
        ("changed_at", "account", CLEAR, "time", "shown to owners"),
    ),
    _table(
        "accounts.BillingDetails",
        _WITH_THE_ACCOUNT,
        ("client", "account", CLEAR, "account", _BELONGS),
        ("sealed", "texts", SEALED, "company, address, VAT number, reference, e-mail address", "invoices"),
        ("changed_at", "account", CLEAR, "time", "shown to owners"),
    ),
    _table(
        "accounts.ClientNote",
        "two years after it was written, or with the account",
        ("id", "notes", CLEAR, "random number", _REFERS),
        ("client", "notes", CLEAR, "account", _BELONGS),
        ("author", "notes", CLEAR, "member of staff", "whom colleagues ask about it"),
        ("written_at", "notes", CLEAR, "time", "its end"),
        ("sealed", "notes", SEALED, "ticket and text", "what the next colleague must know"),
    ),
    _table(
        "accounts.UsageDay",
        "after 25 months, or with the account",
        ("id", "counts", CLEAR, "number", _REFERS),
        ("client", "counts", CLEAR, "account", _BELONGS),
        ("day", "counts", CLEAR, "day (UTC)", "billing"),
        ("source", "counts", CLEAR, "page or API", "billing"),
        ("valid", "counts", CLEAR, "how many valid numbers", "billing"),
        ("invalid", "counts", CLEAR, "how many numbers that are not valid", "billing"),
        ("units", "counts", CLEAR, "units of the quota", "billing"),
    ),
    _table(
        "accounts.HistoryEntry",
        _WITH_THE_ACCOUNT,
        ("id", "history", CLEAR, "number", _REFERS),
        ("client", "history", CLEAR, "account", _BELONGS),
        ("number", "history", CLEAR, "place in the chain", _ORDER),
        ("tag", "history", CLEAR, "code of the deed", "who did what"),
        ("at", "history", CLEAR, "time, whole seconds", "who did what"),
        ("actor", "history", CLEAR, "the user's random number", "who did what"),
        ("network", "history", CLEAR, "network around the address, /24 or /48", "from where"),
        ("detail_hash", "history", HASH, "SHA-256 of the salted detail", "proves the detail while it is there"),
        ("previous_hash", "history", HASH, "hash of the entry before", "chain"),
        ("hash", "history", HASH, "SHA-256 of the entry", "chain"),
    ),
    _table(
        "accounts.HistoryDetail",
        "with its entry; the full address after 7 days",
        ("entry", "history", CLEAR, "entry", _BELONGS),
        ("sealed", "history_details", SEALED, "short texts such as an e-mail address", "who did what"),
        ("sealed_address", "history_addresses", SEALED, "full address of the caller", "to look into misuse"),
    ),
    _table(
        "accounts.SupportAccess",
        "after 25 months, or with the account",
        ("id", "unmaskings", CLEAR, "random number", _REFERS),
        ("client", "unmaskings", CLEAR, "account", _BELONGS),
        ("granted_by", "unmaskings", CLEAR, "user", "shown to owners"),
        ("granted_at", "unmaskings", CLEAR, "time", "shown to owners"),
        ("until", "unmaskings", CLEAR, "time", "end of the access"),
        ("ended_at", "unmaskings", CLEAR, "time", "end of the access"),
    ),
    _table(
        "accounts.Unmasking",
        "after 25 months, or with the account",
        ("id", "unmaskings", CLEAR, "random number, made with the form", "a form opens one"),
        ("client", "unmaskings", CLEAR, "account", _BELONGS),
        ("staff", "unmaskings", CLEAR, "member of staff", "who sees"),
        ("groups", "unmaskings", CLEAR, "groups of the member of staff", "shown to owners"),
        ("ticket", "unmaskings", CLEAR, "number of a ticket", "the reason"),
        ("sealed_reason", "unmaskings", SEALED, "the reason in words", "shown to owners"),
        ("access", "unmaskings", CLEAR, "the client's leave in place of a reason", "the reason"),
        ("opened_at", "unmaskings", CLEAR, "time", "shown to owners"),
        ("until", "unmaskings", CLEAR, "time", "end of what is seen"),
        ("ended_at", "unmaskings", CLEAR, "time", "end of what is seen"),
    ),
    _table(
        "accounts.StaffEntry",
        "never: the chain stays whole; of a deleted account it knows the random number, and nothing it belonged to",
        ("id", "staff", CLEAR, "number", _REFERS),
        ("number", "staff", CLEAR, "place in the chain", _ORDER),
        ("tag", "staff", CLEAR, "code of what a member of staff looked at or did", "who did what"),
        ("at", "staff", CLEAR, "time, whole seconds", "who did what"),
        ("actor", "staff", CLEAR, "random number of the member of staff", "who did what"),
        ("client", "staff", CLEAR, "random number of the account it concerned; no relation", "who did what"),
        ("network", "staff", CLEAR, "network around the address of the member of staff", "from where"),
        ("detail_hash", "staff", HASH, "SHA-256 of the salted detail", "proves the detail while it is there"),
        ("previous_hash", "staff", HASH, "hash of the entry before", "chain"),
        ("hash", "staff", HASH, "SHA-256 of the entry", "chain"),
    ),
    _table(
        "accounts.StaffDetail",
        "details 25 months, or until the account they concern is deleted; the full address 7 days",
        ("entry", "staff", CLEAR, "entry", _BELONGS),
        ("sealed", "staff", SEALED, "short texts such as the reason; under a key of the operator's", "who did what"),
        ("sealed_address", "staff", SEALED, "full address of the member of staff", "to look into misuse"),
    ),
    _table(
        "accounts.StaffLogLock",
        "never: one row",
        ("id", ELSEWHERE, CLEAR, "number", "entries of staff take turns on it"),
    ),
    _table(
        "guard.Revision",
        "never: one row",
        ("id", ELSEWHERE, CLEAR, "number", _REFERS),
        ("mark", ELSEWHERE, CLEAR, "random number", "tells workers that something changed"),
    ),
    _table(
        "guard.Block",
        "30 days after its end, or when lifted",
        ("id", "blocks", CLEAR, "number", _REFERS),
        ("network", "blocks", CLEAR, "address or network", "kept out"),
        ("reason", "blocks", CLEAR, "why, in the operator's words", "kept out"),
        ("created_at", "blocks", CLEAR, "time", "kept out"),
        ("expires_at", "blocks", CLEAR, "time", "end of the block"),
    ),
    _table(
        "apikeys.ApiKey",
        "25 months after its end, or with the account",
        ("id", "keys", CLEAR, "random number", _REFERS),
        ("client", "keys", CLEAR, "account", _BELONGS),
        ("identifier", "keys", CLEAR, "how the key begins", "finds the key"),
        ("is_test", "keys", CLEAR, "test key", "costs nothing"),
        ("digest", "key_texts", HASH, "HMAC-SHA256 of the key under a pepper", "proves the key"),
        ("pepper", "key_texts", CLEAR, "number of the pepper", "proves the key"),
        ("next_pepper", "key_texts", CLEAR, "number of the pepper that takes its place", "proves the key"),
        ("sealed_name", "texts", SEALED, "name", "how owners know the key"),
        ("scopes", "keys", CLEAR, "what it may do", "limit"),
        ("any_address", "keys", CLEAR, "works from any address", "limit"),
        ("rate_per_minute", "keys", CLEAR, "calls per minute", "limit"),
        ("created_at", "keys", CLEAR, "time", "shown to owners"),
        ("created_by", "keys", CLEAR, "user", "shown to owners"),
        ("expires_at", "keys", CLEAR, "time", "end"),
        ("revoked_at", "keys", CLEAR, "time", "end"),
        ("last_used_on", "keys", CLEAR, "day of the last call", "shown to owners"),
        ("replaced_by", "keys", CLEAR, "the key that replaced it", "rotation"),
        ("warned_days", "keys", CLEAR, "days of the last warning", "no warning twice"),
    ),
    _table(
        "apikeys.AllowedNetwork",
        "when removed, or with its key",
        ("id", "keys", CLEAR, "number", _REFERS),
        ("key", "keys", CLEAR, "key", _BELONGS),
        ("network", "keys", CLEAR, "address or network the key works from", "limit"),
        ("sealed_note", "texts", SEALED, "note", "how owners know the address"),
        ("added_at", "keys", CLEAR, "time", "shown to owners"),
    ),
    _table(
        "apikeys.KeyUsageDay",
        "after 25 months, or with its key",
        ("id", "counts", CLEAR, "number", _REFERS),
        ("key", "counts", CLEAR, "key", _BELONGS),
        ("day", "counts", CLEAR, "day (UTC)", "billing"),
        ("calls", "counts", CLEAR, "how many calls", "billing"),
        ("valid", "counts", CLEAR, "how many valid numbers", "billing"),
        ("invalid", "counts", CLEAR, "how many numbers that are not valid", "billing"),
        ("units", "counts", CLEAR, "units of the quota", "billing"),
    ),
    _table(
        "apikeys.QuotaMonth",
        "after 25 months, or with the account",
        ("id", "counts", CLEAR, "number", _REFERS),
        ("client", "counts", CLEAR, "account", _BELONGS),
        ("month", "counts", CLEAR, "month", "limit"),
        ("taken", "counts", CLEAR, "units taken", "limit"),
    ),
    _table(
        "apikeys.QuotaLease",
        "when the worker gives it back, at its end at the latest",
        ("id", "counts", CLEAR, "number", _REFERS),
        ("holder", "counts", CLEAR, "worker, by the random number of its spool", "limit"),
        ("client", "counts", CLEAR, "account", _BELONGS),
        ("month", "counts", CLEAR, "month", "limit"),
        ("units", "counts", CLEAR, "units held for calls to come", "limit"),
    ),
    _table(
        "privacy.PrivacySettings",
        _WITH_THE_ACCOUNT,
        ("client", "account", CLEAR, "account", _BELONGS),
        ("mode", "account", CLEAR, "off, verdict only or full", "what is kept of checks"),
        ("retention_days", "account", CLEAR, "days", "how long checks are kept"),
        ("covers_older", "account", CLEAR, "holds for earlier checks too", "what is made less"),
        ("changed_at", "account", CLEAR, "time", "shown to owners"),
    ),
    _table(
        "privacy.DataExport",
        "after 30 days, or with the account; the copy itself after 24 hours, or when a new one is asked for",
        ("id", "exports", CLEAR, "random number", f"{_REFERS}; bound to what is sealed"),
        ("client", "exports", CLEAR, "account", _BELONGS),
        ("requested_by", "exports", CLEAR, "user", "shown to owners"),
        ("requested_at", "exports", CLEAR, "time", "the order in which they are made; when it goes"),
        ("state", "exports", CLEAR, "waiting, running, ready, failed or over", "what owners may do"),
        ("problem", "exports", CLEAR, "code of why it failed", "shown to owners"),
        ("sources_done", "exports", CLEAR, "completed parts", "progress"),
        ("rooms", "exports", CLEAR, "parts", "progress"),
        ("rows", "exports", CLEAR, "how many rows", "progress"),
        ("bytes", "exports", CLEAR, "size", "shown to owners"),
        ("attempt", "exports", CLEAR, "how many workers have taken it", "only one makes it"),
        ("heartbeat_at", "exports", CLEAR, "time", "tells whether its worker lives"),
        ("expires_at", "exports", CLEAR, "time", "until when it can be downloaded"),
        ("downloaded_at", "exports", CLEAR, "time of the last download", "shown to owners"),
    ),
    _table(
        "privacy.ClientDocument",
        "when an owner deletes it, or with the account",
        ("id", "documents", CLEAR, "random number", f"{_REFERS}; bound to what is sealed"),
        ("client", "documents", CLEAR, "account", _BELONGS),
        ("requested_by", "documents", CLEAR, "user", "shown to owners"),
        ("made_at", "documents", CLEAR, "time", _ORDER),
        ("made_on", "documents", CLEAR, "date of the document", "shown to owners; limit per day"),
        ("kind", "documents", CLEAR, "agreement or measures", "shown to owners"),
        ("language", "documents", CLEAR, "language", "shown to owners"),
        ("version", "documents", CLEAR, "version of its words", "shown to owners"),
        ("words_index", "documents", HASH, "HMAC-SHA256 of its words", "the same is not made twice"),
        ("sealed_facts", "documents", SEALED, "company it names, fingerprint", "shown to owners"),
        ("sealed_pdf", "documents", SEALED, "the document", "fetched again"),
    ),
    _table(
        "privacy.ContactMessage",
        "after 30 days, or when the operator deletes it",
        (
            "id",
            "messages",
            CLEAR,
            "random number, made with the form",
            "a second click sends nothing twice",
        ),
        ("received_at", "messages", CLEAR, "time", "when it goes"),
        ("subject", "messages", CLEAR, "question, security, privacy, invoice or other", "the right desk"),
        ("sealed", "messages", SEALED, "name, e-mail address, text; under a key of the operator's", "the answer"),
        ("tried_at", "messages", CLEAR, "time of the last attempt to mail it", "no mail twice"),
        ("mailed_at", "messages", CLEAR, "time the mail server took it", "no mail twice"),
    ),
    _table(
        "validation.ValidationRecord",
        "after its last day, 1 to 365 days as the client chose; when an owner deletes it; or with the account",
        ("id", "verdicts", CLEAR, "random number", f"{_REFERS}; bound to what is sealed"),
        ("client", "verdicts", CLEAR, "account", _BELONGS),
        ("at", "verdicts", CLEAR, "time, whole seconds", "the client's log"),
        ("expires_on", "verdicts", CLEAR, "last day", "when it goes"),
        ("source", "verdicts", CLEAR, "page or API", "the client's log"),
        ("key", "verdicts", CLEAR, "API key", "the client's log"),
        ("country", "verdicts", CLEAR, "country of the number", "the client's log"),
        ("is_valid", "verdicts", CLEAR, "result", "the client's log"),
        ("codes", "verdicts", CLEAR, "codes of the reasons", "the client's log"),
        ("sealed", "ibans", SEALED, "IBAN, bank, caller's address; mode full only", "the client's log"),
        ("blind_index", "ibans", HASH, "HMAC-SHA256 of the IBAN; mode full only", "finds or erases one IBAN"),
    ),
    _table(
        "validation.SpoolPosition",
        "with its spool",
        ("spool", ELSEWHERE, CLEAR, "random number of a spool", _REFERS),
        ("position", ELSEWHERE, CLEAR, "bytes that are in the database", "nothing counts twice"),
    ),
    _table(
        "privacy.DeletionRequest",
        "when carried out or cancelled; unconfirmed after 3 days",
        ("id", "deletions", CLEAR, "random number", "links of mails name it, and the ledger"),
        ("client", "deletions", CLEAR, "account", _BELONGS),
        ("scope", "deletions", CLEAR, "what is deleted", "the deed"),
        ("state", "deletions", CLEAR, "requested, confirmed or executing", "the deed"),
        ("requested_by", "deletions", CLEAR, "user", "shown to owners"),
        ("requested_at", "deletions", CLEAR, "time", "shown to owners"),
        ("grace_days", "deletions", CLEAR, "days", "how long it can be cancelled"),
        ("confirmed_at", "deletions", CLEAR, "time", "stands in the receipt"),
        ("due_at", "deletions", CLEAR, "time", "when it is carried out"),
        ("begun_at", "deletions", CLEAR, "time", "the deed"),
        ("until", "deletions", CLEAR, "time", "what is newer stays"),
        ("user", "deletions", CLEAR, "random number of the user who is deleted", "the deed"),
        ("number", "deletions", HASH, "HMAC-SHA256 of the IBAN under the account's key", "the deed"),
        ("erased", "deletions", CLEAR, "how many rows of each table are gone", "stands in the receipt"),
    ),
    _table(
        "privacy.LogCutoff",
        "after 35 days, or with the account",
        ("id", "deletions", CLEAR, "number", _REFERS),
        ("client", "deletions", CLEAR, "account", _BELONGS),
        ("number", "deletions", HASH, "HMAC-SHA256 of the IBAN under the account's key", "which checks"),
        ("until", "deletions", CLEAR, "time", "a check on its way does not come back"),
    ),
    _table(
        "privacy.ErasureReceipt",
        "after 30 days; it names no account",
        ("id", "deletions", CLEAR, "number", _REFERS),
        ("digest", "deletions", HASH, "SHA-256 of the random end of the link", "finds the receipt"),
        ("document", "deletions", CLEAR, "the receipt: counts, times, fingerprint, signature", "can be fetched"),
        ("made_at", "deletions", CLEAR, "time", "end of the link"),
        ("is_compacted", "deletions", CLEAR, "whether the database's files were rewritten since", "bookkeeping"),
    ),
    _table(
        "vault.DataKey",
        "the key when the account is deleted; the rest stays, so that no new key is made",
        ("owner", "data_keys", CLEAR, "the account's number, or one of the operator's", _BELONGS),
        ("number", "data_keys", CLEAR, "number of the data key", "room for exchanging it"),
        ("master_key", "data_keys", CLEAR, "number of the master key", "opens it"),
        ("wrapped", "data_keys", SEALED, "data key, AES-256-GCM under the master key", "seals and opens"),
        ("fingerprint", "data_keys", HASH, "SHA-256 of the data key, shortened", "names it in receipts"),
        ("created_at", "data_keys", CLEAR, "time", "keyring_status"),
        ("destroyed_at", "data_keys", CLEAR, "time", "keyring_status"),
    ),
    _table(
        "account.EmailAddress",
        "with the user",
        ("id", "addresses", CLEAR, "number", _REFERS),
        ("user", "addresses", CLEAR, "user", _BELONGS),
        ("email", "addresses", CLEAR, "e-mail address", "sign-in and mail"),
        ("verified", "addresses", CLEAR, "whether confirmed", "sign-in"),
        ("primary", "addresses", CLEAR, "whether signed in with", "sign-in"),
    ),
    _table(
        "account.EmailConfirmation",
        "after 3 days; not in use, since addresses are confirmed by codes",
        ("id", "addresses", CLEAR, "number", _REFERS),
        ("email_address", "addresses", CLEAR, "e-mail address", _BELONGS),
        ("created", "addresses", CLEAR, "time", "end of the link"),
        ("sent", "addresses", CLEAR, "time", "end of the link"),
        ("key", ELSEWHERE, CLEAR, "random text of the link", "proves who reads the mail"),
    ),
    _table(
        "mfa.Authenticator",
        "when removed, or with the user",
        ("id", "factors", CLEAR, "number", _REFERS),
        ("user", "factors", CLEAR, "user", _BELONGS),
        ("type", "factors", CLEAR, "totp, webauthn or recovery_codes", "sign-in"),
        ("data", "factors", SEALED, "secrets sealed; of a passkey name and public key in clear", "sign-in"),
        ("created_at", "factors", CLEAR, "time", "shown to the user"),
        ("last_used_at", "factors", CLEAR, "time", "shown to the user"),
    ),
    _table(
        "usersessions.UserSession",
        "when signed out, after twelve idle hours, or with the user",
        ("id", "sessions", CLEAR, "number", _REFERS),
        ("user", "sessions", CLEAR, "user", _BELONGS),
        ("created_at", "sessions", CLEAR, "time", "shown to the user"),
        ("ip", "sessions", CLEAR, "address", "the user knows foreign browsers by it"),
        ("last_seen_at", "sessions", CLEAR, "time, every five minutes; of staff every minute", "shown to the user"),
        ("session_key", "sessions", CLEAR, "random text of the cookie", "ends it"),
        ("user_agent", "sessions", CLEAR, "what the browser calls itself", "the user knows foreign browsers by it"),
        ("data", "sessions", CLEAR, "empty", "allauth's; not in use"),
    ),
    _table(
        "sessions.Session",
        "when signed out or expired",
        ("session_key", "sessions", CLEAR, "random text of the cookie", "finds the session"),
        ("session_data", "sessions", SEALED, "who is signed in, and what is under way", "sign-in"),
        ("expire_date", "sessions", CLEAR, "time", "end"),
    ),
)

WITHOUT_PEOPLE: Final = {
    "admin.LogEntry": "nothing, ever: what staff do is in their history",
    "auth.Permission": "names of rights of staff",
    "auth.Group": "names of groups of staff",
    "auth.Group_permissions": "rights of groups of staff",
    "contenttypes.ContentType": "names of tables",
    "accounts.Metric": "counts and sizes by the hour, of the whole service or of one machine, for 90 days",
}
"""Tables that tell of nobody, and what is in them."""

PLACES: Final = (
    ("the spool (IBANSE_SPOOL_DIR)", "counts and log rows on their way to the database, sealed already", "seconds"),
    ("copies of clients' data (IBANSE_EXPORT_DIR)", "everything about a client, sealed with its data key", "24 hours"),
    ("the ledger of deletions (IBANSE_LEDGER)", "salted hashes of random numbers, what was deleted, times", "always"),
    ("IBANSE_DATA_DIR, embedded only", "the secrets and, with the demo, its logins; mode 0600", "until removed"),
    ("IBANSE_EXPORT_DIR", "copies of a client's data, sealed", "24 hours after they are ready"),
    (
        "the cache (Redis; embedded: memory)",
        "counters of limits by address, user, mailbox (hashed) or key",
        "one day at most",
    ),
    (
        "the cache (Redis; embedded: memory)",
        "that a mailed code is due for a mailbox, by its keyed hash",
        "30 days at most",
    ),
    (
        "the log of the processes (IBANSE_LOG_DIR)",
        "errors, with IBANs, keys and e-mail addresses masked, sealed to an operator's key that is elsewhere",
        "30 days",
    ),
    (
        "standard error, so mostly the journal",
        "of errors time, kind and place in the code; all, masked, when the log is not sealed",
        "as the machine keeps it",
    ),
)
"""What is kept beside the databases: where, what, how long."""


def as_markdown() -> str:
    """Return deploy/data.md."""
    lines = [
        "# What is kept, field by field",
        "",
        "Written by `manage.py describe_data` from `privacy/inventory/tables.py`;",
        "a test compares it with the models, and",
        "the table on *Settings → Security and privacy* is made from the same source. *sealed*: AES-256-GCM under the",
        "account's own data key, which lies in the keyring; *hash*: nothing can be read from it; *clear*: as it is.",
    ]
    for table in TABLES:
        lines += ["", f"## {table.model}", "", f"Kept: {table.until}.", ""]
        lines += ["| field | what it is | form | why |", "|---|---|---|---|"]
        lines += [f"| {field.name} | {field.what} | {field.how} | {field.why} |" for field in table.fields]
    lines += ["", "## Tables that tell of nobody", "", "| table | what is in it |", "|---|---|"]
    lines += [f"| {model} | {what} |" for model, what in WITHOUT_PEOPLE.items()]
    lines += ["", "## Beside the databases", "", "| where | what | how long |", "|---|---|---|"]
    lines += [f"| {where} | {what} | {until} |" for where, what, until in PLACES]
    return "\n".join(lines) + "\n"
