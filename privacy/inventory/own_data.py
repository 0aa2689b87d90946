"""What privacy stores about a client: its logging settings, data exports, documents and deletions."""

from dataclasses import replace
from datetime import datetime
from typing import Final

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from accounts.models import Client
from accounts.personal_data import summaries
from accounts.personal_data.declaration import (
    CLEAR,
    HASH,
    SEALED,
    Erased,
    Export,
    PersonalDataSource,
    StorageSummary,
    StoredTable,
    erased_last,
    stored,
)
from accounts.personal_data.schema import Column
from accounts.personal_data.tables import OWNING, REFERENCED, WITH_THE_ACCOUNT, email_of
from privacy import legal
from privacy.check_logging import cutoff, reduction
from privacy.contact import messages
from privacy.deletion import receipts, requesting
from privacy.export import exports
from privacy.models import (
    ClientDocument,
    ContactMessage,
    DataExport,
    DeletionRequest,
    ErasureReceipt,
    LogCutoff,
    PrivacySettings,
)
from privacy.vault.models import DataKey

_OFFERED_HOURS: Final = exports.OFFERED_FOR.days * 24

_EXPORTS: Final = StorageSummary(
    _("Copies of your data: who requested one and when, its size, when it was last downloaded"),
    _("Not encrypted; the copy itself is encrypted on our disk."),
    format_lazy(
        _("{days} days; the copy itself for {hours} hours."), days=exports.RETENTION.days, hours=_OFFERED_HOURS
    ),
    frozenset({CLEAR}),
)
_DELETIONS: Final = StorageSummary(
    _(
        "Deletions: what was requested, by whom, and up to when the check log was deleted; deletion "
        "receipts, which identify nobody"
    ),
    _("Not encrypted; if a single IBAN is deleted, it is stored as a keyed hash (HMAC-SHA256)."),
    format_lazy(
        _(
            "Until carried out or cancelled; the note that part of the check log was deleted for {cutoff_days} days, "
            "receipts for {receipt_days} days."
        ),
        cutoff_days=cutoff.RETENTION.days,
        receipt_days=receipts.LINK_VALID.days,
    ),
    frozenset({CLEAR, HASH}),
)
_DOCUMENTS: Final = StorageSummary(
    _("Documents issued to you: which one, when, in which version and language, who requested it"),
    _("Not encrypted; the document itself and the company it names are encrypted."),
    _("Until you delete them."),
    frozenset({SEALED, CLEAR, HASH}),
)
_DATA_KEYS: Final = StorageSummary(
    _("The key that encrypts all this"),
    _("Encrypted with a master key, in a database separate from the data it encrypts."),
    _("As long as the account exists; when the key is destroyed, nothing encrypted with it can be read."),
    frozenset({SEALED, CLEAR, HASH}),
)
_MESSAGES: Final = StorageSummary(
    _("Messages sent to us through the contact page: name, e-mail address and text"),
    _("Encrypted with our own key, and e-mailed to us. Subject and time are not encrypted. Not linked to any account."),
    format_lazy(_("{days} days; the e-mail for as long as we keep it."), days=messages.RETENTION.days),
    frozenset({SEALED, CLEAR}),
)


_REQUESTED_BY: Final = Column(
    "requested_by",
    _("E-mail address of the person who requested it, if still known"),
    lambda row: email_of(row.requested_by),
)


TABLES: Final[tuple[StoredTable, ...]] = (
    StoredTable(
        PrivacySettings,
        WITH_THE_ACCOUNT,
        (
            stored("client", CLEAR, "account", OWNING),
            stored(
                "mode", CLEAR, "off, verdict only or full", "what is stored about checks", _("off, verdict or full")
            ),
            stored("retention_days", CLEAR, "days", "how long checks are stored", _("Number of days it is stored")),
            stored("covers_older", CLEAR, "applies to earlier checks too", "which records are reduced"),
            stored("changed_at", CLEAR, "time", "shown to owners", _("When this was decided")),
        ),
        summaries.ACCOUNT,
        Export(
            "privacy_settings",
            _("What is stored about checks; if there is no row, the settings of a new account apply"),
            lambda client: PrivacySettings.objects.filter(client=client),
        ),
    ),
    StoredTable(
        DataExport,
        f"after {exports.RETENTION.days} days, or with the account; "
        f"the copy itself after {_OFFERED_HOURS} hours, or when a new one is requested",
        (
            stored("id", CLEAR, "random ID", f"{REFERENCED}; part of what is sealed"),
            stored("client", CLEAR, "account", OWNING),
            stored(
                "requested_at",
                CLEAR,
                "time",
                "the order in which they are created; when the row is deleted",
                _("When it was requested"),
            ),
            stored(
                "requested_by",
                CLEAR,
                "user",
                "shown to owners",
                _REQUESTED_BY,
            ),
            stored(
                "state",
                CLEAR,
                "waiting, running, ready, failed or over",
                "what owners may do",
                _("waiting, running, ready, failed or over"),
            ),
            stored("problem", CLEAR, "code of why it failed", "shown to owners"),
            stored("sources_done", CLEAR, "sources that are exported", "progress"),
            stored("sources", CLEAR, "sources in all", "progress"),
            stored("rows", CLEAR, "how many rows", "progress", _("Rows")),
            stored("bytes", CLEAR, "size", "shown to owners", _("Size of the zip in bytes")),
            stored("attempt", CLEAR, "how many workers have taken it", "only one creates it"),
            stored("heartbeat_at", CLEAR, "time", "tells whether its worker is alive"),
            stored("expires_at", CLEAR, "time", "until when it can be downloaded", _("Available for download until")),
            stored(
                "downloaded_at",
                CLEAR,
                "time of the last download",
                "shown to owners",
                _("When it was last downloaded"),
            ),
        ),
        _EXPORTS,
        Export(
            "data_exports",
            format_lazy(
                _("Copies such as this one that were requested in the last {days} days"), days=exports.RETENTION.days
            ),
            lambda client: (
                DataExport.objects.filter(client=client).select_related("requested_by").order_by("requested_at", "pk")
            ),
        ),
    ),
    StoredTable(
        DeletionRequest,
        f"when carried out or cancelled; unconfirmed after {requesting.LINK_VALID.days} days",
        (
            stored("id", CLEAR, "random ID", "mailed links and the ledger name it"),
            stored("client", CLEAR, "account", OWNING),
            stored(
                "scope",
                CLEAR,
                "what is deleted",
                "the deletion",
                _("account, log, contact, billing, user or number (one IBAN)"),
            ),
            stored(
                "state",
                CLEAR,
                "requested, confirmed or executing",
                "the deletion",
                _("requested, confirmed or executing"),
            ),
            stored(
                "requested_by",
                CLEAR,
                "user",
                "shown to owners",
                _REQUESTED_BY,
            ),
            stored("requested_at", CLEAR, "time", "shown to owners", _("When it was requested")),
            stored("grace_days", CLEAR, "days", "how long it can be cancelled"),
            stored("confirmed_at", CLEAR, "time", "part of the receipt", _("When it was confirmed by e-mail")),
            stored("due_at", CLEAR, "time", "when it is carried out", _("When it is carried out")),
            stored("begun_at", CLEAR, "time", "the deletion"),
            stored("until", CLEAR, "time", "newer rows remain"),
            stored("user", CLEAR, "random ID of the user who is deleted", "the deletion"),
            stored("iban_index", HASH, "HMAC-SHA256 of the IBAN under the account's key", "the deletion"),
            stored("erased", CLEAR, "how many rows of each table were deleted", "part of the receipt"),
        ),
        _DELETIONS,
        Export(
            "deletions",
            _("Deletions that have been requested but not yet carried out"),
            lambda client: (
                DeletionRequest.objects.filter(client=client)
                .select_related("requested_by")
                .order_by("requested_at", "pk")
            ),
        ),
        erase=erased_last,
    ),
    StoredTable(
        LogCutoff,
        f"after {cutoff.RETENTION.days} days, or with the account",
        (
            stored("id", CLEAR, "number", REFERENCED),
            stored("client", CLEAR, "account", OWNING),
            stored(
                "iban_index",
                HASH,
                "HMAC-SHA256 of the IBAN under the account's key",
                "which checks",
                Column("of", _("all, or number: one IBAN"), lambda row: "number" if row.iban_index else "all"),
            ),
            stored(
                "until",
                CLEAR,
                "time",
                "a check that is still being written does not reappear",
                _("Cut-off time (newer records are retained)"),
            ),
        ),
        _DELETIONS,
        Export(
            "log_cutoffs",
            format_lazy(
                _("Up to when checks were deleted from the check log in the last {days} days"),
                days=cutoff.RETENTION.days,
            ),
            lambda client: LogCutoff.objects.filter(client=client).order_by("until", "pk"),
        ),
    ),
    StoredTable(
        ClientDocument,
        "when an owner deletes it, or with the account",
        (
            stored("id", CLEAR, "random ID", f"{REFERENCED}; part of what is sealed"),
            stored("client", CLEAR, "account", OWNING),
            stored(
                "made_at",
                CLEAR,
                "time",
                "order",
                Column("made_at", _("When it was created"), lambda row: row.row.made_at),
            ),
            stored("made_on", CLEAR, "date of the document", "shown to owners; limit per day"),
            stored(
                "kind",
                CLEAR,
                "agreement or measures",
                "shown to owners",
                Column("kind", _("agreement or measures"), lambda row: row.row.kind),
            ),
            stored(
                "version",
                CLEAR,
                "version of its text",
                "shown to owners",
                Column("version", _("Version of its text"), lambda row: row.row.version),
            ),
            stored(
                "language",
                CLEAR,
                "language",
                "shown to owners",
                Column("language", _("Language"), lambda row: row.row.language),
            ),
            stored("words_index", HASH, "HMAC-SHA256 of its text", "the same document is not created twice"),
            stored(
                "sealed_facts",
                SEALED,
                "company it names, fingerprint",
                "shown to owners",
                Column("company", _("Company it was issued to"), lambda row: row.facts.company),
                Column("fingerprint", _("Its fingerprint"), lambda row: row.facts.fingerprint),
            ),
            stored("sealed_pdf", SEALED, "the document", "downloaded again"),
            stored(
                "requested_by",
                CLEAR,
                "user",
                "shown to owners",
                replace(_REQUESTED_BY, read=lambda row: email_of(row.row.requested_by)),
            ),
        ),
        _DOCUMENTS,
        Export(
            "documents",
            _("Documents issued to you; the PDF files themselves are on the Documents page in the settings"),
            lambda client: (
                ClientDocument.objects.filter(client=client)
                .select_related("requested_by")
                .defer("sealed_pdf")
                .order_by("made_at", "pk")
            ),
            lambda _client, rows: map(legal.opened, rows),
        ),
    ),
    StoredTable(
        ErasureReceipt,
        f"after {receipts.LINK_VALID.days} days; it names no account",
        (
            stored("id", CLEAR, "number", REFERENCED),
            stored("digest", HASH, "SHA-256 of the random end of the link", "finds the receipt"),
            stored("document", CLEAR, "the receipt: counts, times, fingerprint, signature", "can be downloaded"),
            stored("made_at", CLEAR, "time", "end of the link"),
            stored("is_compacted", CLEAR, "whether the database's files were rewritten since", "bookkeeping"),
        ),
        _DELETIONS,
        not_exported="identifies nobody; owners get it by a link",
    ),
    StoredTable(
        DataKey,
        "the key when the account is deleted; the rest stays, so that no new key is created",
        (
            stored("owner", CLEAR, "the account's ID, or one of the operator's", OWNING),
            stored("number", CLEAR, "version of the data key", "allows replacing it"),
            stored("master_key", CLEAR, "version of the master key", "unwraps it"),
            stored("wrapped", SEALED, "data key, AES-256-GCM under the master key", "encrypts and decrypts"),
            stored("fingerprint", HASH, "SHA-256 of the data key, shortened", "names it in receipts"),
            stored("created_at", CLEAR, "time", "keyring_status"),
            stored("destroyed_at", CLEAR, "time", "keyring_status"),
        ),
        _DATA_KEYS,
        not_exported="a secret, in a database of its own; destroyed before anything else when an account is deleted",
    ),
    StoredTable(
        ContactMessage,
        f"after {messages.RETENTION.days} days, or when the operator deletes it",
        (
            stored("id", CLEAR, "random ID, generated with the form", "a second click sends nothing twice"),
            stored("received_at", CLEAR, "time", "when it is deleted"),
            stored("subject", CLEAR, "question, security, privacy, invoice or other", "reaches the right person"),
            stored("sealed", SEALED, "name, e-mail address, text; under a key of the operator's", "the reply"),
            stored("tried_at", CLEAR, "time of the last attempt to mail it", "not mailed twice"),
            stored("mailed_at", CLEAR, "time the mail server accepted it", "not mailed twice"),
        ),
        _MESSAGES,
        not_exported="linked to no account",
    ),
)


class PrivacyData(PersonalDataSource):
    """Everything but the deletion in progress is erased here; that goes with the client's row, in the last step."""

    tables = TABLES

    def erase(self, client: Client) -> Erased:
        """Remove the files of data exports before their rows, so that a crash leaves no file that no row names."""
        exports.remove_all(client)
        yield from super().erase(client)

    def prune(self, now: datetime) -> dict[str, int]:
        """Delete what is past its retention, and finish reducing older records as owners have decided."""
        return {
            "copies": exports.prune(now),
            "reduced checks": reduction.finish(),
            "contact messages": messages.forget_old(now),
            "unconfirmed deletions": requesting.forget_unconfirmed(now),
            "receipts": receipts.forget_old(now),
            "lines of deleted logs": cutoff.forget_old(now),
        }
