"""What privacy holds of a client: what it has decided about its log of checks, and the copies it has asked for."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Final

from django.db.models import Model
from django.utils.translation import gettext_lazy as _

from accounts import batch
from accounts.models import Client
from accounts.personal_data.schema import Column, ExportTable, Table, moment, plain, time
from privacy import legal
from privacy.check_logging import cutoff, reduction
from privacy.contact import messages
from privacy.deletion import receipts, requesting
from privacy.export import exports as copies
from privacy.legal import Document
from privacy.models import ClientDocument, DataExport, DeletionRequest, LogCutoff, PrivacySettings

HOLDS: Final[tuple[type[Model], ...]] = (PrivacySettings, DataExport, ClientDocument, DeletionRequest, LogCutoff)


def _who(row: DataExport | ClientDocument | DeletionRequest) -> str:
    return row.requested_by.email if row.requested_by else ""


def _documents(_client: Client, rows: list[ClientDocument]) -> Iterable[Document]:
    return map(legal.opened, rows)


EXPORT_TABLES: Final = (
    ExportTable(
        "privacy_settings",
        _("What is stored about checks; if there is no row, the settings of a new account apply"),
        lambda client: PrivacySettings.objects.filter(client=client),
        (
            plain("mode", _("off, verdict or full")),
            plain("retention_days", _("Number of days it is stored")),
            time("changed_at", _("When this was decided")),
        ),
    ),
    ExportTable(
        "data_exports",
        _("Copies such as this one that were requested in the last 30 days"),
        lambda client: (
            DataExport.objects.filter(client=client).select_related("requested_by").order_by("requested_at", "pk")
        ),
        (
            time("requested_at", _("When it was requested")),
            Column("requested_by", _("E-mail address of the person who requested it, if still known"), _who),
            plain("state", _("waiting, running, ready, failed or over")),
            plain("rows", _("Rows")),
            plain("bytes", _("Size of the zip in bytes")),
            time("expires_at", _("Available for download until")),
            time("downloaded_at", _("When it was last downloaded")),
        ),
    ),
    ExportTable(
        "deletions",
        _("Deletions that have been requested but not yet carried out"),
        lambda client: (
            DeletionRequest.objects.filter(client=client).select_related("requested_by").order_by("requested_at", "pk")
        ),
        (
            plain("scope", _("account, log, contact, billing, user or number (one IBAN)")),
            plain("state", _("requested, confirmed or executing")),
            Column("requested_by", _("E-mail address of the person who requested it, if still known"), _who),
            time("requested_at", _("When it was requested")),
            time("confirmed_at", _("When it was confirmed by e-mail")),
            time("due_at", _("When it is carried out")),
        ),
    ),
    ExportTable(
        "log_cutoffs",
        _("Up to when checks were deleted from the check log in the last 35 days"),
        lambda client: LogCutoff.objects.filter(client=client).order_by("until", "pk"),
        (
            Column("of", _("all, or number: one IBAN"), lambda row: "number" if row.number else "all"),
            time("until", _("Cut-off time (newer records are retained)")),
        ),
    ),
    ExportTable(
        "documents",
        _("Documents issued to you; the PDF files themselves are on the Documents page in the settings"),
        lambda client: (
            ClientDocument.objects.filter(client=client)
            .select_related("requested_by")
            .defer("sealed_pdf")
            .order_by("made_at", "pk")
        ),
        (
            Column("made_at", _("When it was created"), lambda document: moment(document.row.made_at)),
            Column("kind", _("agreement or measures"), lambda document: document.row.kind),
            Column("version", _("Version of its text"), lambda document: document.row.version),
            Column("language", _("Language"), lambda document: document.row.language),
            Column("company", _("Company it was issued to"), lambda document: document.facts.company),
            Column("fingerprint", _("Its fingerprint"), lambda document: document.facts.fingerprint),
            Column(
                "requested_by",
                _("E-mail address of the person who requested it, if still known"),
                lambda document: _who(document.row),
            ),
        ),
        _documents,
    ),
)


def count(client: Client) -> dict[str, int]:
    """Return how many rows each table that `export` yields has, by its name."""
    return {table.name: table.rows(client).count() for table in EXPORT_TABLES}


def export(client: Client) -> Iterator[Table]:
    """Yield what privacy holds of a client."""
    return (table.table(client) for table in EXPORT_TABLES)


def erase(client: Client) -> Iterator[dict[str, int]]:
    """Delete all but the deletion that is at work, at most 1,000 rows at each step; yield how many of which table.

    The files of copies go before their rows, so that a crash leaves none that nobody knows of.
    """
    copies.remove_all(client)
    yield from batch.drain(DataExport.objects.filter(client=client), "data_exports")
    yield from batch.drain(ClientDocument.objects.filter(client=client), "documents")
    yield from batch.drain(PrivacySettings.objects.filter(client=client), "privacy_settings")
    yield from batch.drain(LogCutoff.objects.filter(client=client), "log_cutoffs")


def prune(now: datetime) -> dict[str, int]:
    """End copies that were offered long enough, finish what owners have wished about older records, forget messages.

    The settings themselves stay as long as the account.
    """
    return {
        "copies": copies.prune(now),
        "reduced checks": reduction.finish(),
        "contact messages": messages.forget_old(now),
        "unconfirmed deletions": requesting.forget_unconfirmed(now),
        "receipts": receipts.forget_old(now),
        "lines of deleted logs": cutoff.forget_old(now),
    }
