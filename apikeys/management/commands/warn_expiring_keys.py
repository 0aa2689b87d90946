"""manage.py warn_expiring_keys: mails owners of keys that expire soon; run by a daily timer."""

from django.core.management.base import BaseCommand
from django.utils import timezone

from apikeys import keys


class Command(BaseCommand):
    """Mail the owners of each key 30, 7 and 1 days before it expires."""

    help = "Mail owners 30, 7 and 1 days before an API key expires, each once; run it once a day."

    def handle(self, **_options: object) -> None:
        """Mail them and print for how many keys."""
        self.stdout.write(f"Owners were mailed about {keys.warn_expiring(timezone.now())} keys.")
