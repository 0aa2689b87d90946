"""Boxes that only an operator's private key opens, which is stored elsewhere. Knows keys and bytes: no file, no Django.

A box is a message of HPKE (RFC 9180, base mode, with HKDF-SHA256 and AES-256-GCM). Its key is agreed on by X25519
(RFC 7748), by default together with ML-KEM-768 (FIPS 203), so that a box stolen today stays closed even when one of
the two is broken. Anyone with the public key can create a box: opening it does not prove who created it.
"""

import base64
import hashlib
import os
from collections.abc import Callable
from typing import Final, NamedTuple, Self

from cryptography.exceptions import InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import (
    AEAD,
    KDF,
    KEM,
    MLKEM768X25519PrivateKey,
    MLKEM768X25519PublicKey,
    Suite,
)

DEFAULT_SCHEME: Final = "mlkem768-x25519"
# The prefix of a private key, so that one pasted in place of a public key is refused.
_PRIVATE: Final = "private"
_SEED_BYTES: Final = 64
_MLKEM_PUBLIC_BYTES: Final = 1184
_X25519_BYTES: Final = 32

_Public = X25519PublicKey | MLKEM768X25519PublicKey
_Private = X25519PrivateKey | MLKEM768X25519PrivateKey


class KeyTextError(Exception):
    """A text is not a key; the message says what is wrong and repeats nothing of it."""


class UnopenedBox(Exception):
    """This box was not created for this key and label, or was altered since."""


class _Scheme(NamedTuple):
    """A way to agree on a key; all lengths are of raw keys."""

    kem: KEM
    private_bytes: int
    public_bytes: int
    private: Callable[[bytes], _Private]
    public: Callable[[bytes], _Public]
    public_of: Callable[[bytes], bytes]


def _mlkem_private(raw: bytes) -> MLKEM768PrivateKey:
    return MLKEM768PrivateKey.from_seed_bytes(raw[:_SEED_BYTES])


def _hybrid_private(raw: bytes) -> _Private:
    return MLKEM768X25519PrivateKey(_mlkem_private(raw), X25519PrivateKey.from_private_bytes(raw[_SEED_BYTES:]))


def _hybrid_public(raw: bytes) -> _Public:
    mlkem = MLKEM768PublicKey.from_public_bytes(raw[:_MLKEM_PUBLIC_BYTES])
    return MLKEM768X25519PublicKey(mlkem, X25519PublicKey.from_public_bytes(raw[_MLKEM_PUBLIC_BYTES:]))


def _x25519_public_of(raw: bytes) -> bytes:
    return X25519PrivateKey.from_private_bytes(raw).public_key().public_bytes_raw()


def _hybrid_public_of(raw: bytes) -> bytes:
    return _mlkem_private(raw).public_key().public_bytes_raw() + _x25519_public_of(raw[_SEED_BYTES:])


SCHEMES: Final = {
    # Raw keys are those of ML-KEM-768 (private: the seed), then those of X25519.
    DEFAULT_SCHEME: _Scheme(
        KEM.MLKEM768_X25519,
        _SEED_BYTES + _X25519_BYTES,
        _MLKEM_PUBLIC_BYTES + _X25519_BYTES,
        _hybrid_private,
        _hybrid_public,
        _hybrid_public_of,
    ),
    "x25519": _Scheme(
        KEM.X25519,
        _X25519_BYTES,
        _X25519_BYTES,
        X25519PrivateKey.from_private_bytes,
        X25519PublicKey.from_public_bytes,
        _x25519_public_of,
    ),
}


class PublicKey(NamedTuple):
    """A key that creates boxes; written as `1:mlkem768-x25519:<base64>`."""

    number: int
    scheme: str
    raw: bytes

    def __str__(self) -> str:
        """Return it as the settings have it."""
        return f"{self.number}:{self.scheme}:{base64.b64encode(self.raw).decode()}"

    @property
    def fingerprint(self) -> str:
        """16 hexadecimal digits that identify it: of SHA-256."""
        return hashlib.sha256(self.scheme.encode() + self.raw).hexdigest()[:16]

    def seal(self, data: bytes, *, label: bytes) -> bytes:
        """Return a box, longer than `data` by 1,136 bytes (mlkem768-x25519) or 48 (x25519)."""
        scheme = SCHEMES[self.scheme]
        return _suite(scheme).encrypt(data, scheme.public(self.raw), info=label)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return a key from the text of the settings. Raises KeyTextError."""
        number, scheme, raw = _parsed(text, lambda scheme: scheme.public_bytes)
        key = cls(number, scheme, raw)
        try:
            # Some bytes of the right length are no key, or a key that would leave every box open.
            key.seal(b"", label=b"")
        except ValueError:
            raise KeyTextError(f"Key {number} is no public key of {scheme}.") from None
        except UnsupportedAlgorithm:
            raise KeyTextError(f"This machine's OpenSSL has no {scheme}; make key {number} as x25519.") from None
        return key


class PrivateKey:
    """A key that opens boxes; written as `private:1:mlkem768-x25519:<base64>`. Its repr does not reveal it."""

    def __init__(self, number: int, scheme: str, raw: bytes) -> None:
        self._raw = raw
        self._scheme = SCHEMES[scheme]
        self.public = PublicKey(number, scheme, self._scheme.public_of(raw))

    @classmethod
    def make(cls, number: int, scheme: str = DEFAULT_SCHEME) -> Self:
        """Create a key: all its bytes are random, as FIPS 203 and RFC 7748 specify."""
        return cls(number, scheme, os.urandom(SCHEMES[scheme].private_bytes))

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the key that `text` was read from. Raises KeyTextError."""
        mark, _, key = text.strip().partition(":")
        if mark != _PRIVATE:
            raise KeyTextError("A private key begins with `private:`.")
        return cls(*_parsed(key, lambda scheme: scheme.private_bytes))

    @property
    def text(self) -> str:
        """The key as text, which opens every box."""
        public = self.public
        return f"{_PRIVATE}:{public.number}:{public.scheme}:{base64.b64encode(self._raw).decode()}"

    def unseal(self, box: bytes, *, label: bytes) -> bytes:
        """Return what is in the box. Raises UnopenedBox."""
        try:
            return _suite(self._scheme).decrypt(box, self._scheme.private(self._raw), info=label)
        except InvalidTag:
            raise UnopenedBox from None


def public_keys(text: str) -> tuple[PublicKey, ...]:
    """Return several keys, separated by commas. Raises KeyTextError, also for a repeated number."""
    keys = tuple(PublicKey.parse(part) for part in text.split(","))
    if len({key.number for key in keys}) < len(keys):
        raise KeyTextError("A number is given twice.")
    return keys


def _suite(scheme: _Scheme) -> Suite:
    return Suite(scheme.kem, KDF.HKDF_SHA256, AEAD.AES_256_GCM)


def _parsed(text: str, length: Callable[[_Scheme], int]) -> tuple[int, str, bytes]:
    number, name, encoded = [*text.strip().split(":"), "", ""][:3]
    if number == _PRIVATE:
        raise KeyTextError("This is a private key, which must not be on this machine; its public half belongs here.")
    if not (number.isascii() and number.isdigit() and 0 < int(number) < 2**31 and name in SCHEMES):
        schemes = " or ".join(SCHEMES)
        raise KeyTextError(f"A key is written as a number, a colon, {schemes}, a colon and base64.")
    try:
        raw = base64.b64decode(encoded, validate=True)
    except ValueError:
        raise KeyTextError(f"Key {int(number)} is not base64.") from None
    if len(raw) != length(SCHEMES[name]):
        raise KeyTextError(f"Key {int(number)} has {len(raw)} bytes; {name} has {length(SCHEMES[name])}.")
    return int(number), name, raw
