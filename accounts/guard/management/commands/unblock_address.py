"""manage.py unblock_address: ends the block of an IP address or network."""

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.guard import blocks


class Command(BaseCommand):
    """Unblock an IP address or network."""

    help = "Serve an IP address or network again that block_address has blocked."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the address."""
        parser.add_argument("address", help="as it was blocked, such as 192.0.2.0/24")

    def handle(self, *, address: str, **_options: object) -> None:
        """Unblock it; fail when it was not blocked in exactly this form."""
        try:
            was_blocked = blocks.unblock(address)
        except blocks.BlockRefused as refused:
            raise CommandError(str(refused)) from None
        if not was_blocked:
            blocked = ", ".join(blocks.overlapping(address))
            raise CommandError(f"Not this but {blocked} is blocked." if blocked else "It is not blocked.")
        self.stdout.write(f"{address} is not blocked any more.")
