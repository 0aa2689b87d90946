"""manage.py create_staff: creates a staff user of the back-office."""

import getpass
import sys

from allauth.account.models import EmailAddress
from django.contrib.auth.models import Group
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.validators import validate_email
from django.db import transaction

from accounts import audit
from accounts.actor import SYSTEM
from accounts.audit.events import StaffEvent
from accounts.models import User
from accounts.staff import groups as staff_groups


class Command(BaseCommand):
    """Create a staff user, who has access only after adding a second factor."""

    help = "Create a staff user of the back-office; the password is prompted for, or read from standard input."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the e-mail address; the password is no argument, since other users can read command lines."""
        parser.add_argument("email")
        parser.add_argument(
            "--group",
            action="append",
            default=[],
            choices=list(staff_groups.GROUPS),
            help="a group of the user; repeatable. Later a member of the group lead changes it",
        )
        parser.add_argument("--password-stdin", action="store_true", help="read the password from standard input")

    def handle(self, *, email: str, group: list[str], password_stdin: bool, **_options: object) -> None:
        """Create the user, or fail with the reason."""
        email = email.strip().lower()
        password = sys.stdin.readline().rstrip("\n") if password_stdin else getpass.getpass("Password: ")
        try:
            validate_email(email)
            validate_password(password, User(email=email))
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from None
        if User.objects.filter(email=email).exists():
            raise CommandError("A user with this e-mail address already exists.")
        groups = Group.objects.filter(name__in=group)
        if len(groups) < len(set(group)):
            raise CommandError("The groups do not exist yet. Run: manage.py sync_staff_groups")
        with transaction.atomic():
            user = User.objects.create_user(email, password, is_staff=True)
            user.groups.set(groups)
            EmailAddress.objects.create(user=user, email=email, verified=True, primary=True)
            audit.record_staff(
                StaffEvent.STAFF_CREATED, by=SYSTEM, detail={"email": email, "groups": ", ".join(sorted(group))}
            )
        memberships = f"in {', '.join(sorted(set(group)))}" if group else "in no group yet and has no permissions"
        self.stdout.write(f"{email} is staff now, {memberships}; a second factor is added at the first sign-in.")
