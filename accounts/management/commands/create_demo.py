"""manage.py create_demo: makes the demo client of the embedded mode once, and prints its logins."""

from django.core.management.base import BaseCommand, CommandError

from accounts import demo


class Command(BaseCommand):
    """Make a client to look around with."""

    help = "Make the demo client if there is none, and print its logins; refused in production."

    def handle(self, **_options: object) -> None:
        """Print a line per login."""
        try:
            logins = demo.logins()
        except demo.NotHere:
            raise CommandError("The demo is for the embedded mode only.") from None
        for login in logins:
            self.stdout.write(f"  {login.role:9} {login.email:24} {login.password}")
