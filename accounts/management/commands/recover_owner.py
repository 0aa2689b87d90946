"""manage.py recover_owner: makes a user an owner when no owner of the client can sign in."""

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from accounts import messages
from accounts.errors import Refusal
from accounts.models import OwnerRecovery, User
from accounts.team import owner_recovery


class Command(BaseCommand):
    """Request, carry out or cancel the recovery of a client without an owner."""

    help = (
        "Request that a user becomes an owner: everybody at the client is mailed and can cancel it for 72 hours. "
        "Run it again after that to carry it out."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the user and the reason."""
        parser.add_argument("email", help="the user to become an owner")
        parser.add_argument("--reason", default="", help="such as a ticket number; needed for a new request")
        parser.add_argument("--cancel", action="store_true", help="cancel the pending request")

    def handle(self, *, email: str, reason: str, cancel: bool, **_options: object) -> None:
        """Carry out the next step and print it, or why there is none."""
        user = User.objects.filter(email=email.strip().lower()).select_related("client").first()
        if user is None:
            raise CommandError("There is no user with this e-mail address.")
        found = OwnerRecovery.objects.filter(user=user).select_related("client").first()
        if cancel:
            self._cancel(found)
        elif found is None:
            self._request(user, reason)
        else:
            self._execute(found)

    def _request(self, user: User, reason: str) -> None:
        if not reason:
            raise CommandError("Give a --reason, such as a ticket number: the client will read it.")
        try:
            found = owner_recovery.request(user, reason=reason)
        except Refusal as refusal:
            raise CommandError(messages.refusal(refusal)) from None
        due = timezone.localtime(owner_recovery.due_at(found)).isoformat(" ", "minutes")
        self.stdout.write(f"Requested. Everybody at the client is mailed. Run this again after {due}.")

    def _execute(self, found: OwnerRecovery) -> None:
        try:
            user = owner_recovery.execute(found)
        except Refusal:
            due = timezone.localtime(owner_recovery.due_at(found)).isoformat(" ", "minutes")
            raise CommandError(f"Too early: it can be carried out after {due}.") from None
        self.stdout.write(f"{user.email} is an owner now.")

    def _cancel(self, found: OwnerRecovery | None) -> None:
        if found is None:
            raise CommandError("No request is pending for this user.")
        owner_recovery.cancel(found)
        self.stdout.write("Cancelled.")
