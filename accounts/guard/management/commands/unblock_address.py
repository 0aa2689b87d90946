"""manage.py unblock_address: lets an address or network in again."""

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.guard import blocks


class Command(BaseCommand):
    """Unblock an address or network."""

    help = "Serve an address or network again that block_address has blocked."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take what to unblock."""
        parser.add_argument("address", help="as it was blocked, such as 192.0.2.0/24")

    def handle(self, *, address: str, **_options: object) -> None:
        """Unblock it, and fail when it was not blocked in this form."""
        try:
            was_blocked = blocks.unblock(address)
        except blocks.BlockRefused as refused:
            raise CommandError(str(refused)) from None
        if not was_blocked:
            blocked = ", ".join(blocks.touching(address))
            raise CommandError(f"Blocked is not this, but {blocked}." if blocked else "It is not blocked.")
        self.stdout.write(f"{address} is not blocked any more.")
