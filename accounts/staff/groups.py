"""Which groups of staff may see and do what, as a table. Knows no page.

A permission is one of Django's. Which one a page needs is declared with the page; `manage.py sync_staff_groups`
writes the groups into the database, where nothing else grants a permission: neither being a superuser nor a permission
of the user itself.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from django.contrib.auth.models import Group as Row
from django.contrib.auth.models import Permission
from django.db import transaction
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from accounts.models import User
from accounts.permissions import StaffPermission


@dataclass(frozen=True, slots=True)
class Group:
    """What its members are called, what it is there for, and what they may."""

    title: Promise
    purpose: Promise
    permissions: frozenset[StaffPermission]


SUPPORT: Final = "support"
BILLING: Final = "billing"
SECURITY: Final = "security"
LEAD: Final = "lead"

GROUPS: Final[dict[str, Group]] = {
    SUPPORT: Group(
        gettext_lazy("Support"),
        gettext_lazy("Clients, their users' state, invitations and contact details; no billing, no check log."),
        frozenset(
            {
                StaffPermission.VIEW_CLIENT,
                StaffPermission.VIEW_MEMBER,
                StaffPermission.VIEW_INVITATION,
                StaffPermission.VIEW_CONTACT_DETAILS,
                StaffPermission.UNMASK_CLIENT,
                StaffPermission.READ_CLIENTS,
                StaffPermission.READ_QUEUES,
                StaffPermission.VIEW_NOTE,
                StaffPermission.NOTE_CLIENT,
                StaffPermission.RESEND_INVITATION,
                StaffPermission.WITHDRAW_INVITATION,
                StaffPermission.SIGN_OUT_MEMBER,
            }
        ),
    ),
    BILLING: Group(
        gettext_lazy("Billing"),
        gettext_lazy("Billing details, usage totals and quotas; no users, no check log."),
        frozenset(
            {
                StaffPermission.VIEW_CLIENT,
                StaffPermission.VIEW_BILLING_DETAILS,
                StaffPermission.UNMASK_CLIENT,
                StaffPermission.VIEW_USAGE,
                StaffPermission.READ_CLIENTS,
                StaffPermission.READ_USAGE,
                StaffPermission.VIEW_QUOTA_MONTH,
                StaffPermission.SET_QUOTA,
                StaffPermission.SET_USER_LIMIT,
                StaffPermission.SUSPEND_CLIENT,
                StaffPermission.REOPEN_CLIENT,
            }
        ),
    ),
    SECURITY: Group(
        gettext_lazy("Security"),
        gettext_lazy("Blocks, refused calls, audit log chains, sessions and key prefixes; no check log."),
        frozenset(
            {
                StaffPermission.VIEW_CLIENT,
                StaffPermission.VIEW_CLIENT_LOG,
                StaffPermission.VIEW_STAFF_LOG,
                StaffPermission.READ_USAGE,
                StaffPermission.READ_REFUSALS,
                StaffPermission.READ_QUEUES,
                StaffPermission.READ_MACHINES,
                StaffPermission.VIEW_KEY,
                StaffPermission.VIEW_BLOCK,
                StaffPermission.VIEW_SESSION,
                StaffPermission.VIEW_NOTE,
                StaffPermission.NOTE_CLIENT,
                StaffPermission.SUSPEND_CLIENT,
                StaffPermission.REOPEN_CLIENT,
                StaffPermission.SIGN_OUT_MEMBER,
                StaffPermission.SIGN_OUT_STAFF,
                StaffPermission.REVOKE_KEY,
                StaffPermission.SET_BLOCK,
                StaffPermission.LIFT_BLOCK,
            }
        ),
    ),
    LEAD: Group(
        gettext_lazy("Lead"),
        gettext_lazy("Staff and their groups; no clients."),
        frozenset(
            {
                StaffPermission.VIEW_GROUP,
                StaffPermission.CHANGE_GROUP,
                StaffPermission.VIEW_STAFF_LOG,
                StaffPermission.SIGN_OUT_STAFF,
                StaffPermission.READ_MACHINES,
            }
        ),
    ),
}
"""Name in the database → group. One person may be in several. Django's permissions on groups are for who is in them."""


class UnknownPermission(Exception):
    """The table names a permission that no model has."""


def sync() -> list[str]:
    """Make the groups in the database what the table says, and return what had to be changed, a line each.

    A group that is not in the table goes, and so does every permission that a user has apart from groups.
    Raises UnknownPermission, and changes nothing, when the table names a permission that no model has.
    """
    known = {f"{of.content_type.app_label}.{of.codename}": of for of in Permission.objects.select_related()}
    if missing := sorted(set().union(*(group.permissions for group in GROUPS.values())) - known.keys()):
        raise UnknownPermission(", ".join(missing))
    with transaction.atomic():
        return list(_changes(known))


def _changes(known: dict[str, Permission]) -> Iterator[str]:
    for row in Row.objects.exclude(name__in=GROUPS):
        row.delete()
        yield f"Removed the group {row.name}, which is not in the table."
    for name, group in GROUPS.items():
        row, is_new = Row.objects.get_or_create(name=name)
        if is_new:
            yield f"Made the group {name}."
        has = {f"{app}.{code}" for app, code in row.permissions.values_list("content_type__app_label", "codename")}
        if has != group.permissions:
            row.permissions.set([known[permission] for permission in group.permissions])
            yield from (f"{name} may now {permission}." for permission in sorted(group.permissions - has))
            yield from (f"{name} may no longer {permission}." for permission in sorted(has - group.permissions))
    for user in User.objects.filter(user_permissions__isnull=False).distinct():
        user.user_permissions.clear()
        yield f"Took the rights that user {user.pk} had apart from groups."


def of(user: User) -> list[str]:
    """Return the names of the groups of a user, in the order of the table."""
    names = set(user.groups.values_list("name", flat=True))
    return [name for name in GROUPS if name in names]
