"""manage.py demote_superusers: takes from everybody the mark that lets them do everything."""

from django.core.management.base import BaseCommand
from django.db import transaction

from accounts import audit
from accounts.actor import SYSTEM
from accounts.audit.events import StaffEvent
from accounts.models import User


class Command(BaseCommand):
    """They stay what they are besides; if staff, with their groups."""

    help = "Make superusers ordinary users again: in production nobody may do everything."
    # The checks fail as long as there is somebody to demote.
    requires_system_checks = ()

    def handle(self, *_arguments: object, **_options: object) -> None:
        """Name each by the number that the check names."""
        with transaction.atomic():
            for user in User.objects.select_for_update().filter(is_superuser=True):
                User.objects.filter(pk=user.pk).update(is_superuser=False)
                audit.record_staff(StaffEvent.SUPERUSER_DEMOTED, by=SYSTEM, detail={"user": user.email})
                self.stdout.write(f"{user.pk} is no superuser any more.")
