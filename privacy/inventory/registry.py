"""Every source of personal data, as listed in the settings: each app's declarations, counted, exported and erased.

A source knows its own tables. This module knows none, so that the apps above are reached without importing them.
"""

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from datetime import datetime

from django.conf import settings
from django.utils.module_loading import import_string

from accounts.models import Client
from accounts.personal_data.declaration import BOOKKEEPING, Erased, PersonalDataSource, StorageSummary, StoredTable
from accounts.personal_data.schema import ExportedTable
from privacy.check_logging.mode import Choice
from privacy.models import Mode


class CheckRecordSource(PersonalDataSource):
    """A source with check records."""

    @abstractmethod
    def logged(self, client: Client) -> dict[Mode, int]:
        """Return how many records the client has, by how much each of them contains."""

    @abstractmethod
    def excess(self, client: Client, choice: Choice) -> int:
        """Return how many records would not exist, not as long, or not with as much in them, under `choice`."""

    @abstractmethod
    def reduce(self, client: Client, choice: Choice) -> int:
        """Reduce at most 1,000 records to what `choice` would have stored; return how many, 0 when none is left.

        A record that it would not have stored at all, or not until today, is deleted.
        """

    @abstractmethod
    def erase_log(self, client: Client, *, until: datetime, iban_index: bytes | None = None) -> Erased:
        """Delete the records up to this second, of one IBAN (by its blind index) or of all."""

    @abstractmethod
    def erase_selected(
        self, client: Client, selected: Mapping[str, str], *, until: datetime, iban_index: bytes | None = None
    ) -> Erased:
        """Delete again what a filter of the ledger selects, up to this second. ValueError: it selects nothing."""


def every() -> list[PersonalDataSource]:
    """Return the sources, in the order of the settings."""
    return [import_string(name)() for name in settings.PERSONAL_DATA]


def tables() -> list[StoredTable]:
    """Return every declared table."""
    return [table for source in every() for table in source.all_tables()]


def impersonal_tables() -> dict[str, str]:
    """Return the tables without personal data: the label of each model, and what is in it."""
    return {label: what for source in every() for label, what in source.impersonal.items()}


def summaries() -> list[StorageSummary]:
    """Return the lines of the list that customers read. Check records come first: readers look for them."""
    *others, checks = every()
    found = dict.fromkeys(
        field.summary or table.summary
        for source in (checks, *others)
        for table in source.all_tables()
        for field in table.fields
    )
    return [summary for summary in found if summary is not BOOKKEEPING]


def count(client: Client) -> dict[str, int]:
    """Return how many rows each table that `export` yields has, by its name."""
    return {name: rows for source in every() for name, rows in source.count(client).items()}


def export(client: Client) -> Iterator[ExportedTable]:
    """Yield everything that is stored about a client, table by table; no two have the same name."""
    for source in every():
        yield from source.export(client)


def erase(client: Client) -> Erased:
    """Delete everything that is stored about a client, from the top floor down; as each source's `erase`."""
    for source in reversed(every()):
        yield from source.erase(client)


def erase_log(client: Client, *, until: datetime, iban_index: bytes | None = None) -> Erased:
    """Delete check records up to this second, of one IBAN or of all; as each source's `erase_log`."""
    for source in _check_records():
        yield from source.erase_log(client, until=until, iban_index=iban_index)


def erase_selected(
    client: Client, selected: Mapping[str, str], *, until: datetime, iban_index: bytes | None = None
) -> Erased:
    """Delete again the check records that a filter of the ledger selects; as each source's `erase_selected`."""
    for source in _check_records():
        yield from source.erase_selected(client, selected, until=until, iban_index=iban_index)


def logged(client: Client) -> dict[Mode, int]:
    """Return how many check records the client has, by how much each of them contains."""
    found = [source.logged(client) for source in _check_records()]
    return {mode: sum(counts.get(mode, 0) for counts in found) for mode in Mode}


def excess(client: Client, choice: Choice) -> int:
    """Return how many check records contain more, or are stored longer, than `choice` says."""
    return sum(source.excess(client, choice) for source in _check_records())


def reduce(client: Client, choice: Choice) -> int:
    """Reduce at most 1,000 records per source to what `choice` would have stored; return how many."""
    return sum(source.reduce(client, choice) for source in _check_records())


def _check_records() -> list[CheckRecordSource]:
    return [source for source in every() if isinstance(source, CheckRecordSource)]
