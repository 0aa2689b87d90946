"""A cache of unwrapped data keys in this process, for a minute at most. Knows no database and no master key."""

import time
from collections import OrderedDict
from threading import Lock
from typing import Final
from uuid import UUID

from privacy.crypto import cipher

HELD_SECONDS: Final = 60
"""How long a key may be used after it was unwrapped, however often it is used."""

MOST_HELD: Final = 1000
"""How many keys are cached at once; beyond that, the oldest is dropped."""


class OpenedKey:
    """One owner's data key. It seals nothing itself: a separate key is derived from it for each use."""

    def __init__(self, number: int, key: bytes) -> None:
        self.number = number
        self._key = key
        # Purposes are constants of our code, so there are few; two threads may create the same entry twice.
        self._derived: dict[tuple[str, str], bytes] = {}
        self._sealers: dict[tuple[str, str], cipher.Sealer] = {}

    def key_for(self, kind: str, purpose: str) -> bytes:
        """Return the key for one kind of use and one purpose."""
        derived = self._derived.get((kind, purpose))
        if derived is None:
            derived = self._derived[kind, purpose] = cipher.derive(self._key, label=cipher.label(kind, purpose))
        return derived

    def sealer_for(self, kind: str, purpose: str) -> cipher.Sealer:
        """Return what seals and unseals under the key for one kind of use and one purpose."""
        sealer = self._sealers.get((kind, purpose))
        if sealer is None:
            sealer = self._sealers[kind, purpose] = cipher.Sealer(self.key_for(kind, purpose))
        return sealer


class OpenedKeys:
    """The unwrapped keys of this process; shared by its threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        # In the order of unwrapping, which is also the order of expiry.
        self._cached: OrderedDict[UUID, tuple[float, OpenedKey]] = OrderedDict()
        # Until then, none of them expires.
        self._none_expires_before = 0.0
        self._droppings = 0

    def get(self, owner: UUID) -> OpenedKey | None:
        """Return the owner's key if it was unwrapped less than HELD_SECONDS ago, and drop all expired ones."""
        if time.monotonic() >= self._none_expires_before:
            with self._lock:
                self._drop_expired()
        cached = self._cached.get(owner)
        return cached[1] if cached else None

    def ticket(self) -> int:
        """Return a counter for `put`, which proves that no key was dropped since."""
        return self._droppings

    def put(self, owner: UUID, key: OpenedKey, ticket: int) -> None:
        """Cache a key, unless one was dropped since the ticket: this one may have been read before its destruction."""
        with self._lock:
            self._drop_expired()
            if ticket != self._droppings:
                return
            self._cached.pop(owner, None)
            self._cached[owner] = (time.monotonic() + HELD_SECONDS, key)
            self._none_expires_before = next(iter(self._cached.values()))[0]
            if len(self._cached) > MOST_HELD:
                self._cached.popitem(last=False)

    def drop(self, owner: UUID | None = None) -> None:
        """Drop one owner's key, or all."""
        with self._lock:
            self._droppings += 1
            if owner is None:
                self._cached.clear()
            else:
                self._cached.pop(owner, None)

    def __len__(self) -> int:
        """Return how many keys are cached."""
        return len(self._cached)

    def _drop_expired(self) -> None:
        now = time.monotonic()
        while self._cached and next(iter(self._cached.values()))[0] <= now:
            self._cached.popitem(last=False)
        self._none_expires_before = next(iter(self._cached.values()))[0] if self._cached else now
