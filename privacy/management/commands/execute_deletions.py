"""manage.py execute_deletions: carries out every deletion whose day has come, and goes on with those interrupted."""

import sys

from django.core.management.base import BaseCommand
from django.utils import timezone

from privacy.deletion import rounds
from privacy.deletion.execution import Done


class Command(BaseCommand):
    """Carry out the deletions that are due."""

    help = (
        "Carry out every deletion whose days of grace are over, and go on with those that were interrupted. To be run "
        "by a timer, every few minutes. Ends with 1 when something stopped: the next time goes on with it."
    )

    def handle(self, **_options: object) -> None:
        """Print a line per deletion, which names nobody."""
        has_failed = False
        for done in rounds.go(timezone.now()):
            if isinstance(done, Done):
                rows = sum(done.receipt["erased"].values())
                self.stdout.write(f"Deleted: {done.receipt['scope']}, {rows:,} rows, receipt {done.receipt['number']}")
            else:
                self.stderr.write(f"Stopped, and waits for the next time: {done.what} ({done.why})")
                has_failed = True
        if has_failed:
            sys.exit(1)
