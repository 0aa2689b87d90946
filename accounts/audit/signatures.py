"""Signatures of the service: Ed25519 under versioned keys, so that what was signed once stays provable later."""

import base64
import binascii

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings


def sign(text: str, *, purpose: str) -> str:
    """Return the signature of `text` for one purpose by the newest key, as `<key version>:<base64>`."""
    key_version = max(settings.SIGNING_KEYS)
    signature = _key(key_version).sign(_bound(text, purpose))
    return f"{key_version}:{base64.b64encode(signature).decode()}"


def is_ours(text: str, signature: str, *, purpose: str) -> bool:
    """Return whether we signed just this text for just this purpose, with any key we still have."""
    key_version, _, encoded = signature.partition(":")
    if not (key_version.isascii() and key_version.isdigit() and int(key_version) in settings.SIGNING_KEYS):
        return False
    try:
        _key(int(key_version)).public_key().verify(base64.b64decode(encoded, validate=True), _bound(text, purpose))
    except (InvalidSignature, binascii.Error, ValueError):
        return False
    return True


def _key(key_version: int) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(settings.SIGNING_KEYS[key_version])


def _bound(text: str, purpose: str) -> bytes:
    """Put the purpose in front, so that a signature made for one thing proves nothing about another."""
    return f"ibanse {purpose}\n{text}".encode()
