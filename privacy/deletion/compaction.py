"""Rewrites the files of the main database, in which the bytes of deleted rows remain until they are overwritten.

SQLite leaves them in free pages and in its write-ahead log, PostgreSQL in dead rows. A rewritten file has none. Writers
wait meanwhile: seconds for small tables. On PostgreSQL it needs the owner of the tables, so it is a command of its own
(`manage.py compact_tables`, monthly); segments of its write-ahead log are removed half an hour later
(deploy/postgresql/ibanse.conf), and dumps contain no dead rows.
"""

from django.db import connection, router

from privacy.inventory import registry
from privacy.models import ErasureReceipt


def is_due() -> bool:
    """Return whether an account, or part of one, was deleted since the last rewrite."""
    return ErasureReceipt.objects.filter(is_compacted=False).exists()


def rewrite() -> None:
    """Rewrite the tables with data about clients. Raises database errors, such as for a locked table."""
    receipts = list(ErasureReceipt.objects.filter(is_compacted=False).values_list("pk", flat=True))
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            for table in _tables():
                cursor.execute(f"VACUUM FULL {connection.ops.quote_name(table)}")
        else:
            cursor.execute("VACUUM")
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    ErasureReceipt.objects.filter(pk__in=receipts).update(is_compacted=True)


def runs_in_process() -> bool:
    """Return whether the process that deletes rows may rewrite the tables as well: on SQLite."""
    return connection.vendor == "sqlite"


def _tables() -> list[str]:
    models = {table.model for table in registry.tables()}
    return sorted(model._meta.db_table for model in models if router.db_for_write(model) == connection.alias)
