"""The Django app of the vault."""

from django.apps import AppConfig


class Vault(AppConfig):
    """An app of its own, so that its table can be in a database of its own."""

    name = "privacy.vault"
