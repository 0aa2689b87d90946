"""Check records as personal data: exported with the client, erased, pruned at their end, reduced by their owners."""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Final

from django.db import transaction
from django.db.models import DateTimeField, ExpressionWrapper, F, Model, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts import batch
from accounts.models import Client
from accounts.personal_data.schema import Column, ExportTable, Table, Value, day, plain, time
from privacy.check_logging import mode
from privacy.models import Mode
from validation.models import ValidationRecord
from validation.records import store
from validation.records.search import RecordFilter

if TYPE_CHECKING:
    from uuid import UUID

HOLDS: Final[tuple[type[Model], ...]] = (ValidationRecord,)

_SEALED: Final = (
    ("iban", _("IBAN; empty unless it was stored, as are all the fields that follow")),
    ("bank_code", _("Bank code")),
    ("bic", _("BIC of the bank")),
    ("address", _("IP address of the caller")),
)


class _OpenedRecord:
    """A record with its sealed fields, which are opened once for all columns."""

    def __init__(self, record: ValidationRecord) -> None:
        self.record = record
        self.sealed = store.open_sealed(record.client_id, record.pk, record.sealed)


def _open_all(_client: Client, rows: list[ValidationRecord]) -> list[_OpenedRecord]:
    return [_OpenedRecord(row) for row in rows]


def _clear(column: Column) -> Column:
    return Column(column.name, column.about, lambda row: column.value(row.record))


def _sealed(name: str, about: object) -> Column:
    return Column(name, about, lambda row: getattr(row.sealed, name) if row.sealed else None)


def _key(record: ValidationRecord) -> Value:
    return record.key.prefix if record.key else None


EXPORT_TABLES: Final = (
    ExportTable(
        "checks",
        _("The check log, as far as logging was chosen"),
        lambda client: ValidationRecord.objects.filter(client=client).select_related("key").order_by("at", "pk"),
        (
            *map(
                _clear,
                (
                    time("at", _("When")),
                    day("expires_on", _("The last day on which it is stored")),
                    plain("source", _("The channel: page or api")),
                    Column("key", _("The beginning of the key that was used"), _key),
                    plain("country", _("Country code; empty if unknown")),
                    plain("is_valid", _("Whether the number is valid")),
                    plain("codes", _("Reason codes")),
                ),
            ),
            *(_sealed(name, about) for name, about in _SEALED),
        ),
        _open_all,
    ),
)


def count(client: Client) -> dict[str, int]:
    """Return how many rows each table that `export` yields has, by its name."""
    return {table.name: table.rows(client).count() for table in EXPORT_TABLES}


def export(client: Client) -> Iterator[Table]:
    """Yield the client's records, opened."""
    return (table.table(client) for table in EXPORT_TABLES)


def erase(client: Client) -> Iterator[dict[str, int]]:
    """Delete all records, at most 1,000 at each step; yield how many of which table."""
    for rows in store.erase_in_chunks(client, RecordFilter()):
        yield {"checks": rows}


def erase_log(client: Client, *, until: datetime, number: bytes | None = None) -> Iterator[dict[str, int]]:
    """Delete the records up to this second, of one IBAN (by its blind index) or of all; as `erase`."""
    for rows in store.erase_in_chunks(client, RecordFilter(until=until + timedelta(seconds=1), iban_index=number)):
        yield {"checks": rows}


def erase_chosen(
    client: Client, chosen: Mapping[str, str], *, until: datetime, number: bytes | None = None
) -> Iterator[dict[str, int]]:
    """Delete again the records that a filter of the ledger selects, up to this second; as `erase`.

    Raises ValueError for a filter that selects nothing.
    """
    wanted = RecordFilter.from_ledger(chosen, number).before(until + timedelta(seconds=1))
    for rows in store.erase_in_chunks(client, wanted):
        yield {"checks": rows}


def prune(now: datetime) -> dict[str, int]:
    """Delete the records whose last day (UTC) is over."""
    over = ValidationRecord.objects.filter(expires_on__lt=now.astimezone(UTC).date())
    return {"checks": batch.delete(over)}


def logged(client: Client) -> dict[Mode, int]:
    """Return how many records the client has, by how much each of them holds."""
    records = ValidationRecord.objects.filter(client=client)
    full = records.exclude(blind_index=None).count()
    return {Mode.VERDICT: records.count() - full, Mode.FULL: full}


def excess(client: Client, choice: mode.Choice) -> int:
    """Return how many records there would not be, not as long, or not with as much in them, under `choice`."""
    records = ValidationRecord.objects.filter(client=client)
    if choice.mode == Mode.OFF:
        return records.count()
    too_long = _too_long(records, choice.days)
    if choice.mode == Mode.FULL:
        return too_long.count()
    return (too_long | records.exclude(blind_index=None)).count()


def reduce(client: Client, choice: mode.Choice) -> int:
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
