"""manage.py rotate_master_key: rewraps all data keys with the newest master key while the site runs."""

import time
from argparse import ArgumentParser
from collections import Counter
from typing import Final

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from privacy import vault

_PROGRESS_EVERY_SECONDS: Final = 5
_REMOVABLE: Final = (
    "wraps nothing. Once every worker runs with master key {}, take it out of IBANSE_MASTER_KEYS; backups of the "
    "keyring from before need it for as long as they are retained."
)


class Command(BaseCommand):
    """Rewrap the keyring and print whether the old master keys may be removed."""

    help = (
        "Rewrap every data key with the newest master key of IBANSE_MASTER_KEYS, while the site runs. Restart every "
        "worker with the new key first. After a kill the next run resumes; two at once do no harm."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Accept `--dry-run`."""
        parser.add_argument("--dry-run", action="store_true", help="unwrap every data key and change nothing")

    def handle(self, *, dry_run: bool, **_options: object) -> None:
        """Rewrap and print the progress; fail when an old master key must stay."""
        try:
            objections = self._rewrap(dry_run=dry_run)
        except vault.Unfinished:
            raise CommandError(
                "The keyring's log was busy, so it may still contain the old bytes. Run this again."
            ) from None
        except vault.NoMasterKey as refusal:
            raise CommandError(str(refusal)) from None
        for problem, count in objections.items():
            self.stderr.write(f"{_keys(count)} left as they were: {problem}")
        must_stay = self._print_removable()
        if objections:
            raise CommandError("Not every data key could be opened; the others are not affected.")
        if must_stay and not dry_run:
            raise CommandError("Data keys were made under another master key meanwhile, or before. Run this again.")

    def _rewrap(self, *, dry_run: bool) -> Counter[str]:
        total, read, rewrapped = vault.to_rewrap(), 0, 0
        began = printed = time.monotonic()
        objections = Counter[str]()
        for chunk in vault.rewrap(dry_run=dry_run):
            read, rewrapped = read + chunk.rows, rewrapped + chunk.rewrapped
            objections += chunk.objections
            now = time.monotonic()
            if now - printed >= _PROGRESS_EVERY_SECONDS:
                printed = now
                self.stdout.write(f"{read:,} of {_keys(max(total, read))}, {read / (now - began):,.0f} a second")
                self.stdout.flush()
        took = time.monotonic() - began
        if dry_run:
            self.stdout.write(f"Dry run: {_keys(read - objections.total())} opened, nothing was written.")
        else:
            self.stdout.write(f"Rewrapped: {_keys(rewrapped)} in {took:.1f} seconds.")
        return objections

    def _print_removable(self) -> list[int]:
        """Print for each master key but the newest whether it may be removed; return those that must stay."""
        newest = max(settings.MASTER_KEYS)
        others = [found for found in vault.status().master_keys if found.number != newest]
        for found in others:
            verdict = (
                f"still wraps {_keys(found.data_keys)}: it must stay." if found.data_keys else _REMOVABLE.format(newest)
            )
            self.stdout.write(f"Master key {found.number} {verdict}")
        if not others:
            self.stdout.write(f"Master key {newest} wraps every data key, and no other one is configured.")
        return [found.number for found in others if found.data_keys]


def _keys(number: int) -> str:
    return f"{number:,} data key{'' if number == 1 else 's'}"
