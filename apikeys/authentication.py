"""Authenticates a call: from its header to the key that may make it, or a Problem. The steps, in order:

header → split → find → compare → usable → IP address → scope (then limits/rate.py and limits/quota.py). Unknown, wrong,
revoked and expired keys are refused alike; only a caller who has proven the secret learns that the IP address is the
reason.

Keys are cached in memory until something changes (accounts/guard/revisions.py): every worker refuses a revoked key
within two seconds, and a call need not query the database.
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
_MOST_CACHED: Final = 20_000
_MOST_ADDRESSES: Final = 1_000
_NOTIFIED_FOR: Final = timedelta(days=1)
_CHALLENGE: Final = {"WWW-Authenticate": 'Bearer realm="ibanse"'}


class Key(NamedTuple):
    """A key in memory: what a call needs of it and its client."""

    id: UUID
    client: UUID
    is_test: bool
    digest: bytes
    pepper: bytes | None
    """None when its pepper is missing from the settings: then no text matches."""
    scopes: frozenset[str]
    networks: tuple[networks.Network, ...] | None
    """None: any address."""
    rate_per_minute: int
    quota: int
    """The client's checks per month."""
    ends: float
    """When it stops working, in Unix time; 0 when it is revoked or its client is not active."""
    log_choice: mode.Choice
    """What the client wants stored of a check."""
    allowed: dict[str, bool]
    """The IP addresses seen so far → whether one of the networks contains them."""


class _CachedKeys(NamedTuple):
    revision: UUID
    keys: dict[str, Key]
    proven: dict[bytes, Key]
    """Headers that have proven their key, by their hash."""


_cached = _CachedKeys(UUID(int=0), {}, {})


def authenticate(header: str | None, *, ip_address: str, scope: str | None) -> Key:
    """Return the key that may make a call of `scope` (None: every key may) from an IP address.

    Raises Problem: key_missing, key_malformed, key_unknown, address_not_allowed, scope_missing; Unreadable or a
    database error when it cannot be known whether the key still works.
    """
    key = _prove(header)
    if key.ends <= time.time():
        _note_refusal(key, "ended", ip_address)
        raise Problem("key_unknown", headers=_CHALLENGE)
    if key.networks is not None:
        allowed = key.allowed.get(ip_address)
        if allowed is None:
            allowed = networks.contains(key.networks, addresses.parse(ip_address))
            if len(key.allowed) < _MOST_ADDRESSES:
                key.allowed[ip_address] = allowed
        if not allowed:
            _note_refusal(key, "address", ip_address)
            raise Problem("address_not_allowed", values={"address": ip_address})
    if scope is not None and scope not in key.scopes:
        raise Problem("scope_missing", values={"scope": scope})
    return key


_HASH_KEY: Final = secrets.token_bytes(32)
_DUMMY: Final = bytes(32)


def _prove(header: str | None) -> Key:
    """Return the key whose secret the header holds, as the key was at most two seconds ago.

    A header that has proven its key need not be parsed and compared again, which takes four times as long.
    """
    cached = _current()
    # A hash represents the header in memory: no text of a key, and no similarity between two of them.
    hashed = blake2b((header or "").encode("utf-8", "surrogatepass"), digest_size=32, key=_HASH_KEY).digest()
    proven = cached.proven.get(hashed)
    if proven is not None:
        return proven
    token = _split(header)
    key = cached.keys.get(token.identifier)
    if key is None and (key := _load(token)) is not None:
        cached.keys[token.identifier] = key
    # An unknown key is compared as well, so that it takes as long.
    pepper = (key.pepper if key else None) or _DUMMY
    fits = tokens.fits(token.text, pepper, key.digest if key else _DUMMY)
    if not fits or key is None or key.pepper is None:
        raise Problem("key_unknown", headers=_CHALLENGE)
    cached.proven[hashed] = key
    return key


def _split(header: str | None) -> tokens.Token:
    if not header:
        raise Problem("key_missing", headers=_CHALLENGE)
    # RFC 9110: the scheme is case-insensitive.
    if header[: len(_SCHEME)].title() != _SCHEME:
        raise Problem("key_malformed", headers=_CHALLENGE)
    try:
        return tokens.split(header[len(_SCHEME) :].strip(" "))
    except tokens.Malformed:
        raise Problem("key_malformed", headers=_CHALLENGE) from None


def _current() -> _CachedKeys:
    """Return the cache, emptied when anything has changed since or it is full."""
    global _cached
    revision = revisions.current()
    cached = _cached
    if cached.revision != revision or len(cached.keys) > _MOST_CACHED or len(cached.proven) > _MOST_CACHED:
        cached = _cached = _CachedKeys(revision, {}, {})
    return cached


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
        log_choice=mode.choice_of(row.client),
        allowed={},
    )


def _note_refusal(key: Key, reason: str, ip_address: str) -> None:
    """Record in the audit log that somebody who has the key was refused: once per day, key and reason."""
    if not rate.is_first(f"key-refused:{key.id}:{reason}", _NOTIFIED_FOR):
        return
    client = Client.objects.exclude(state=Client.State.GONE).filter(pk=key.client).first()
    row = ApiKey.objects.filter(pk=key.id).first()
    if client is None or row is None:
        return
    detail = {"key": row.prefix, "reason": reason}
    try:
        audit.record(AuditEvent.KEY_REFUSED, client=client, by=Actor(ip_address=ip_address), detail=detail)
    except vault.VaultError as error:
        # The data key of a client that is being deleted is gone; the call is refused all the same.
        log.warning("A refused call is missing in an audit log: %s", type(error).__name__)
