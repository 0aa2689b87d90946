"""Seals what is personal under one data key per owner, and destroys that key for good. Knows no client.

An owner is an opaque UUID. Its data key is made by the first `seal`, lies wrapped by a master key in the *keyring*
database, apart from everything that it seals, and is gone after `destroy`. Call it in two words: `vault.seal(...)`.

Envelope, version 1, as `seal` returns it (30 bytes more than the data):

    byte 0          the version, 1
    byte 1          the number of the owner's data key, 1: room for exchanging data keys
    bytes 2 to 13   the nonce, random
    bytes 14 ...    AES-256-GCM ciphertext, as long as the data, then the tag of 16 bytes

Bound to it as associated data, each part behind its length: the kind of envelope, version, number, owner, purpose and
record. So nobody who writes to the site's database can move a value to another owner, field or row. The sealing key is
derived from the data key for each purpose; one owner may seal 2^32 values per purpose (see `cipher.seal`).

A named envelope, as `seal_named` returns it, is text: `v1.`, then in URL-safe base64 without padding the 16 bytes of
the owner's id and an envelope of its own kind, bound to owner and purpose but to no record.

An opened key stays in a worker for at most 60 seconds, so after `destroy` in one worker another one can open and seal
for that long; what it seals then is lost.
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
    """An owner's keys for one purpose, ready for many values. Ask for it anew in each call: it outlives `destroy`."""

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
    """Open an owner's keys for values of one purpose, or make them first. Raises what `seal` raises."""
    _refuse_empty(purpose)
    opened = keyring.open_or_make(owner)
    return Sealing(
        bytes((_VERSION, opened.number)),
        _head(owner, opened.number, "record", purpose),
        opened.sealer_for("record", purpose),
        opened.key_for("index", purpose),
    )


def seal(owner: UUID, data: bytes | str, *, purpose: str, record: str) -> bytes:
    """Return an envelope that opens only for the same owner, purpose and record; the owner's first makes its data key.

    Text is sealed as UTF-8. Raises Destroyed for an owner whose key was destroyed, ValueError for an empty purpose or
    record, which would bind the envelope to nothing.
    """
    _refuse_empty(purpose, record)
    return sealing(owner, purpose=purpose).seal(data.encode() if isinstance(data, str) else data, record=record)


def unseal(owner: UUID, envelope: bytes | memoryview, *, purpose: str, record: str) -> bytes:
    """Return the bytes that were sealed for this owner, purpose and record.

    Raises NoKey when nothing was ever sealed for the owner, Destroyed after its key was destroyed, and Broken for an
    envelope that was changed, moved or never ours.
    """
    _refuse_empty(purpose, record)
    return _unseal(owner, bytes(envelope), "record", purpose, record)


def unseal_text(owner: UUID, envelope: bytes | memoryview, *, purpose: str, record: str) -> str:
    """Return the text that was sealed; raises what `unseal` raises."""
    return unseal(owner, envelope, purpose=purpose, record=record).decode()


def seal_named(owner: UUID, text: str, *, purpose: str) -> str:
    """Return an envelope that names its owner, as URL-safe text: for callers that are given nothing but the envelope.

    It is bound to no record: whoever may write to the database can exchange two of the same owner and purpose. Raises
    what `seal` raises.
    """
    _refuse_empty(purpose)
    opened = keyring.open_or_make(owner)
    label = _label(owner, opened.number, "named", purpose)
    sealed = opened.sealer_for("named", purpose).seal(text.encode(), label=label)
    named = owner.bytes + bytes((_VERSION, opened.number)) + sealed
    return _NAMED_PREFIX + base64.urlsafe_b64encode(named).rstrip(b"=").decode()


def unseal_named(text: str, *, purpose: str) -> str:
    """Return the text that `seal_named` sealed for this purpose.

    Raises what `unseal` raises; an envelope whose owner was changed may meet an owner that has no key.
    """
    _refuse_empty(purpose)
    named = _decode(text.removeprefix(_NAMED_PREFIX)) if text.startswith(_NAMED_PREFIX) else b""
    if len(named) < _OWNER_BYTES:
        raise Broken
    owner = UUID(bytes=named[:_OWNER_BYTES])
    return _unseal(owner, named[_OWNER_BYTES:], "named", purpose).decode()


def blind_index(owner: UUID, text: str, *, purpose: str) -> bytes:
    """Return 32 bytes by which an equal text of the same owner and purpose is found again, and by nobody else's.

    HMAC-SHA256 under a key derived from the data key for this purpose. The caller brings text into one form first:
    what a person would call the same must be the same. Makes the data key like `seal`, and raises what it raises.
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
    """Return what the labels of one owner and purpose begin with: making it took half of a seal's time."""
    return cipher.label(f"ibanse {kind}", str(_VERSION), str(number), owner.hex, purpose)


def _decode(text: str) -> bytes:
    try:
        decoded = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return b""
    # The last character has bits to spare: only the spelling that we write is ours.
    return decoded if base64.urlsafe_b64encode(decoded).rstrip(b"=").decode() == text else b""


def _refuse_empty(*names: str) -> None:
    if not all(names):
        raise ValueError("A purpose and a record need a name.")
