"""The guard as a small app of its own: its tables know addresses and clocks, and no client."""

from django.apps import AppConfig


class Guard(AppConfig):
    """The watch at the door."""

    name = "accounts.guard"
