"""Clients and their users: who may do what, and how they sign in."""

from importlib import import_module

from django.apps import AppConfig


class Accounts(AppConfig):
    """The accounts app."""

    name = "accounts"

    def ready(self) -> None:
        """Connect the receivers of allauth's signals."""
        import_module("accounts.auth.credential_events")
