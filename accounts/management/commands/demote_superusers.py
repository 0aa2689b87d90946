"""manage.py demote_superusers: removes the superuser flag from every user."""

from django.core.management.base import BaseCommand
from django.db import transaction

from accounts import audit
from accounts.actor import SYSTEM
from accounts.audit.events import StaffEvent
from accounts.models import User


class Command(BaseCommand):
    """Demote superusers; their other roles and groups stay."""

    help = "Make superusers ordinary users again: in production there must be none."
    # The system checks fail as long as there is a superuser.
    requires_system_checks = ()

    def handle(self, *_arguments: object, **_options: object) -> None:
        """Print each user's id, as the check names them."""
        with transaction.atomic():
            for user in User.objects.select_for_update().filter(is_superuser=True):
                User.objects.filter(pk=user.pk).update(is_superuser=False)
                audit.record_staff(StaffEvent.SUPERUSER_DEMOTED, by=SYSTEM, detail={"user": user.email})
                self.stdout.write(f"{user.pk} is no longer a superuser.")
