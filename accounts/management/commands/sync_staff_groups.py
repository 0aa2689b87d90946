"""manage.py sync_staff_groups: updates the staff groups to the table in accounts/staff/groups.py."""

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from accounts.staff import groups


class Command(BaseCommand):
    """Update the groups; run it after each migration."""

    help = "Update the groups of the back-office to the table in accounts/staff/groups.py."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add --check."""
        parser.add_argument("--check", action="store_true", help="change nothing; exit with 1 if there are differences")

    def handle(self, *, check: bool, verbosity: int, **_options: object) -> None:
        """Print each change."""
        try:
            with transaction.atomic():
                changes = groups.sync()
                transaction.set_rollback(check)
        except groups.UnknownPermission as error:
            raise CommandError(
                f"accounts/staff/groups.py names unknown permissions: {error}. Is the database migrated?"
            ) from None
        if changes and check:
            raise CommandError("\n".join(changes))
        if verbosity:
            self.stdout.write("\n".join(changes) or "The groups match the table.")
