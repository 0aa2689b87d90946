"""What privacy holds of a client: what it has decided about its log of checks, and the copies it has asked for."""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from django.db.models import Model
from django.utils.translation import gettext_lazy as _

from accounts.models import Client
from privacy import contact, reduction
from privacy import export as copies
from privacy.models import DataExport, PrivacySettings
from privacy.tables import Column, Shelf, Table, plain, time

HOLDS: Final[tuple[type[Model], ...]] = (PrivacySettings, DataExport)


def _who(row: DataExport) -> str:
    return row.requested_by.email if row.requested_by else ""


SHELVES: Final = (
    Shelf(
        "privacy_settings",
        _("What is kept of checks; without a row, what a new account has"),
        lambda client: PrivacySettings.objects.filter(client=client),
        (
            plain("mode", _("off, verdict or full")),
            plain("retention_days", _("For how many days")),
            time("changed_at", _("When it was decided")),
        ),
    ),
    Shelf(
        "data_exports",
        _("Copies such as this one that were asked for in the last 30 days"),
        lambda client: (
            DataExport.objects.filter(client=client).select_related("requested_by").order_by("requested_at", "pk")
        ),
        (
            time("requested_at", _("When it was asked for")),
            Column("requested_by", _("E-mail address of who asked for it, if still known"), _who),
            plain("state", _("waiting, running, ready, failed or over")),
            plain("rows", _("Rows")),
            plain("bytes", _("Size of the zip in bytes")),
            time("expires_at", _("Until when it can be downloaded")),
            time("downloaded_at", _("When it was downloaded last")),
        ),
    ),
)


def count(client: Client) -> dict[str, int]:
    """Return how many rows each table that `export` yields has, by its name."""
    return {shelf.name: shelf.rows(client).count() for shelf in SHELVES}


def export(client: Client) -> Iterator[Table]:
    """Yield what privacy holds of a client."""
    return (shelf.table(client) for shelf in SHELVES)


def prune(now: datetime) -> dict[str, int]:
    """End copies that were offered long enough, finish what owners have wished about older records, forget messages.

    The settings themselves stay as long as the account.
    """
    return {
        "copies": copies.prune(now),
        "reduced checks": reduction.finish(),
        "contact messages": contact.forget_old(now),
    }
