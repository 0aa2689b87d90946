"""manage.py prune_expired: deletes what has reached its end, everywhere, now. The site itself does so every hour."""

from django.core.management.base import BaseCommand
from django.utils import timezone

from ibanse import scheduler


class Command(BaseCommand):
    """Delete what is kept no longer."""

    help = "Delete what has reached its end, in chunks of at most 1,000 rows; killed, it goes on the next time."

    def handle(self, **_options: object) -> None:
        """Print a line per table."""
        for name, rows in scheduler.prune(timezone.now()):
            self.stdout.write(f"{rows:9,} {name}")
