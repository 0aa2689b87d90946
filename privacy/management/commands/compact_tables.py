"""manage.py compact_tables: rewrites the tables of personal data, so that no deleted row remains in their files."""

from django.core.management.base import BaseCommand

from privacy.deletion import compaction


class Command(BaseCommand):
    """Rewrite tables, to remove deleted rows from their files."""

    help = (
        "Rewrite every table with data about clients: VACUUM FULL on PostgreSQL, as the owner of the tables, VACUUM on "
        "SQLite. Run it monthly, at a quiet hour: writers wait meanwhile. The second date of a receipt relies on it."
    )

    def handle(self, **_options: object) -> None:
        """Rewrite the tables."""
        compaction.rewrite()
        self.stdout.write("Rewritten: deleted rows are gone from the database's files.")
