"""Wraps data keys with the newest master key and unwraps them with the one they name. Knows no database."""

from uuid import UUID

from django.conf import settings

from privacy.crypto import cipher
from privacy.vault.errors import NoMasterKey


def newest_number() -> int:
    """Return the number of the master key that wraps. Raises NoMasterKey when there is none at all."""
    if not settings.MASTER_KEYS:
        raise NoMasterKey("IBANSE_MASTER_KEYS contains no key.")
    return max(settings.MASTER_KEYS)


def wrap(owner: UUID, number: int, data_key: bytes) -> tuple[int, bytes]:
    """Return the number of the newest master key and the owner's data key sealed under it.

    `number` is the data key's own. Raises NoMasterKey when there is none at all.
    """
    newest = newest_number()
    return newest, cipher.seal(settings.MASTER_KEYS[newest], data_key, label=_label(owner, number, newest))


def unwrap(owner: UUID, number: int, master_key: int, wrapped: bytes) -> bytes:
    """Return the data key that `wrap` sealed.

    Raises NoMasterKey, which names the number, when it is not configured or not the one that wrapped it.
    """
    key = settings.MASTER_KEYS.get(master_key)
    if key is None:
        raise NoMasterKey(f"Master key {master_key} wraps a data key, but it is not in IBANSE_MASTER_KEYS.")
    try:
        return cipher.unseal(key, wrapped, label=_label(owner, number, master_key))
    except cipher.Unopened:
        raise NoMasterKey(
            f"Master key {master_key} does not open a data key: another key took its number, or the row was changed."
        ) from None


def _label(owner: UUID, number: int, master_key: int) -> bytes:
    return cipher.label("ibanse data key", owner.hex, str(number), str(master_key))
