"""manage.py create_demo: creates the demo client of the embedded mode once, and prints its logins and API keys."""

from django.core.management.base import BaseCommand, CommandError

from apikeys.views import first_call
from ibanse import demo


class Command(BaseCommand):
    """Create the demo client."""

    help = (
        "Create the demo client with two API keys if there is none, and print how to use them; refused in production."
    )

    def handle(self, **_options: object) -> None:
        """Print a line per login, a line per key and a first call."""
        try:
            logins = demo.logins()
            keys = demo.api_keys()
        except demo.DemoUnavailable:
            raise CommandError("The demo is for the embedded mode only.") from None
        for login in logins:
            self.stdout.write(f"  {login.role:9} {login.email:24} {login.password}")
        for kind, text in keys.items():
            self.stdout.write(f"  {kind + ' key':9} {text}")
        self.stdout.write(f"Try the API:\n  {first_call.command(keys['live'])}")
