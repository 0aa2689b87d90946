"""The vault: data keys of owners it does not know."""

from django.apps import AppConfig


class Vault(AppConfig):
    """The vault as a small app of its own, so that its table can live in a database of its own."""

    name = "privacy.vault"
