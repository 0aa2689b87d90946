"""The log of checks as a client takes it along, and as it becomes less: past its end, or by its owner's wish."""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Final

from django.db import transaction
from django.db.models import DateTimeField, ExpressionWrapper, F, Model, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts import batch
from accounts.models import Client
from accounts.personal_data.schema import Column, Shelf, Table, Value, day, plain, time
from privacy.check_logging import mode
from privacy.models import Mode
from validation import log, log_search
from validation.log_search import Asked
from validation.models import ValidationRecord

if TYPE_CHECKING:
    from uuid import UUID

HOLDS: Final[tuple[type[Model], ...]] = (ValidationRecord,)

_SEALED: Final = (
    ("iban", _("IBAN; empty unless it was kept, as all that follows")),
    ("bank_code", _("Bank code")),
    ("bic", _("BIC of the bank")),
    ("address", _("Internet address of the caller")),
)


class _Opened:
    """A record with what is sealed in it, which is read once for all columns."""

    def __init__(self, record: ValidationRecord) -> None:
        self.record = record
        self.sealed = log.opened(record.client_id, record.pk, record.sealed)


def _opened(_client: Client, rows: list[ValidationRecord]) -> list[_Opened]:
    return [_Opened(row) for row in rows]


def _clear(column: Column) -> Column:
    return Column(column.name, column.about, lambda row: column.value(row.record))


def _sealed(name: str, about: object) -> Column:
    return Column(name, about, lambda row: getattr(row.sealed, name) if row.sealed else None)


def _key(record: ValidationRecord) -> Value:
    return record.key.prefix if record.key else None


SHELVES: Final = (
    Shelf(
        "checks",
        _("The log of checks, as far as it was wanted"),
        lambda client: ValidationRecord.objects.filter(client=client).select_related("key").order_by("at", "pk"),
        (
            *map(
                _clear,
                (
                    time("at", _("When")),
                    day("expires_on", _("The last day on which it is kept")),
                    plain("source", _("The door: page or api")),
                    Column("key", _("How the key begins that was used"), _key),
                    plain("country", _("Country code; empty when unknown")),
                    plain("is_valid", _("Whether the number is valid")),
                    plain("codes", _("Codes of the reasons")),
                ),
            ),
            *(_sealed(name, about) for name, about in _SEALED),
        ),
        _opened,
    ),
)


def count(client: Client) -> dict[str, int]:
    """Return how many rows each table that `export` yields has, by its name."""
    return {shelf.name: shelf.rows(client).count() for shelf in SHELVES}


def export(client: Client) -> Iterator[Table]:
    """Yield the client's log, with what is sealed opened."""
    return (shelf.table(client) for shelf in SHELVES)


def erase(client: Client) -> Iterator[dict[str, int]]:
    """Delete the whole log, at most 1,000 rows at each step; yield how many of which table."""
    for rows in log_search.drain(client, Asked()):
        yield {"checks": rows}


def erase_log(client: Client, *, until: datetime, number: bytes | None = None) -> Iterator[dict[str, int]]:
    """Delete what the log holds up to this second, of one number (by its blind index) or of all; as `erase`."""
    for rows in log_search.drain(client, Asked(until=until + timedelta(seconds=1), number=number)):
        yield {"checks": rows}


def erase_chosen(
    client: Client, chosen: Mapping[str, str], *, until: datetime, number: bytes | None = None
) -> Iterator[dict[str, int]]:
    """Delete again the checks that were chosen by this, up to this second; as `erase`. ValueError: by nothing."""
    asked = log_search.read(chosen, number)
    for rows in log_search.drain(client, log_search.frozen(asked, until + timedelta(seconds=1))):
        yield {"checks": rows}


def prune(now: datetime) -> dict[str, int]:
    """Delete the records whose last day (UTC) is over."""
    over = ValidationRecord.objects.filter(expires_on__lt=now.astimezone(UTC).date())
    return {"checks": batch.delete(over)}


def logged(client: Client) -> dict[Mode, int]:
    """Return how many records the client has, by how much each of them holds."""
    kept = ValidationRecord.objects.filter(client=client)
    full = kept.exclude(blind_index=None).count()
    return {Mode.VERDICT: kept.count() - full, Mode.FULL: full}


def excess(client: Client, choice: mode.Choice) -> int:
    """Return how many records there would not be, not as long, or not with as much in them, under `choice`."""
    kept = ValidationRecord.objects.filter(client=client)
    if choice.mode == Mode.OFF:
        return kept.count()
    too_long = _too_long(kept, choice.days)
    if choice.mode == Mode.FULL:
        return too_long.count()
    return (too_long | kept.exclude(blind_index=None)).count()


def reduce(client: Client, choice: mode.Choice) -> int:
    """Make at most 1,000 records what `choice` would have kept of them; return how many, 0 when none is left."""
    kept = ValidationRecord.objects.filter(client=client)
    if choice.mode == Mode.OFF:
        return batch.one(kept, {})
    over = timezone.now().astimezone(UTC).date() - timedelta(days=choice.days)
    if deleted := batch.one(kept.filter(at__lt=datetime.combine(over, datetime.min.time(), UTC)), {}):
        return deleted
    blanked = batch.one(kept.exclude(blind_index=None), _BLANK) if choice.mode == Mode.VERDICT else 0
    return blanked or _shorten(kept, choice.days)


_BLANK: Final = {"sealed": b"", "blind_index": None}


def _too_long(kept: QuerySet[ValidationRecord], days: int) -> QuerySet[ValidationRecord]:
    """Find the records that are kept for more days than these.

    A day is compared with a time here: it is later when it begins later, and the first one is never on the same day.
    """
    end = ExpressionWrapper(F("at") + timedelta(days=days), output_field=DateTimeField())
    return kept.filter(expires_on__gt=end)


def _shorten(kept: QuerySet[ValidationRecord], days: int) -> int:
    """Let records that are kept too long end as many days after their check as `days` says."""
    with transaction.atomic():
        rows = _too_long(kept, days).order_by().select_for_update(skip_locked=True, of=("self",))
        by_day: dict[date, list[UUID]] = {}
        for pk, at in rows.values_list("pk", "at")[: batch.ROWS]:
            by_day.setdefault(at.astimezone(UTC).date(), []).append(pk)
        return sum(
            kept.filter(pk__in=found).update(expires_on=on + timedelta(days=days)) for on, found in by_day.items()
        )
