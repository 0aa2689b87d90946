"""What the vault says when it does not seal or open. No sentence names an owner or repeats what was sealed."""

from typing import ClassVar


class VaultError(Exception):
    """The vault refused; the message is a sentence for the operator."""

    sentence: ClassVar[str] = "The vault refused."

    def __init__(self, sentence: str = "") -> None:
        super().__init__(sentence or self.sentence)


class NoKey(VaultError):
    """Nothing was ever sealed for this owner, or its key was restored from a time before."""

    sentence = "This owner has no data key."


class Destroyed(VaultError):
    """The owner's data key was destroyed; what it sealed stays closed, and nothing new is sealed for it."""

    sentence = "This owner's data key was destroyed."


class Broken(VaultError):
    """The envelope was changed, moved or never ours. Which of it is not said: that would help whoever tries."""

    sentence = "This envelope does not open."


class NoMasterKey(VaultError):
    """The master key that wraps a data key is not the one in IBANSE_MASTER_KEYS; the sentence names its number."""


class Unfinished(VaultError):
    """The key was destroyed, but the keyring was too busy to cut its log; calling `destroy` again finishes it."""

    sentence = "The data key was destroyed, but its bytes may still stand in the keyring's log; destroy it again."
