"""How many calls a minute a key may make, over all workers together. Knows names and clocks, never clients.

The generic cell rate algorithm (GCRA): calls are spaced evenly, and a tenth of a minute's calls may come at once. In
any minute that admits at most 1.1 times the limit, where a token bucket would admit twice as many.

In production the workers share Redis or Valkey. So as not to ask it in every call, a worker takes a few calls of a fast
key at once and may use them for half a second; they are paid for when taken, so the sum stays within the limit. It
takes more as long as it uses them up, and fewer when some were left, so that a key spread over many workers gets what
it may have. Embedded there is one process, and its memory does.

A limit below twenty a minute has a burst of one: calls are spaced evenly, and no minute has more than the limit.
"""

import math
import threading
import time
from functools import cache
from typing import Any, Final, NamedTuple, Protocol
from uuid import UUID

import redis
from django.conf import settings

from apikeys.problems import Problem

_MINUTE: Final = 60.0
BURST_PART: Final = 10
"""A burst may be this part of a minute's calls: a tenth."""
_TAKEN_AT_ONCE_PART: Final = 600
"""At once a worker takes at most what the limit allows in a tenth of a second."""
_USABLE_FOR_SECONDS: Final = 0.5
_MOST_KEPT: Final = 50_000


class Limit(NamedTuple):
    """A key's limit in the terms of GCRA."""

    per_minute: int
    interval: float
    """Seconds from one call to the next."""
    at_once: int
    """How many calls a worker takes at a time, at most."""
    burst: int
    """How many calls may come at the same moment."""


class Granted(NamedTuple):
    """What the store granted: so many calls, or none and the seconds to wait; and what is left of the burst."""

    calls: int
    wait: float
    left: int


class Standing(NamedTuple):
    """Where a key stands after an admitted call, as the headers tell it."""

    left: int
    """How many calls could follow at once."""
    full_in: int
    """Seconds until a whole burst is possible again."""


@cache
def limit(per_minute: int) -> Limit:
    """Return the limit of so many calls a minute."""
    at_once = max(1, per_minute // _TAKEN_AT_ONCE_PART)
    burst = max(1, per_minute // BURST_PART)
    if at_once > 1:
        # What was taken before a minute may be used within it; the burst makes room for that.
        burst -= math.ceil(per_minute * _USABLE_FOR_SECONDS / _MINUTE)
    return Limit(per_minute, _MINUTE / per_minute, at_once, burst)


class Store(Protocol):
    """Where the time up to which a key has used its calls is kept, for all who share the store."""

    def take(self, name: str, limit: Limit, calls: int) -> Granted:
        """Take up to `calls` calls now."""


class Memory:
    """The store of a single process."""

    def __init__(self) -> None:
        self._used_until: dict[str, float] = {}
        self._lock = threading.Lock()

    def take(self, name: str, limit: Limit, calls: int) -> Granted:
        """Take up to `calls` calls now."""
        now = time.monotonic()
        with self._lock:
            until = min(max(self._used_until.get(name, now), now), now + limit.burst * limit.interval)
            room = limit.burst - (until - now) / limit.interval
            granted = min(calls, int(room + 1e-9))
            if granted < 1:
                return Granted(0, (1 - room) * limit.interval, 0)
            if len(self._used_until) >= _MOST_KEPT:
                self._used_until = {key: value for key, value in self._used_until.items() if value > now}
            self._used_until[name] = until + granted * limit.interval
        return Granted(granted, 0.0, int(room - granted))


class Shared:
    """The store of many workers and machines. One clock, Redis' own, so that theirs need not agree."""

    _SCRIPT: Final = """
        local time = redis.call('TIME')
        local now = tonumber(time[1]) + tonumber(time[2]) / 1000000
        local interval, burst, calls = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
        local used_until = math.max(tonumber(redis.call('GET', KEYS[1]) or now), now)
        -- More than a burst ahead means that the clock was set back or the limit raised: that must not lock a key out.
        used_until = math.min(used_until, now + burst * interval)
        local room = burst - (used_until - now) / interval
        local granted = math.min(calls, math.floor(room + 1e-6))
        if granted < 1 then
            return {0, tostring((1 - room) * interval), 0}
        end
        used_until = used_until + granted * interval
        redis.call('SET', KEYS[1], string.format('%.6f', used_until), 'PX', math.ceil((used_until - now) * 1000) + 1)
        return {granted, '0', math.floor(room - granted)}
    """

    def __init__(self, url: str) -> None:
        self._take: Any = redis.Redis.from_url(url, socket_timeout=1, socket_connect_timeout=1).register_script(
            self._SCRIPT
        )

    def take(self, name: str, limit: Limit, calls: int) -> Granted:
        """Take up to `calls` calls now. Raises redis.RedisError when the store does not answer."""
        granted, wait, left = self._take(keys=[f"rate:{name}"], args=[repr(limit.interval), limit.burst, calls])
        return Granted(int(granted), float(wait), int(left))


class _Taken(NamedTuple):
    """Calls that a worker has taken at once."""

    number: int
    unused: int
    until: float
    """When they can be used no more."""
    left: int
    """What the store had left."""

    def next_number(self, now: float, most: int) -> int:
        """Return how many to take next: more after these were used up in time, fewer after some were left."""
        if self.unused:
            return max(1, min(most, self.number - self.unused))
        return min(most, self.number + self.number // 2 + 1 if now < self.until else self.number)

    def plus(self, other: "_Taken") -> "_Taken":
        """Return both together: two threads may have found nothing and asked at the same moment."""
        return _Taken(self.number + other.number, self.unused + other.unused, min(self.until, other.until), other.left)


_NOTHING: Final = _Taken(1, 0, 0.0, 0)


class Rates:
    """The limits of one worker over a store that it shares with the others."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._taken: dict[UUID, _Taken] = {}
        # Name → until when the store need not be asked, since it will refuse.
        self._refused: dict[UUID, float] = {}

    def admit(self, name: UUID, per_minute: int) -> Standing:
        """Count one call. Raises Problem rate_limited, with the seconds to wait."""
        key_limit = limit(per_minute)
        now = time.monotonic()
        with self._lock:
            taken = self._taken.get(name, _NOTHING)
            number, unused, until, left = taken
            if unused and now < until:
                self._taken[name] = _Taken(number, unused - 1, until, left)
                return _standing(key_limit, left + unused - 1)
            refused_for = self._refused.get(name, now) - now
        if refused_for > 0:
            raise _rate_limited(key_limit, refused_for)
        granted = self._store.take(str(name), key_limit, taken.next_number(now, key_limit.at_once))
        with self._lock:
            self._let_go(now)
            if not granted.calls:
                self._refused[name] = now + granted.wait
            elif key_limit.at_once > 1:
                self._keep(name, _Taken(granted.calls, granted.calls - 1, now + _USABLE_FOR_SECONDS, granted.left), now)
        if not granted.calls:
            raise _rate_limited(key_limit, granted.wait)
        return _standing(key_limit, granted.left + granted.calls - 1)

    def _keep(self, name: UUID, taken: _Taken, now: float) -> None:
        before = self._taken.get(name, _NOTHING)
        self._taken[name] = before.plus(taken) if before.unused and now < before.until else taken

    def _let_go(self, now: float) -> None:
        """Keep the memory bounded: what has run out says nothing any more."""
        if len(self._taken) > _MOST_KEPT:
            self._taken = {name: taken for name, taken in self._taken.items() if taken.until > now}
        if len(self._refused) > _MOST_KEPT:
            self._refused = {name: until for name, until in self._refused.items() if until > now}


def _standing(key_limit: Limit, left: int) -> Standing:
    return Standing(left, math.ceil((key_limit.burst - left) * key_limit.interval))


def _rate_limited(key_limit: Limit, wait: float) -> Problem:
    seconds = max(1, math.ceil(wait))
    headers = {**headers_of(key_limit.per_minute, Standing(0, seconds)), "Retry-After": str(seconds)}
    return Problem("rate_limited", headers=headers, values={"limit": key_limit.per_minute, "seconds": seconds})


def headers_of(per_minute: int, standing: Standing) -> dict[str, str]:
    """Return the headers that tell a limit and where the key stands (draft-ietf-httpapi-ratelimit-headers-10)."""
    return {
        "RateLimit-Policy": f'"minute";q={per_minute};w=60',
        "RateLimit": f'"minute";r={standing.left};t={standing.full_in}',
    }


@cache
def shared() -> Rates:
    """Return the limits of this process."""
    return Rates(Shared(settings.REDIS_URL) if settings.REDIS_URL else Memory())


def admit(name: UUID, per_minute: int) -> Standing:
    """Count one call of a key. Raises Problem rate_limited, or redis.RedisError when the store does not answer."""
    return shared().admit(name, per_minute)
