"""What the header offers: only what this user may open."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from accounts.models import User


@dataclass(frozen=True, slots=True)
class Entry:
    """A link of the menu."""

    label: Promise
    path: str
    is_current: bool


# deed, name of the page, label. An empty deed: everybody who is signed in, staff too.
ACCOUNT: Final = (
    ("profile.change", "accounts:profile", gettext_lazy("Profile")),
    ("", "account_email", gettext_lazy("E-mail address")),
    ("", "account_change_password", gettext_lazy("Password")),
    ("", "mfa_index", gettext_lazy("Two-factor authentication")),
    ("", "usersessions_list", gettext_lazy("Sessions")),
    ("users.view", "accounts:users", gettext_lazy("Users")),
    ("history.view", "accounts:history", gettext_lazy("Audit log")),
    ("contact.view", "accounts:contact", gettext_lazy("Contact details")),
    ("billing.view", "accounts:billing", gettext_lazy("Billing details")),
    ("privacy.view", "accounts:settings", gettext_lazy("Settings")),
)
OFFICE: Final = "office"
"""In the place of a deed: for the operator's staff, whose deeds are in accounts/staff/groups.py."""
OVERVIEW: Final = (
    (OFFICE, "admin:index", gettext_lazy("Back-office")),
    ("overview.view", "accounts:overview", gettext_lazy("Overview")),
    ("keys.view", "apikeys:keys", gettext_lazy("API keys")),
    ("log.view", "validation:log", gettext_lazy("Check log")),
)


def menu(request: HttpRequest) -> dict[str, object]:
    """Return what base.html needs; nothing is looked up until it is shown."""
    return {
        "overview_menu": lambda: list(_entries(request, OVERVIEW)),
        "account_menu": lambda: list(_entries(request, ACCOUNT)),
        "signup_is_open": settings.SIGNUP == "open",
    }


def _entries(request: HttpRequest, table: tuple[tuple[str, str, Promise], ...]) -> Iterator[Entry]:
    user = getattr(request, "user", None)
    if not isinstance(user, User):
        return
    for action, page, label in table:
        if user.is_staff if action == OFFICE else not action or user.may(action):
            path = reverse(page)
            yield Entry(label, path, request.path.startswith(path))
