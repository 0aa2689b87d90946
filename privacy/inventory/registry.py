"""Every room of the house that holds something of a client: each app's personal_data.py, by its name in the settings.

A room knows its own tables; this module knows none, so that what lies above it can be reached without looking up.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from importlib import import_module
from typing import Protocol, TypeGuard, cast

from django.conf import settings
from django.db.models import Model

from accounts.models import Client
from accounts.personal_data.schema import Table
from privacy.check_logging.mode import Choice
from privacy.models import Mode


class PersonalDataSource(Protocol):
    """What each personal_data.py offers."""

    HOLDS: tuple[type[Model], ...]
    """Every model of the room with a road to a client or a user."""

    def count(self, client: Client) -> dict[str, int]:
        """Return how many rows each table that `export` yields has, by its name."""

    def export(self, client: Client) -> Iterator[Table]:
        """Yield what is kept of the client, allow-listed field by field, with what is sealed opened."""

    def erase(self, client: Client) -> Iterator[dict[str, int]]:
        """Delete all that is kept of the client and yield, after each step, how many rows of which table went.

        A step deletes at most 1,000 rows; whoever iterates puts each into a transaction of its own. Begun again after a
        crash it goes on with what is left.
        """

    def prune(self, now: datetime) -> dict[str, int]:
        """Delete what is past its end and return how many rows of what; in chunks, each a transaction of its own."""


class CheckRecordSource(PersonalDataSource, Protocol):
    """A room with a log of checks."""

    def logged(self, client: Client) -> dict[Mode, int]:
        """Return how many records the client has, by how much each of them holds."""

    def excess(self, client: Client, choice: Choice) -> int:
        """Return how many records there would not be, not as long, or not with as much in them, under `choice`."""

    def reduce(self, client: Client, choice: Choice) -> int:
        """Make at most 1,000 of them what `choice` would have kept; return how many, 0 when none is left.

        A record that it would not have kept at all, or not until today, is deleted.
        """

    def erase_log(self, client: Client, *, until: datetime, number: bytes | None = None) -> Iterator[dict[str, int]]:
        """Delete what the log holds up to this second, of one number (by its blind index) or of all; as `erase`."""

    def erase_chosen(
        self, client: Client, chosen: Mapping[str, str], *, until: datetime, number: bytes | None = None
    ) -> Iterator[dict[str, int]]:
        """Delete again what of the log was chosen by this, up to this second; as `erase`. ValueError: by nothing."""


def every() -> list[PersonalDataSource]:
    """Return the rooms, in the order of the settings."""
    return [cast(PersonalDataSource, import_module(name)) for name in settings.PERSONAL_DATA]


def count(client: Client) -> dict[str, int]:
    """Return how many rows each table has that `export` yields, by its name."""
    return {name: rows for source in every() for name, rows in source.count(client).items()}


def export(client: Client) -> Iterator[Table]:
    """Yield everything that is kept of a client, table by table; no two have the same name."""
    for source in every():
        yield from source.export(client)


def erase(client: Client) -> Iterator[dict[str, int]]:
    """Delete everything that is kept of a client, from the top of the house down; as each room's `erase`."""
    for source in reversed(every()):
        yield from source.erase(client)


def erase_log(client: Client, *, until: datetime, number: bytes | None = None) -> Iterator[dict[str, int]]:
    """Delete what the logs of checks hold up to this second, of one number or of all; as each room's `erase_log`."""
    for source in _logs():
        yield from source.erase_log(client, until=until, number=number)


def erase_chosen(
    client: Client, chosen: Mapping[str, str], *, until: datetime, number: bytes | None = None
) -> Iterator[dict[str, int]]:
    """Delete again what of the logs was chosen by this, up to this second; as each room's `erase_chosen`."""
    for source in _logs():
        yield from source.erase_chosen(client, chosen, until=until, number=number)


def logged(client: Client) -> dict[Mode, int]:
    """Return how many records of checks the client has, by how much each of them holds."""
    held = [source.logged(client) for source in _logs()]
    return {mode: sum(counts.get(mode, 0) for counts in held) for mode in Mode}


def excess(client: Client, choice: Choice) -> int:
    """Return how many records hold more, or are kept longer, than `choice` would have it."""
    return sum(source.excess(client, choice) for source in _logs())


def reduce(client: Client, choice: Choice) -> int:
    """Make at most 1,000 records per room what `choice` would have kept; return how many, 0 when none is left."""
    return sum(source.reduce(client, choice) for source in _logs())


def _logs() -> list[CheckRecordSource]:
    return [source for source in every() if _has_a_log(source)]


def _has_a_log(source: PersonalDataSource) -> TypeGuard[CheckRecordSource]:
    return hasattr(source, "reduce")
