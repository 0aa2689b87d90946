"""manage.py mail_messages: mails what was written on the contact page and waits. The site itself does so as well."""

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from privacy.contact import messages


class Command(BaseCommand):
    """Mail the messages that wait."""

    help = "Mail to IBANSE_CONTACT_ADDRESS what was written on the contact page and is not mailed yet."

    def handle(self, **_options: object) -> None:
        """Print how many went; fail when some are left."""
        self.stdout.write(f"Mailed: {messages.mail_waiting(timezone.now(), at_once=True)}")
        if left := messages.waiting():
            raise CommandError(f"Not mailed: {left}. Look at IBANSE_CONTACT_ADDRESS and EMAIL_URL, and into the log.")
