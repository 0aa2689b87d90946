"""Check records as personal data: exported with the client, erased, pruned, and reduced when owners decide so."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from django.db import transaction
from django.db.models import DateTimeField, ExpressionWrapper, F, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts import batch
from accounts.models import Client
from accounts.personal_data.declaration import (
    BOOKKEEPING,
    CLEAR,
    HASH,
    SEALED,
    Erased,
    Export,
    StorageSummary,
    StoredTable,
    stored,
)
from accounts.personal_data.schema import Column
from accounts.personal_data.tables import OWNING, REFERENCED
from privacy.check_logging import mode
from privacy.inventory.registry import CheckRecordSource
from privacy.models import LEAST_DAYS, MOST_DAYS, Mode
from validation.models import SpoolPosition, ValidationRecord
from validation.records import store
from validation.records.search import RecordFilter

if TYPE_CHECKING:
    from uuid import UUID

_UNTIL: Final = _("The number of days you have chosen.")
_RESULTS: Final = StorageSummary(
    _("Check log: time, source, API key, country, result and reason codes"),
    _("Not encrypted. Not stored when logging is off."),
    _UNTIL,
    frozenset({CLEAR}),
)
_IBANS: Final = StorageSummary(
    _("Check log: IBAN, bank, IP address of the caller"),
    _(
        "Encrypted with your company's own key (AES-256-GCM); found by a keyed hash (HMAC-SHA256). "
        "Only stored in full mode."
    ),
    _UNTIL,
    frozenset({SEALED, HASH}),
)


class _OpenedRecord:
    """A record whose sealed fields are decrypted once for all columns."""

    def __init__(self, record: ValidationRecord) -> None:
        self.record = record
        self.sealed = store.open_sealed(record.client_id, record.pk, record.sealed)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.record, name)


def _sealed(name: str, about: object) -> Column:
    return Column(name, about, lambda row: getattr(row.sealed, name) if row.sealed else None)


TABLES: Final[tuple[StoredTable, ...]] = (
    StoredTable(
        ValidationRecord,
        f"after its last day, {LEAST_DAYS} to {MOST_DAYS} days as the client chose; when an owner deletes it; or with "
        "the account",
        (
            stored("id", CLEAR, "random ID", f"{REFERENCED}; part of what is sealed"),
            stored("client", CLEAR, "account", OWNING),
            stored("at", CLEAR, "time, whole seconds", "the client's check log", _("When")),
            stored("expires_on", CLEAR, "last day", "when it is deleted", _("The last day on which it is stored")),
            stored("source", CLEAR, "page or API", "the client's check log", _("The channel: page or api")),
            stored(
                "key",
                CLEAR,
                "API key",
                "the client's check log",
                Column(
                    "key",
                    _("The beginning of the key that was used"),
                    lambda row: row.key.prefix if row.key else None,
                ),
            ),
            stored(
                "country", CLEAR, "country of the IBAN", "the client's check log", _("Country code; empty if unknown")
            ),
            stored("is_valid", CLEAR, "result", "the client's check log", _("Whether the number is valid")),
            stored("codes", CLEAR, "reason codes", "the client's check log", _("Reason codes")),
            stored(
                "sealed",
                SEALED,
                "IBAN, bank, caller's IP address; mode full only",
                "the client's check log",
                _sealed("iban", _("IBAN; empty unless it was stored, as are all the fields that follow")),
                _sealed("bank_code", _("Bank code")),
                _sealed("bic", _("BIC of the bank")),
                _sealed("address", _("IP address of the caller")),
                summary=_IBANS,
            ),
            stored(
                "blind_index",
                HASH,
                "HMAC-SHA256 of the IBAN; mode full only",
                "finds or erases one IBAN",
                summary=_IBANS,
            ),
        ),
        _RESULTS,
        Export(
            "checks",
            _("The check log, as far as logging was chosen"),
            lambda client: ValidationRecord.objects.filter(client=client).select_related("key").order_by("at", "pk"),
            lambda _client, rows: map(_OpenedRecord, rows),
        ),
        erase=lambda client: _erase_records(client, RecordFilter()),
    ),
    StoredTable(
        SpoolPosition,
        "with its spool",
        (
            stored("spool", CLEAR, "random ID of a spool", REFERENCED),
            stored("position", CLEAR, "bytes that are in the database", "nothing is counted twice"),
        ),
        BOOKKEEPING,
        not_exported="concerns no account",
    ),
)


def _erase_records(client: Client, selected: RecordFilter) -> Erased:
    for rows in store.erase_in_chunks(client, selected):
        yield {"checks": rows}


class CheckRecordData(CheckRecordSource):
    """The check log."""

    tables = TABLES

    def prune(self, now: datetime) -> dict[str, int]:
        """Delete the records whose last day (UTC) is over."""
        over = ValidationRecord.objects.filter(expires_on__lt=now.astimezone(UTC).date())
        return {"checks": batch.delete(over)}

    def erase_log(self, client: Client, *, until: datetime, iban_index: bytes | None = None) -> Erased:
        """Delete the records up to this second, of one IBAN (by its blind index) or of all."""
        return _erase_records(client, RecordFilter(until=until + timedelta(seconds=1), iban_index=iban_index))

    def erase_selected(
        self, client: Client, selected: Mapping[str, str], *, until: datetime, iban_index: bytes | None = None
    ) -> Erased:
        """Delete again the records that a filter of the ledger selects, up to this second.

        Raises ValueError for a filter that selects nothing.
        """
        return _erase_records(
            client, RecordFilter.from_ledger(selected, iban_index).before(until + timedelta(seconds=1))
        )

    def logged(self, client: Client) -> dict[Mode, int]:
        """Return how many records the client has, by how much each of them contains."""
        records = ValidationRecord.objects.filter(client=client)
        full = records.exclude(blind_index=None).count()
        return {Mode.VERDICT: records.count() - full, Mode.FULL: full}

    def excess(self, client: Client, choice: mode.Choice) -> int:
        """Return how many records would not exist, not as long, or not with as much in them, under `choice`."""
        records = ValidationRecord.objects.filter(client=client)
        if choice.mode == Mode.OFF:
            return records.count()
        too_long = _too_long(records, choice.days)
        if choice.mode == Mode.FULL:
            return too_long.count()
        return (too_long | records.exclude(blind_index=None)).count()

    def reduce(self, client: Client, choice: mode.Choice) -> int:
        """Reduce at most 1,000 records to what `choice` would have stored; return how many, 0 when none is left."""
        records = ValidationRecord.objects.filter(client=client)
        if choice.mode == Mode.OFF:
            return batch.one(records, {})
        over = timezone.now().astimezone(UTC).date() - timedelta(days=choice.days)
        if deleted := batch.one(records.filter(at__lt=datetime.combine(over, datetime.min.time(), UTC)), {}):
            return deleted
        blanked = batch.one(records.exclude(blind_index=None), _BLANK) if choice.mode == Mode.VERDICT else 0
        return blanked or _shorten(records, choice.days)


_BLANK: Final = {"sealed": b"", "blind_index": None}


def _too_long(records: QuerySet[ValidationRecord], days: int) -> QuerySet[ValidationRecord]:
    """Find the records that are stored for more days than these.

    A day is compared with a time here: it is later when it begins later, and the first one is never on the same day.
    """
    end = ExpressionWrapper(F("at") + timedelta(days=days), output_field=DateTimeField())
    return records.filter(expires_on__gt=end)


def _shorten(records: QuerySet[ValidationRecord], days: int) -> int:
    """Let records that are stored too long end `days` days after their check."""
    with transaction.atomic():
        rows = _too_long(records, days).order_by().select_for_update(skip_locked=True, of=("self",))
        by_day: dict[date, list[UUID]] = {}
        for pk, at in rows.values_list("pk", "at")[: batch.ROWS]:
            by_day.setdefault(at.astimezone(UTC).date(), []).append(pk)
        return sum(
            records.filter(pk__in=found).update(expires_on=on + timedelta(days=days)) for on, found in by_day.items()
        )
