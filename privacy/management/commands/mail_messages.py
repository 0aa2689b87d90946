"""manage.py mail_messages: mails the messages of the contact page that are not mailed yet, as the site itself does."""

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from privacy.contact import messages


class Command(BaseCommand):
    """Mail unmailed messages."""

    help = "Mail to IBANSE_CONTACT_ADDRESS what was written on the contact page and is not mailed yet."

    def handle(self, **_options: object) -> None:
        """Print how many were mailed; fail when some are left."""
        self.stdout.write(f"Mailed: {messages.mail_waiting(timezone.now(), at_once=True)}")
        if left := messages.unmailed():
            raise CommandError(f"Not mailed: {left}. Look at IBANSE_CONTACT_ADDRESS and EMAIL_URL, and into the log.")
