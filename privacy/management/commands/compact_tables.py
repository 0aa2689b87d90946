"""manage.py compact_tables: rewrites the tables of clients' data, so that no deleted row lingers in their files."""

from django.core.management.base import BaseCommand

from privacy.deletion import compaction


class Command(BaseCommand):
    """Rewrite tables in which deleted rows linger."""

    help = (
        "Rewrite every table that holds anything of clients: VACUUM FULL on PostgreSQL, as the tables' owner, VACUUM "
        "on SQLite. Run it monthly, at a quiet hour: writers wait meanwhile. The second date of a receipt counts on it."
    )

    def handle(self, **_options: object) -> None:
        """Do it."""
        compaction.rewrite()
        self.stdout.write("Rewritten: deleted rows are gone from the database's files.")
