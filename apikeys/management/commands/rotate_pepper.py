"""manage.py rotate_pepper: moves API keys to the newest pepper as they are used, and says which old peppers may go."""

from argparse import ArgumentParser
from typing import Final

from django.core.management.base import BaseCommand

from apikeys import peppers

_WAITING: Final = (
    "Under an older pepper until they are used again; if nobody uses them, ask their owners to replace or revoke them:"
)


class Command(BaseCommand):
    """Begin or continue a rotation of the pepper."""

    help = (
        "Let every API key move to the newest pepper of IBANSE_PEPPERS at its next use, and list those that have not. "
        "Restart every worker with the new pepper first. Run it again to see the progress."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take `--dry-run`."""
        parser.add_argument("--dry-run", action="store_true", help="only count the keys of each pepper")

    def handle(self, *, dry_run: bool, **_options: object) -> None:
        """Let the keys move, then print a line per pepper and one per key that has not moved."""
        if not dry_run:
            peppers.begin()
        newest = peppers.newest()
        for status in peppers.statuses():
            keys = f"{status.keys:,} key{'' if status.keys == 1 else 's'}"
            self.stdout.write(f"Pepper {status.pepper}: {keys} in use{_advice(status, newest)}")
        if waiting := peppers.unrenewed():
            self.stdout.write(_WAITING)
        for key in waiting:
            used = f"last used on {key.last_used_on}" if key.last_used_on else "never used"
            self.stdout.write(f"  {key.prefix}… of client {key.client}, pepper {key.pepper}, {used}")


def _advice(status: peppers.PepperStatus, newest: int) -> str:
    if not status.is_configured:
        return " NOT CONFIGURED: they do not work."
    if status.pepper == newest:
        return ", new ones as well."
    return ": it must stay." if status.keys else ": take it out of IBANSE_PEPPERS."
