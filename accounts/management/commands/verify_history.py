"""manage.py verify_history: reads the trails of clients and staff and names the first entry that is not right."""

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts import history, staff_history
from accounts.models import Client


class Command(BaseCommand):
    """Verify the chains of the clients' histories and of the staff's."""

    help = "Read the history of every client, and of staff, and fail when a chain is broken."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take one client's id, or none for everybody's."""
        parser.add_argument("client", nargs="?", help="the id of one client")

    def handle(self, *, client: str | None, **_options: object) -> None:
        """Print a line per broken chain; fail when there is one."""
        clients = Client.objects.filter(pk=client) if client else Client.objects.all()
        results = [(str(found.pk), history.verify(found)) for found in clients.order_by("created_at").iterator()]
        if not client:
            results.append(("staff", staff_history.verify()))
        broken = [(key, result) for key, result in results if not result.ok]
        for key, result in broken:
            self.stderr.write(f"{key}: entry {result.first_bad} is {result.problem}")
        if broken:
            raise CommandError(f"{len(broken)} of {len(results)} histories are broken.")
        self.stdout.write(f"{len(results)} histories are whole.")
