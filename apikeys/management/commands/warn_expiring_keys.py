"""manage.py warn_expiring_keys: tells owners of keys that end soon; for a timer that runs once a day."""

from django.core.management.base import BaseCommand
from django.utils import timezone

from apikeys import keys


class Command(BaseCommand):
    """Mail the owners of each key 30, 7 and 1 days before its end."""

    help = "Mail owners 30, 7 and 1 days before an API key ends, each once; run it once a day."

    def handle(self, **_options: object) -> None:
        """Mail them and say of how many keys."""
        self.stdout.write(f"Owners were mailed about {keys.warn_expiring(timezone.now())} keys.")
