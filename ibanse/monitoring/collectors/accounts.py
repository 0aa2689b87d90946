"""What the accounts measure of themselves: clients by state and the site's database.

Also how any room measures a disk or a database. See readings/taking.py, which asks, and readings/kinds.py, which says
what each reading is.
"""

import shutil
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Final

from django.db import connections
from django.db.models import Count

from accounts.models import Client
from ibanse.monitoring.sampling import Measure, Measured


def clients(_now: datetime) -> Iterator[Measured]:
    """Yield how many clients are in each state; also in those that none is in."""
    counted = dict(Client.objects.values_list("state").annotate(Count("pk")))
    return (Measured("clients", counted.get(state, 0), part=state) for state in Client.State.values)


def site_database(_now: datetime) -> Iterator[Measured]:
    """Yield the size of the site's database."""
    yield Measured("database", size_of("default"), part="site")


def counted_hours(_now: datetime) -> Iterator[Measured]:
    """Yield a zero for what is only counted when it happens: it tells a quiet hour from one in which nobody looked."""
    for name in ("refused", "sign_ins", "unsent"):
        yield Measured(name, 0)


def size_of(alias: str) -> int:
    """Return the bytes of a database, by its name in the settings; a file of SQLite with its log beside it."""
    connection = connections[alias]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT pg_database_size(current_database())")
            return int(cursor.fetchone()[0])
        cursor.execute("SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()")
        pages = int(cursor.fetchone()[0])
    log = Path(f"{connection.settings_dict['NAME']}-wal")
    return pages + (log.stat().st_size if log.is_file() else 0)


def free_bytes(folder: Path, part: str) -> Iterator[Measured]:
    """Yield what is free on the disk of a folder, in bytes and in percent; before it is made, where it will be."""
    there = next(place for place in (folder.absolute(), *folder.absolute().parents) if place.exists())
    disk = shutil.disk_usage(there)
    yield Measured("free", disk.free, part=part, is_of_node=True)
    yield Measured("free_share", 100 * disk.free // disk.total, part=part, is_of_node=True)


MEASURES: Final[tuple[Measure, ...]] = (clients, site_database, counted_hours)
