"""Seals bytes under a key and a label. Knows no Django, no owner and no database: only keys, labels and bytes.

The primitives are AES-256-GCM (NIST SP 800-38D), HKDF-SHA256 (RFC 5869) and HMAC-SHA256 (RFC 2104), all from the
standard library and `cryptography`.
"""

import hashlib
import hmac
import os
from collections import deque
from contextlib import suppress

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY_BYTES = 32
NONCE_BYTES = 12
TAG_BYTES = 16
FINGERPRINT_BYTES = 16


class Unopened(Exception):
    """These bytes were not sealed under this key and label, or were altered since; the two are indistinguishable."""


def new_key() -> bytes:
    """Return a fresh key of 256 bits from the system's random source."""
    return os.urandom(KEY_BYTES)


def label(*parts: str) -> bytes:
    """Return one label for several parts; no other list of parts produces the same.

    Each part, in UTF-8, is preceded by its length (four bytes, big-endian), so that "ab", "c" is not "a", "bc".
    """
    encoded = [part.encode() for part in parts]
    return b"".join([len(part).to_bytes(4, "big") + part for part in encoded])


class Sealer:
    """One key, prepared for many seals: preparing it takes longer than sealing a record."""

    def __init__(self, key: bytes) -> None:
        self._aead = AESGCM(key)

    def seal(self, data: bytes, *, label: bytes) -> bytes:
        """Return nonce (12 bytes), ciphertext (as long as `data`) and tag (16 bytes), which only key and label open.

        Nonces are random, so one key may seal at most 2^32 times: the chance that two of them share a nonce stays below
        2^-32 (NIST SP 800-38D, section 8.3).
        """
        nonce = _new_nonce()
        return nonce + self._aead.encrypt(nonce, data, label)

    def unseal(self, sealed: bytes, *, label: bytes) -> bytes:
        """Return what was sealed under this key and label. Raises Unopened for anything else, however short."""
        if len(sealed) < NONCE_BYTES + TAG_BYTES:
            raise Unopened
        try:
            return self._aead.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], label)
        except InvalidTag:
            raise Unopened from None


def seal(key: bytes, data: bytes, *, label: bytes) -> bytes:
    """Return what `Sealer.seal` returns, for a key that is used once."""
    return Sealer(key).seal(data, label=label)


def unseal(key: bytes, sealed: bytes, *, label: bytes) -> bytes:
    """Return what `Sealer.unseal` returns and raise what it raises, for a key that is used once."""
    return Sealer(key).unseal(sealed, label=label)


_NONCES_AT_ONCE = 256
_nonces: deque[bytes] = deque()
# A child process must never reuse nonces of its parent: the same nonce twice under one key breaks both.
os.register_at_fork(after_in_child=_nonces.clear)


def _new_nonce() -> bytes:
    """Return a random nonce that is returned only once.

    Many are drawn at a time: each draw releases the interpreter's lock, and getting it back among busy threads takes
    longer than sealing.
    """
    while True:
        with suppress(IndexError):
            return _nonces.pop()
        drawn = os.urandom(NONCE_BYTES * _NONCES_AT_ONCE)
        _nonces.extend(drawn[at : at + NONCE_BYTES] for at in range(0, len(drawn), NONCE_BYTES))


def derive(key: bytes, *, label: bytes) -> bytes:
    """Return the 256-bit key for one use; it reveals nothing about `key` or the keys for other uses."""
    # No salt: `key` is uniformly random already, so RFC 5869, section 3.1 needs none.
    return HKDF(hashes.SHA256(), KEY_BYTES, salt=None, info=label).derive(key)


def authenticate(key: bytes, data: bytes) -> bytes:
    """Return 32 bytes that are equal for equal key and data, and reveal nothing without the key."""
    return hmac.digest(key, data, "sha256")


def fingerprint(key: bytes) -> str:
    """Return 32 hexadecimal digits that identify a key without revealing it: SHA-256, truncated to 128 bits."""
    return hashlib.sha256(key).digest()[:FINGERPRINT_BYTES].hex()
