"""Signatures of the service: Ed25519 under numbered keys, so that what was signed once stays provable later."""

import base64
import binascii

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings


def sign(text: str, *, purpose: str) -> str:
    """Return the signature of `text` for one purpose by the newest key, as `<number>:<base64>`."""
    number = max(settings.SIGNING_KEYS)
    signature = _key(number).sign(_bound(text, purpose))
    return f"{number}:{base64.b64encode(signature).decode()}"


def is_ours(text: str, signature: str, *, purpose: str) -> bool:
    """Return whether we signed just this text for just this purpose, with any key we still have."""
    number, _, encoded = signature.partition(":")
    if not (number.isascii() and number.isdigit() and int(number) in settings.SIGNING_KEYS):
        return False
    try:
        _key(int(number)).public_key().verify(base64.b64decode(encoded, validate=True), _bound(text, purpose))
    except (InvalidSignature, binascii.Error, ValueError):
        return False
    return True


def _key(number: int) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(settings.SIGNING_KEYS[number])


def _bound(text: str, purpose: str) -> bytes:
    """Put the purpose in front, so that a signature made for one thing proves nothing about another."""
    return f"ibanse {purpose}\n{text}".encode()
