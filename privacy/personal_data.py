"""What privacy holds of a client: what it has decided about its log of checks."""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from django.db.models import Model
from django.utils.translation import gettext_lazy as _

from accounts.models import Client
from privacy import reduction
from privacy.models import PrivacySettings
from privacy.tables import Shelf, Table, plain, time

HOLDS: Final[tuple[type[Model], ...]] = (PrivacySettings,)

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
)


def count(client: Client) -> dict[str, int]:
    """Return how many rows each table that `export` yields has, by its name."""
    return {shelf.name: shelf.rows(client).count() for shelf in SHELVES}


def export(client: Client) -> Iterator[Table]:
    """Yield what privacy holds of a client."""
    return (shelf.table(client) for shelf in SHELVES)


def prune(now: datetime) -> dict[str, int]:  # noqa: ARG001 - the settings stay as long as the account
    """Finish what owners have wished about records of before their choice; the settings themselves stay."""
    return {"reduced checks": reduction.finish()}
