"""manage.py prune_expired: deletes everything whose retention has ended, now. The site does so every hour."""

from django.core.management.base import BaseCommand
from django.utils import timezone

from ibanse import scheduler


class Command(BaseCommand):
    """Delete what has expired."""

    help = "Delete what has expired, in chunks of at most 1,000 rows; when killed, the next run continues."

    def handle(self, **_options: object) -> None:
        """Print a line per table."""
        for name, rows in scheduler.prune(timezone.now()):
            self.stdout.write(f"{rows:9,} {name}")
