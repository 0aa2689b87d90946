"""manage.py execute_deletions: carries out every deletion that is due, and resumes interrupted ones."""

import sys

from django.core.management.base import BaseCommand
from django.utils import timezone

from privacy.deletion import rounds
from privacy.deletion.execution import Done


class Command(BaseCommand):
    """Carry out the deletions that are due."""

    help = (
        "Carry out every deletion whose grace period is over, and resume interrupted ones. To be run by a timer, every "
        "few minutes. Exits with 1 when something failed: the next run retries it."
    )

    def handle(self, **_options: object) -> None:
        """Print a line per deletion, which identifies nobody."""
        has_failed = False
        for done in rounds.run_round(timezone.now()):
            if isinstance(done, Done):
                rows = sum(done.receipt["erased"].values())
                self.stdout.write(f"Deleted: {done.receipt['scope']}, {rows:,} rows, receipt {done.receipt['number']}")
            else:
                self.stderr.write(f"Stopped, and waits for the next time: {done.what} ({done.why})")
                has_failed = True
        if has_failed:
            sys.exit(1)
