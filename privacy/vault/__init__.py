"""Encrypts personal data under one data key per owner, and destroys that key for good. Knows no client.

An owner is an opaque UUID. Its data key is created by the first `seal`, is stored in the *keyring* database, wrapped by
a master key and apart from everything that it seals, and no longer exists after `destroy`. Call it with its package
name: `vault.seal(...)`.

Envelope, version 1, as `seal` returns it (30 bytes more than the data):

    byte 0          the version, 1
    byte 1          the version of the owner's data key, 1: allows replacing data keys
    bytes 2 to 13   the nonce, random
    bytes 14 ...    AES-256-GCM ciphertext, as long as the data, then the tag of 16 bytes

Bound to it as associated data, each part preceded by its length: the kind of envelope, version, key version, owner,
purpose and record. So nobody who can write to the site's database can move a value to another owner, field or row. The
sealing key is derived from the data key for each purpose; one owner may seal 2^32 values per purpose (`cipher.seal`).

A named envelope, as `seal_named` returns it, is text: `v1.`, then in URL-safe base64 without padding the 16 bytes of
the owner's ID and an envelope of its own kind, bound to owner and purpose but to no record.

An unwrapped key stays in a worker for at most 60 seconds, so after `destroy` in one worker another one can decrypt and
seal for that long; what it seals then is lost.
"""

import base64
import binascii
from functools import lru_cache
from typing import Final, NamedTuple
from uuid import UUID

from privacy.crypto import cipher
from privacy.vault import keyring
from privacy.vault.errors import Broken, Destroyed, NoKey, NoMasterKey, Unfinished, VaultError
from privacy.vault.keyring import (
    MasterKeyStatus,
    Status,
    Tombstone,
    destroy,
    fingerprint,
    forget,
    objections,
    owners,
    status,
    tombstone,
)
from privacy.vault.rotation import Chunk, rewrap, to_rewrap

__all__ = [
    "Broken",
    "Chunk",
    "Destroyed",
    "MasterKeyStatus",
    "NoKey",
    "NoMasterKey",
    "Sealing",
    "Status",
    "Tombstone",
    "Unfinished",
    "VaultError",
    "blind_index",
    "destroy",
    "fingerprint",
    "forget",
    "objections",
    "owners",
    "rewrap",
    "seal",
    "seal_named",
    "sealing",
    "status",
    "to_rewrap",
    "tombstone",
    "unseal",
    "unseal_named",
    "unseal_text",
]

_VERSION: Final = 1
_HEADER_BYTES: Final = 2
_OWNER_BYTES: Final = 16
_NAMED_PREFIX: Final = "v1."


class Sealing(NamedTuple):
    """An owner's keys for one purpose, for sealing many values. Get a new one in each call: it outlives `destroy`."""

    envelope_head: bytes
    label_head: bytes
    sealer: cipher.Sealer
    index_key: bytes

    def seal(self, data: bytes, *, record: str) -> bytes:
        """Return what `vault.seal` returns."""
        _refuse_empty(record)
        return self.envelope_head + self.sealer.seal(data, label=self.label_head + cipher.label(record))

    def blind_index(self, text: str) -> bytes:
        """Return what `vault.blind_index` returns."""
        return cipher.authenticate(self.index_key, text.encode())


def sealing(owner: UUID, *, purpose: str) -> Sealing:
    """Return an owner's keys for values of one purpose, creating them if needed. Raises what `seal` raises."""
    _refuse_empty(purpose)
    opened = keyring.open_or_create(owner)
    return Sealing(
        bytes((_VERSION, opened.number)),
        _head(owner, opened.number, "record", purpose),
        opened.sealer_for("record", purpose),
        opened.key_for("index", purpose),
    )


def seal(owner: UUID, data: bytes | str, *, purpose: str, record: str) -> bytes:
    """Return an envelope that opens only for the same owner, purpose and record; the first one creates the data key.

    Text is sealed as UTF-8. Raises Destroyed for an owner whose key was destroyed, ValueError for an empty purpose or
    record, which would bind the envelope to nothing.
    """
    _refuse_empty(purpose, record)
    return sealing(owner, purpose=purpose).seal(data.encode() if isinstance(data, str) else data, record=record)


def unseal(owner: UUID, envelope: bytes | memoryview, *, purpose: str, record: str) -> bytes:
    """Return the bytes that were sealed for this owner, purpose and record.

    Raises NoKey when nothing was ever sealed for the owner, Destroyed after its key was destroyed, and Broken for an
    envelope that was altered, moved or not created by us.
    """
    _refuse_empty(purpose, record)
    return _unseal(owner, bytes(envelope), "record", purpose, record)


def unseal_text(owner: UUID, envelope: bytes | memoryview, *, purpose: str, record: str) -> str:
    """Return the text that was sealed; raises what `unseal` raises."""
    return unseal(owner, envelope, purpose=purpose, record=record).decode()


def seal_named(owner: UUID, text: str, *, purpose: str) -> str:
    """Return an envelope that names its owner, as URL-safe text: for callers that have nothing but the envelope.

    It is bound to no record: anyone who can write to the database can swap two of the same owner and purpose. Raises
    what `seal` raises.
    """
    _refuse_empty(purpose)
    opened = keyring.open_or_create(owner)
    label = _label(owner, opened.number, "named", purpose)
    sealed = opened.sealer_for("named", purpose).seal(text.encode(), label=label)
    named = owner.bytes + bytes((_VERSION, opened.number)) + sealed
    return _NAMED_PREFIX + base64.urlsafe_b64encode(named).rstrip(b"=").decode()


def unseal_named(text: str, *, purpose: str) -> str:
    """Return the text that `seal_named` sealed for this purpose.

    Raises what `unseal` raises; an envelope whose owner was altered may name an owner without a key.
    """
    _refuse_empty(purpose)
    named = _decode(text.removeprefix(_NAMED_PREFIX)) if text.startswith(_NAMED_PREFIX) else b""
    if len(named) < _OWNER_BYTES:
        raise Broken
    owner = UUID(bytes=named[:_OWNER_BYTES])
    return _unseal(owner, named[_OWNER_BYTES:], "named", purpose).decode()


def blind_index(owner: UUID, text: str, *, purpose: str) -> bytes:
    """Return 32 bytes that are equal for equal texts of the same owner and purpose, and of nobody else.

    HMAC-SHA256 under a key derived from the data key for this purpose. The caller normalises the text first, so that
    equal values are equal texts. Creates the data key like `seal`, and raises what it raises.
    """
    return sealing(owner, purpose=purpose).blind_index(text)


def _unseal(owner: UUID, envelope: bytes, kind: str, *purpose_and_record: str) -> bytes:
    opened = keyring.open_existing(owner)
    if envelope[:_HEADER_BYTES] != bytes((_VERSION, opened.number)):
        raise Broken
    label = _label(owner, opened.number, kind, *purpose_and_record)
    try:
        return opened.sealer_for(kind, purpose_and_record[0]).unseal(envelope[_HEADER_BYTES:], label=label)
    except cipher.Unopened:
        raise Broken from None


def _label(owner: UUID, number: int, kind: str, purpose: str, *record: str) -> bytes:
    return _head(owner, number, kind, purpose) + cipher.label(*record)


@lru_cache(maxsize=10_000)
def _head(owner: UUID, number: int, kind: str, purpose: str) -> bytes:
    """Return the beginning of the labels of one owner and purpose; cached, since it took half the time of a seal."""
    return cipher.label(f"ibanse {kind}", str(_VERSION), str(number), owner.hex, purpose)


def _decode(text: str) -> bytes:
    try:
        decoded = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return b""
    # The last character has unused bits: accept only the spelling that we write.
    return decoded if base64.urlsafe_b64encode(decoded).rstrip(b"=").decode() == text else b""


def _refuse_empty(*names: str) -> None:
    if not all(names):
        raise ValueError("The purpose and the record must not be empty.")
