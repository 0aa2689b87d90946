"""Rewrites the files of the main database, in which deleted rows linger until their place is taken.

SQLite keeps a deleted row's bytes in free pages and in its log, PostgreSQL in dead rows. A rewritten file has none. It
stops writers for its time: seconds for small tables. On PostgreSQL it needs the tables' owner, and is a command of its
own (`manage.py compact_tables`, monthly); segments of its log are removed half an hour after it (deploy/postgresql/
ibanse.conf), and dumps hold no dead rows.
"""

from django.db import connection, router

from privacy.inventory import registry
from privacy.models import ErasureReceipt


def is_due() -> bool:
    """Return whether an account or a part of one was deleted since the last time."""
    return ErasureReceipt.objects.filter(is_compacted=False).exists()


def rewrite() -> None:
    """Rewrite the tables that hold anything of clients. Raises database errors, such as for one that is locked."""
    receipts = list(ErasureReceipt.objects.filter(is_compacted=False).values_list("pk", flat=True))
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            for table in _tables():
                cursor.execute(f"VACUUM FULL {connection.ops.quote_name(table)}")
        else:
            cursor.execute("VACUUM")
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    ErasureReceipt.objects.filter(pk__in=receipts).update(is_compacted=True)


def by_itself() -> bool:
    """Return whether whoever deletes rows here may rewrite their tables as well: on SQLite."""
    return connection.vendor == "sqlite"


def _tables() -> list[str]:
    models = {table.model for table in registry.tables()}
    return sorted(model._meta.db_table for model in models if router.db_for_write(model) == connection.alias)
