"""Groups of staff members: changed by a colleague, never by oneself, and reported to the group *security*."""

from collections.abc import Collection

from django.contrib.auth.models import Group
from django.db import transaction

from accounts import audit
from accounts.audit.events import StaffEvent
from accounts.auth import presence
from accounts.errors import Refusal
from accounts.models import User
from accounts.staff import groups as staff_groups
from accounts.staff.justification import Justification


def change(member: User, groups: Collection[str], justification: Justification, *, is_active: bool = True) -> bool:
    """Set the groups of a member of staff and whether they may sign in; return whether that changed anything.

    A member who may not sign in any more is signed out everywhere. Raises Refusal `yourself_staff` (people who could
    change their own groups would have all of them) and `not_staff`, KeyError for a group that is not in the table.
    """
    wanted = [name for name in staff_groups.GROUPS if name in {*groups}]
    if len(wanted) < len({*groups}):
        raise KeyError(*({*groups} - staff_groups.GROUPS.keys()))
    with transaction.atomic():
        found = User.objects.select_for_update().filter(pk=member.pk, is_staff=True).first()
        if found is None:
            raise Refusal("not_staff")
        if found.pk == justification.by.pk:
            raise Refusal("yourself_staff")
        had = staff_groups.of(found)
        if (had, found.is_active) == (wanted, is_active):
            return False
        found.groups.set(Group.objects.filter(name__in=wanted))
        User.objects.filter(pk=found.pk).update(is_active=is_active)
        if not is_active:
            presence.end_all(found)
        detail = {"user": found.email, "before": ", ".join(had), "groups": ", ".join(wanted), **justification.reason}
        event = _EVENTS[found.is_active, is_active]
        audit.record_staff(event, by=justification.by, detail=detail)
    return True


_EVENTS = {
    (True, True): StaffEvent.STAFF_GROUPS_CHANGED,
    (False, False): StaffEvent.STAFF_GROUPS_CHANGED,
    (True, False): StaffEvent.STAFF_LOCKED_OUT,
    (False, True): StaffEvent.STAFF_READMITTED,
}
