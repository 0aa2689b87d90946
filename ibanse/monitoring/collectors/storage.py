"""How collectors measure databases and disks."""

import shutil
from collections.abc import Iterator
from pathlib import Path

from django.db import connections

from ibanse.monitoring.collectors import MetricSample


def database_bytes(alias: str) -> int:
    """Return the size of a database, by its name in the settings; a file of SQLite with its log beside it."""
    connection = connections[alias]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT pg_database_size(current_database())")
            return int(cursor.fetchone()[0])
        cursor.execute("SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()")
        pages = int(cursor.fetchone()[0])
    log = Path(f"{connection.settings_dict['NAME']}-wal")
    return pages + (log.stat().st_size if log.is_file() else 0)


def free_space(folder: Path, part: str) -> Iterator[MetricSample]:
    """Yield the free space on the disk of a folder, in bytes and in percent; the folder need not exist yet."""
    existing = next(place for place in (folder.absolute(), *folder.absolute().parents) if place.exists())
    disk = shutil.disk_usage(existing)
    yield MetricSample("free", disk.free, part=part, is_per_node=True)
    yield MetricSample("free_share", 100 * disk.free // disk.total, part=part, is_per_node=True)
