"""One round of deletions: those that are due, then leftover files, the database files and the ledger.

In production a timer runs it (`manage.py execute_deletions`); embedded, the site itself (ibanse/scheduler.py).
"""

from collections.abc import Iterator
from datetime import datetime

from django.db import Error

from privacy.deletion import compaction, execution, shipping
from privacy.deletion.execution import Done, Failed
from privacy.export import exports


def run_round(now: datetime) -> Iterator[Done | Failed]:
    """Carry out what is due; yield what was done and what failed. The next round retries what failed."""
    yield from execution.every_due(now)
    # Files that a crash has left without a row in the database.
    exports.prune(now)
    if compaction.runs_in_process() and compaction.is_due():
        try:
            compaction.rewrite()
        except Error as error:
            yield Failed("the database's file could not be rewritten", type(error).__name__)
    if not shipping.ship():
        yield Failed("the ledger could not be copied by IBANSE_LEDGER_SHIP", "see the log")
