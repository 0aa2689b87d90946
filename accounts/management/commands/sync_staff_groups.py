"""manage.py sync_staff_groups: makes the groups of the staff what accounts/staff/groups.py says."""

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from accounts.staff import groups


class Command(BaseCommand):
    """Run it after each migration; with nothing to change it changes nothing."""

    help = "Make the groups of the back-office what the table accounts/staff/groups.py says."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take --check."""
        parser.add_argument("--check", action="store_true", help="change nothing; exit with 1 if something would be")

    def handle(self, *, check: bool, verbosity: int, **_options: object) -> None:
        """Say what was changed, a line each."""
        try:
            with transaction.atomic():
                changes = groups.sync()
                transaction.set_rollback(check)
        except groups.UnknownPermission as error:
            raise CommandError(
                f"accounts/staff/groups.py names what no model allows: {error}. Is the database migrated?"
            ) from None
        if changes and check:
            raise CommandError("\n".join(changes))
        if verbosity:
            self.stdout.write("\n".join(changes) or "The groups are what the table says.")
