"""The guard is an app of its own: its tables refer to no client."""

from django.apps import AppConfig


class Guard(AppConfig):
    """The app of IP blocks and revisions."""

    name = "accounts.guard"
