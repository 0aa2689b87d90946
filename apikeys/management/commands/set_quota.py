"""manage.py set_quota: sets how many checks a client may make per month."""

from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import Client, User
from accounts.usage import quota


class Command(BaseCommand):
    """Set the monthly quota of a client."""

    help = "Set how many checks a client may make per calendar month (UTC); its owners are mailed."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the client and the new quota."""
        parser.add_argument("client", help="the client's id, or the e-mail address of one of its owners")
        parser.add_argument("units", type=int, metavar="CHECKS", help="per month; one IBAN is one check")

    def handle(self, *, client: str, units: int, **_options: object) -> None:
        """Set it and print what it was before."""
        found = _find(client)
        try:
            before = quota.change(found, units)
        except ValueError as error:
            raise CommandError(str(error)) from None
        self.stdout.write(f"The quota of {found.pk} is {units} checks per month; it was {before}.")


def _find(text: str) -> Client:
    try:
        found = Client.objects.filter(pk=UUID(text)).first()
    except ValueError:
        owner = User.objects.filter(email=text.strip().lower(), role=User.Role.OWNER).select_related("client").first()
        found = owner.client if owner else None
    if found is None:
        raise CommandError("There is no client with this id, and no owner with this e-mail address.")
    return found
