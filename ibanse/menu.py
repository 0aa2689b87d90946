"""The menus of the header, with the pages that this user may open."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from accounts.models import User
from accounts.permissions import Permission


@dataclass(frozen=True, slots=True)
class MenuEntry:
    """A link of a menu."""

    label: Promise
    path: str
    is_current: bool


# Permission, name of the page, label. Without a permission: everybody who is signed in, staff too.
ACCOUNT: Final = (
    (Permission.PROFILE_CHANGE, "accounts:profile", gettext_lazy("Profile")),
    ("", "account_email", gettext_lazy("E-mail address")),
    ("", "account_change_password", gettext_lazy("Password")),
    ("", "mfa_index", gettext_lazy("Two-factor authentication")),
    ("", "usersessions_list", gettext_lazy("Sessions")),
    (Permission.MEMBERS_VIEW, "accounts:users", gettext_lazy("Users")),
    (Permission.AUDIT_VIEW, "accounts:history", gettext_lazy("Audit log")),
    (Permission.CONTACT_VIEW, "accounts:contact", gettext_lazy("Contact details")),
    (Permission.BILLING_VIEW, "accounts:billing", gettext_lazy("Billing details")),
    (Permission.PRIVACY_VIEW, "accounts:settings", gettext_lazy("Settings")),
)
OFFICE: Final = "office"
"""In the place of a permission: for the operator's staff, whose own are in accounts/staff/groups.py."""
OVERVIEW: Final = (
    (OFFICE, "admin:index", gettext_lazy("Back-office")),
    (Permission.OVERVIEW_VIEW, "accounts:overview", gettext_lazy("Overview")),
    (Permission.KEYS_VIEW, "apikeys:keys", gettext_lazy("API keys")),
    (Permission.RECORDS_VIEW, "validation:log", gettext_lazy("Check log")),
)


def menu(request: HttpRequest) -> dict[str, object]:
    """Return the menus of base.html; they are evaluated when they are shown."""
    return {
        "overview_menu": lambda: list(_entries(request, OVERVIEW)),
        "account_menu": lambda: list(_entries(request, ACCOUNT)),
        "signup_is_open": settings.SIGNUP == "open",
    }


def _entries(request: HttpRequest, table: tuple[tuple[Permission | str, str, Promise], ...]) -> Iterator[MenuEntry]:
    user = getattr(request, "user", None)
    if not isinstance(user, User):
        return
    for needed, page, label in table:
        if user.may(needed) if isinstance(needed, Permission) else user.is_staff or needed != OFFICE:
            path = reverse(page)
            yield MenuEntry(label, path, request.path.startswith(path))
