"""manage.py delete_message REFERENCE: deletes a message of the contact page before its retention ends."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from privacy.contact import messages


class Command(BaseCommand):
    """Delete a message of the contact page."""

    help = "Delete a message of the contact page. A mail that was sent of it is not affected."

    def add_arguments(self, parser: CommandParser) -> None:
        """Accept the reference."""
        parser.add_argument("reference", help="as read_messages shows it, such as 3F2A-9C1D")

    def handle(self, *, reference: str, **_options: Any) -> None:
        """Delete it; fail when there is none."""
        if not messages.delete(reference):
            raise CommandError(f"There is no message {reference}.")
        self.stdout.write(f"Deleted: {reference.strip().upper()}")
