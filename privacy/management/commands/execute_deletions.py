"""manage.py execute_deletions: carries out every deletion whose day has come, and goes on with those interrupted."""

import sys

from django.core.management.base import BaseCommand
from django.db import Error
from django.utils import timezone

from privacy import export
from privacy.deletion import compaction, execution, shipping


class Command(BaseCommand):
    """Carry out the deletions that are due."""

    help = (
        "Carry out every deletion whose days of grace are over, and go on with those that were interrupted. To be run "
        "by a timer, every few minutes. Ends with 1 when something stopped: the next time goes on with it."
    )

    def handle(self, **_options: object) -> None:
        """Print a line per deletion, which names nobody."""
        is_well = True
        for done in execution.every_due(timezone.now()):
            if isinstance(done, execution.Failed):
                self.stderr.write(f"A deletion stopped ({done.why}); the next time goes on with it.")
                is_well = False
                continue
            rows = sum(done.receipt["erased"].values())
            self.stdout.write(f"Deleted: {done.receipt['scope']}, {rows:,} rows, receipt {done.receipt['number']}")
        export.prune(timezone.now())
        is_well = self._compact() and is_well
        if not shipping.ship():
            self.stderr.write(
                "The erasure ledger could not be carried off by IBANSE_LEDGER_SHIP; the next time tries again."
            )
            is_well = False
        if not is_well:
            sys.exit(1)

    def _compact(self) -> bool:
        if not (compaction.by_itself() and compaction.is_due()):
            return True
        try:
            compaction.rewrite()
        except Error as error:
            self.stderr.write(
                f"The database's file could not be rewritten ({type(error).__name__}); the next time tries again."
            )
            return False
        return True
