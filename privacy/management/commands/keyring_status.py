"""manage.py keyring_status: shows which master keys wrap how many data keys, and whether they unwrap them."""

from collections.abc import Iterator

from django.core.management.base import BaseCommand, CommandError

from privacy import vault


class Command(BaseCommand):
    """Check the keyring; fail when a data key cannot be unwrapped."""

    help = "Count data keys by master key, open one of each, and fail when that does not work. Changes nothing."

    def handle(self, **_options: object) -> None:
        """Print a line per master key, configured or in use, and one for the keys that were destroyed."""
        status = vault.status()
        for found in status.master_keys:
            self.stdout.write(f"Master key {found.number}: {', '.join(_describe(found))}")
        self.stdout.write(f"Data keys in use: {status.alive:,}")
        span = f", last on {status.last_destroyed:%Y-%m-%d}" if status.last_destroyed else ""
        self.stdout.write(f"Data keys destroyed: {status.destroyed:,}{span}")
        if objections := status.objections:
            raise CommandError("\n".join(objections))


def _describe(found: vault.MasterKeyStatus) -> Iterator[str]:
    yield "given" if found.is_configured else "NOT GIVEN"
    if found.oldest is None or found.newest is None:
        yield "wraps nothing"
    else:
        opens = "opens" if found.opens else "DOES NOT OPEN"
        keys = "data key" if found.data_keys == 1 else "data keys"
        yield f"{opens}; {found.data_keys:,} {keys}, from {found.oldest:%Y-%m-%d} to {found.newest:%Y-%m-%d}"
    if found.wraps_new_ones:
        yield "wraps new ones"
