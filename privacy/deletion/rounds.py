"""One round of whoever carries deletions out: those that are due, then files, the database's own files, the ledger.

In production a timer makes it (`manage.py execute_deletions`); embedded, the site itself does (ibanse/scheduler.py).
"""

from collections.abc import Iterator
from datetime import datetime

from django.db import Error

from privacy.deletion import compaction, execution, shipping
from privacy.deletion.execution import Done, Failed
from privacy.export import exports


def go(now: datetime) -> Iterator[Done | Failed]:
    """Do what is due and yield what was done and what failed; the next round goes on with what failed."""
    yield from execution.every_due(now)
    # Files that a crash has left without a row.
    exports.prune(now)
    if compaction.by_itself() and compaction.is_due():
        try:
            compaction.rewrite()
        except Error as error:
            yield Failed("the database's file could not be rewritten", type(error).__name__)
    if not shipping.ship():
        yield Failed("the ledger could not be carried off by IBANSE_LEDGER_SHIP", "see the log")
