"""manage.py rotate_pepper: moves API keys to the newest pepper as they are used, and says which old peppers may go."""

from argparse import ArgumentParser
from typing import Final

from django.core.management.base import BaseCommand

from apikeys import peppers

_WAITING: Final = (
    "Under an older pepper until they are used again; if nobody uses them, ask their owners to replace or revoke them:"
)


class Command(BaseCommand):
    """Begin or go on with an exchange of the pepper."""

    help = (
        "Let every API key move to the newest pepper of IBANSE_PEPPERS at its next use, and tell which have not yet. "
        "Restart every worker with the new pepper first. Run it again to see how far it is."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take `--dry-run`."""
        parser.add_argument("--dry-run", action="store_true", help="only tell how many keys hang on which pepper")

    def handle(self, *, dry_run: bool, **_options: object) -> None:
        """Ask the keys to move, then tell a line per pepper and one per key that has not moved."""
        if not dry_run:
            peppers.begin()
        newest = peppers.newest()
        for standing in peppers.standings():
            given = "" if standing.is_given else " NOT GIVEN: they do not work."
            self.stdout.write(
                f"Pepper {standing.pepper}: {_keys(standing.keys)} in use{given or _advice(standing, newest)}"
            )
        if waiting := peppers.unrenewed():
            self.stdout.write(_WAITING)
        for key in waiting:
            used = f"last used on {key.last_used_on}" if key.last_used_on else "never used"
            self.stdout.write(f"  {key.prefix}… of client {key.client}, pepper {key.pepper}, {used}")


def _advice(standing: peppers.PepperStatus, newest: int) -> str:
    if standing.pepper == newest:
        return ", new ones as well."
    return ": it must stay." if standing.keys else ": take it out of IBANSE_PEPPERS."


def _keys(number: int) -> str:
    return f"{number:,} key{'' if number == 1 else 's'}"
