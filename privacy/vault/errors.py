"""Errors of the vault. No message names an owner or contains sealed data."""

from typing import ClassVar


class VaultError(Exception):
    """The vault refused; the message is for the operator."""

    message: ClassVar[str] = "The vault refused."

    def __init__(self, message: str = "") -> None:
        super().__init__(message or self.message)


class NoKey(VaultError):
    """Nothing was ever sealed for this owner, or the keyring was restored from before its first seal."""

    message = "This owner has no data key."


class Destroyed(VaultError):
    """The owner's data key was destroyed: nothing it sealed can be opened, and nothing new is sealed for it."""

    message = "This owner's data key was destroyed."


class Broken(VaultError):
    """The envelope was altered, moved or not created by us. Which of these is not said: it would help an attacker."""

    message = "This envelope does not open."


class NoMasterKey(VaultError):
    """The master key that wraps a data key is not the one in IBANSE_MASTER_KEYS; the message names its version."""


class Unfinished(VaultError):
    """The key was destroyed, but the keyring was too busy to truncate its log; calling `destroy` again does that."""

    message = "The data key was destroyed, but its bytes may still be in the keyring's log; destroy it again."
