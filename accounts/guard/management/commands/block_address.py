"""manage.py block_address: blocks an IP address or network everywhere."""

from datetime import timedelta

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from accounts.guard import blocks


class Command(BaseCommand):
    """Block an IP address or network."""

    help = "Refuse every call from an IP address or network, within two seconds."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the address, the reason and the duration."""
        parser.add_argument("address", help="such as 192.0.2.7, 192.0.2.0/24 or 2001:db8::/32")
        parser.add_argument("--reason", default="", help="shown in the list of blocks; at most 200 characters")
        parser.add_argument("--hours", type=int, help="for so long; without it until unblock_address")

    def handle(self, *, address: str, reason: str, hours: int | None, **_options: object) -> None:
        """Block it and print its canonical form."""
        if hours is not None and not 0 < hours <= 10 * 365 * 24:
            raise CommandError("--hours takes 1 to 87600.")
        until = timezone.now() + timedelta(hours=hours) if hours else None
        try:
            network = blocks.block(address, reason=reason[:200], until=until)
        except blocks.BlockRefused as refused:
            raise CommandError(str(refused)) from None
        ends = f"until {timezone.localtime(until).isoformat(' ', 'minutes')}" if until else "until it is unblocked"
        self.stdout.write(f"{network} is blocked {ends}.")
