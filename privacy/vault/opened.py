"""Data keys in the clear, in this process's memory for a minute at most. Knows no database and no master key."""

import time
from collections import OrderedDict
from threading import Lock
from typing import Final
from uuid import UUID

from privacy.crypto import cipher

HELD_SECONDS: Final = 60
"""How long a key may be used after it was opened, however often it is used."""

MOST_HELD: Final = 1000
"""How many keys are held at once; then the one opened first makes room."""


class OpenedKey:
    """One owner's data key. It seals nothing itself: a key of its own is derived from it for each use."""

    def __init__(self, number: int, key: bytes) -> None:
        self.number = number
        self._key = key
        # Purposes are words of our code, so there are few; two threads may make the same entry twice.
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
    """The opened keys of this process; threads share it."""

    def __init__(self) -> None:
        self._lock = Lock()
        # In the order of opening, which is also the order of expiry.
        self._held: OrderedDict[UUID, tuple[float, OpenedKey]] = OrderedDict()
        # Until when none of them has to go.
        self._all_live_until = 0.0
        self._droppings = 0

    def get(self, owner: UUID) -> OpenedKey | None:
        """Return the owner's key if it was opened less than a minute ago, and let go of all that were not."""
        if time.monotonic() >= self._all_live_until:
            with self._lock:
                self._let_go()
        held = self._held.get(owner)
        return held[1] if held else None

    def ticket(self) -> int:
        """Return what `put` wants to see: it proves that no key was dropped since."""
        return self._droppings

    def put(self, owner: UUID, key: OpenedKey, ticket: int) -> None:
        """Hold a key, unless one was dropped since the ticket: it may be the one that was read before it died."""
        with self._lock:
            self._let_go()
            if ticket != self._droppings:
                return
            self._held.pop(owner, None)
            self._held[owner] = (time.monotonic() + HELD_SECONDS, key)
            self._all_live_until = next(iter(self._held.values()))[0]
            if len(self._held) > MOST_HELD:
                self._held.popitem(last=False)

    def drop(self, owner: UUID | None = None) -> None:
        """Let go of one owner's key, or of all."""
        with self._lock:
            self._droppings += 1
            if owner is None:
                self._held.clear()
            else:
                self._held.pop(owner, None)

    def __len__(self) -> int:
        """How many keys are held."""
        return len(self._held)

    def _let_go(self) -> None:
        now = time.monotonic()
        while self._held and next(iter(self._held.values()))[0] <= now:
            self._held.popitem(last=False)
        self._all_live_until = next(iter(self._held.values()))[0] if self._held else now
