"""manage.py read_messages: shows the messages of the contact page."""

from django.core.management.base import BaseCommand, CommandError

from privacy import vault
from privacy.contact import messages


class Command(BaseCommand):
    """Show the messages of the contact page."""

    help = "Show what was written on the contact page, oldest first, and whether it is mailed. Changes nothing."

    def handle(self, **_options: object) -> None:
        """Print each message with its reference."""
        count = 0
        try:
            for message in messages.every():
                self._show(message)
                count += 1
        except vault.VaultError as error:
            raise CommandError(f"Message {count + 1} does not open ({type(error).__name__}).") from None
        noun = "message" if count == 1 else "messages"
        self.stdout.write(f"{count} {noun}, {messages.unmailed()} of them not mailed yet.")

    def _show(self, message: messages.Message) -> None:
        row, words = message.row, message.words
        mailed = f"mailed {row.mailed_at:%Y-%m-%d %H:%M}" if row.mailed_at else "NOT MAILED YET"
        self.stdout.write(f"{message.reference}  {row.received_at:%Y-%m-%d %H:%M} UTC  {row.subject}  {mailed}")
        self.stdout.write(f"From: {words.name or '-'} <{words.email}>")
        self.stdout.write("".join(f"  {line}\n" for line in words.text.splitlines()))
