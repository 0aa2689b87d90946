"""From the header of a call to the key that may make it, or a Problem. Each step is a function, in this order:

header → split → find → compare → usable → address → scope. (Rate and quota follow: rates.py, quota.py.) Unknown, wrong,
revoked and expired keys are refused alike; only whoever has proven the secret learns that the address is the reason.

Keys are held in memory for as long as nothing that is held has changed (accounts/guard/revisions.py), so a revoked key
is refused within two seconds by every worker, and a call need not ask the database.
"""

import logging
import secrets
import time
from datetime import timedelta
from hashlib import blake2b
from typing import Final, NamedTuple
from uuid import UUID

from django.conf import settings

from accounts import audit
from accounts.actor import Actor
from accounts.audit.events import AuditEvent
from accounts.guard import addresses, revisions
from accounts.models import Client
from apikeys import networks, peppers, tokens
from apikeys.limits import rate
from apikeys.models import ApiKey
from apikeys.problems import Problem
from privacy import vault
from privacy.check_logging import mode

log = logging.getLogger(__name__)

_SCHEME: Final = "Bearer "
_MOST_HELD: Final = 20_000
_MOST_ADDRESSES: Final = 1_000
_NOTIFIED_FOR: Final = timedelta(days=1)
_CHALLENGE: Final = {"WWW-Authenticate": 'Bearer realm="ibanse"'}


class Key(NamedTuple):
    """A key as it is held in memory: all that a call needs to know of it and its client."""

    id: UUID
    client: UUID
    is_test: bool
    digest: bytes
    pepper: bytes | None
    """None when the pepper of its number is gone from the settings: nothing fits then."""
    scopes: frozenset[str]
    networks: tuple[networks.Network, ...] | None
    """None: any address."""
    rate_per_minute: int
    quota: int
    """The client's units per month."""
    ends: float
    """When it stops to work, as a Unix time; 0 when it is revoked or its client is not active."""
    keeps: mode.Choice
    """What the client wants kept of a check."""
    allowed: dict[str, bool]
    """The addresses seen so far → whether the networks hold them."""


class _Held(NamedTuple):
    mark: UUID
    keys: dict[str, Key]
    proven: dict[bytes, Key]
    """The headers that have proven a key, by their hash."""


_held = _Held(UUID(int=0), {}, {})


def authenticate(header: str | None, *, address: str, scope: str | None) -> Key:
    """Return the key that may make a call of `scope` (None: every key may) from `address`.

    Raises Problem: key_missing, key_malformed, key_unknown, address_not_allowed, scope_missing; Unreadable or a
    database error when nobody can tell whether the key still works.
    """
    key = _prove(header)
    _refuse_unusable(key, address)
    _refuse_address(key, address)
    if scope is not None and scope not in key.scopes:
        raise Problem("scope_missing", values={"scope": scope})
    return key


def _prove(header: str | None) -> Key:
    """Return the key whose secret the header holds, as the key was at most two seconds ago."""
    held = _current()
    name = _hash(header)
    key = held.proven.get(name)
    if key is None:
        token = _split(header)
        key = held.proven[name] = _compare(token, _find(token, held))
    return key


_FOR_THIS_PROCESS: Final = secrets.token_bytes(32)


def _hash(header: str | None) -> bytes:
    """Return what stands for a header in memory: no text of a key, and nothing that tells how near one is to another.

    A header that has proven its key need not be taken apart and compared again, which takes four times as long.
    """
    return blake2b((header or "").encode("utf-8", "surrogatepass"), digest_size=32, key=_FOR_THIS_PROCESS).digest()


def _split(header: str | None) -> tokens.Token:
    if not header:
        raise Problem("key_missing", headers=_CHALLENGE)
    # RFC 9110: the name of the scheme is the same in any case.
    if header[: len(_SCHEME)].title() != _SCHEME:
        raise Problem("key_malformed", headers=_CHALLENGE)
    try:
        return tokens.split(header[len(_SCHEME) :].strip(" "))
    except tokens.Malformed:
        raise Problem("key_malformed", headers=_CHALLENGE) from None


def _current() -> _Held:
    """Return what is held, emptied first when anything has changed since or there is too much of it."""
    global _held
    mark = revisions.current()
    held = _held
    if held.mark != mark or len(held.keys) > _MOST_HELD or len(held.proven) > _MOST_HELD:
        held = _held = _Held(mark, {}, {})
    return held


def _find(token: tokens.Token, held: _Held) -> Key | None:
    key = held.keys.get(token.identifier)
    if key is None and (key := _load(token)) is not None:
        held.keys[token.identifier] = key
    return key


def _load(token: tokens.Token) -> Key | None:
    row = ApiKey.objects.select_related("client").filter(identifier=token.identifier).first()
    if row is None:
        return None
    works = row.revoked_at is None and row.client.state == Client.State.ACTIVE
    if works and row.next_pepper is not None:
        peppers.renew(row, token.text)
    return Key(
        id=row.pk,
        client=row.client_id,
        is_test=row.is_test,
        digest=bytes(row.digest),
        pepper=settings.PEPPERS.get(row.pepper),
        scopes=frozenset(row.scopes),
        networks=None if row.any_address else tuple(networks.parse(entry.network) for entry in row.networks.all()),
        rate_per_minute=row.rate_per_minute,
        quota=row.client.monthly_quota,
        ends=row.expires_at.timestamp() if works else 0.0,
        keeps=mode.of(row.client),
        allowed={},
    )


_ANY: Final = bytes(32)


def _compare(token: tokens.Token, key: Key | None) -> Key:
    """Return the key if the token fits. An unknown one is compared all the same, so that it takes as long."""
    pepper = (key.pepper if key else None) or _ANY
    fits = tokens.fits(token.text, pepper, key.digest if key else _ANY)
    if not fits or key is None or key.pepper is None:
        raise Problem("key_unknown", headers=_CHALLENGE)
    return key


def _refuse_unusable(key: Key, address: str) -> None:
    if key.ends <= time.time():
        _note_refusal(key, "ended", address)
        raise Problem("key_unknown", headers=_CHALLENGE)


def _refuse_address(key: Key, address: str) -> None:
    if key.networks is None:
        return
    allowed = key.allowed.get(address)
    if allowed is None:
        allowed = networks.contains(key.networks, addresses.parse(address))
        if len(key.allowed) < _MOST_ADDRESSES:
            key.allowed[address] = allowed
    if not allowed:
        _note_refusal(key, "address", address)
        raise Problem("address_not_allowed", values={"address": address})


def _note_refusal(key: Key, reason: str, address: str) -> None:
    """Tell the owners, by the history, that somebody holds the key and was refused: once a day, key and reason."""
    if not rate.is_first(f"key-refused:{key.id}:{reason}", _NOTIFIED_FOR):
        return
    client = Client.objects.exclude(state=Client.State.GONE).filter(pk=key.client).first()
    row = ApiKey.objects.filter(pk=key.id).first()
    if client is None or row is None:
        return
    detail = {"key": row.prefix, "reason": reason}
    try:
        audit.record(AuditEvent.KEY_REFUSED, client=client, by=Actor(ip_address=address), detail=detail)
    except vault.VaultError as error:
        # Nothing is sealed any more for a client that is being deleted; the call is refused all the same.
        log.warning("A refused call is missing in a history: %s", type(error).__name__)
