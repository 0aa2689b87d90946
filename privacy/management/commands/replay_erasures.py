"""manage.py replay_erasures: after a restore and before the site starts, repeats the deletions in the ledger."""

import sys

from django.core.management.base import BaseCommand
from django.db import Error

from privacy import vault
from privacy.deletion import ledger, replay


class Command(BaseCommand):
    """Delete again what a restored backup has brought back."""

    help = (
        "After a backup was restored and before the site starts: repeat the deletions in the erasure ledger, restored "
        "keys first. Repeating it does no harm. Exits with 1 when the site must not start: the ledger is missing or "
        "damaged, or something could not be deleted."
    )

    def handle(self, **_options: object) -> None:
        """Print a line per entry, which identifies nobody, and exit with 0 or 1."""
        problem = self._replay()
        if problem:
            self.stderr.write(problem)
            sys.exit(1)

    def _replay(self) -> str:
        """Return why the site must not start; empty when it may."""
        path = ledger.path()
        if not path.exists():
            if vault.status().destroyed:
                return f"There is no ledger at {path}, but keys were destroyed. Bring the ledger back (IBANSE_LEDGER)."
            self.stdout.write(f"There is no ledger at {path}, and no key was ever destroyed: nothing to delete again.")
            return ""
        found = ledger.read()
        try:
            for done in replay.replay(found.entries):
                self.stdout.write(f"{done.scope:8} {done.rows:9,} rows, {done.keys} keys had come back and are gone")
        except (Error, OSError, vault.VaultError) as error:
            return f"What was deleted could not be deleted again ({type(error).__name__}). Run this again."
        if found.damaged:
            lines = ", ".join(map(str, found.damaged))
            return f"The ledger at {path} is damaged in line {lines}. Bring a whole one back, then run this again."
        self.stdout.write(f"The ledger has {len(found.entries)} entries; all of them hold.")
        return ""
