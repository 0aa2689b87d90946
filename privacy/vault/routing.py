"""Keeps the vault's table in the keyring database, and everything else out of it."""

from typing import Any, Final

from django.db.models import Model

KEYRING: Final = "keyring"
"""The alias of the keyring database."""

_VAULT: Final = "vault"


class KeyringRouter:
    """Sends the vault's model to the keyring, for queries and migrations; has no opinion about the other models.

    Apart, because a row deleted beside the data lives on in the data's own log and backups: destroying it there would
    be a false claim.
    """

    def db_for_read(self, model: type[Model], **hints: Any) -> str | None:
        """Return the keyring for the vault's model."""
        return KEYRING if model._meta.app_label == _VAULT else None

    db_for_write = db_for_read

    def allow_relation(self, one: Model, other: Model, **hints: Any) -> bool | None:
        """Refuse a relation between the vault's model and another one."""
        labels = {one._meta.app_label, other._meta.app_label}
        return None if _VAULT not in labels else labels == {_VAULT}

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool | None:
        """Allow the vault's migrations in the keyring and nowhere else, and no others in the keyring."""
        if db == KEYRING or app_label == _VAULT:
            return db == KEYRING and app_label == _VAULT
        return None
