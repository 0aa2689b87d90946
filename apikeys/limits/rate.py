"""How many calls per minute a key may make, over all workers together. Knows names and clocks, never clients.

The generic cell rate algorithm (GCRA): calls are spaced evenly, and a tenth of a minute's calls may come at once. In
any minute that admits at most 1.1 times the limit, where a token bucket would admit twice as many.

In production the workers share Redis or Valkey. To save a round trip per call, a worker takes a few calls of a fast key
at once and may use them for half a second; they count when taken, so the sum stays within the limit. What it does not
use is lost; but where calls are scarce it never takes many. In embedded mode there is one process, and its memory is
enough.

A limit below twenty a minute has a burst of one: calls are spaced evenly, and no minute has more than the limit.

While the shared store does not answer, each worker counts for itself, so W workers admit up to W times a limit: an
outage of a counter must not stop anybody's payments. The month's quota stays exact, since it is in the database.
"""

import logging
import math
import threading
import time
from datetime import timedelta
from functools import cache
from typing import Any, Final, NamedTuple, Protocol
from uuid import UUID

import redis
from django.conf import settings

from apikeys.problems import Problem

log = logging.getLogger(__name__)

_MINUTE: Final = 60.0
BURST_PART: Final = 10
"""A burst may be this part of a minute's calls: a tenth."""
_TAKEN_AT_ONCE_PART: Final = 600
"""At once a worker takes what the limit allows in a tenth of a second."""
_USABLE_FOR_SECONDS: Final = 0.5
_MAX_ENTRIES: Final = 50_000
_FINEST_SECONDS: Final = 2e-6
"""The resolution of clocks and their sums: a call that is this much too early is in time."""
_POLL_SECONDS: Final = 1.0


class RateLimit(NamedTuple):
    """A key's limit in the terms of GCRA."""

    per_minute: int
    interval: float
    """Seconds from one call to the next."""
    at_once: int
    """How many calls a worker takes at a time."""
    burst: int
    """How many calls may come at the same moment."""


class Grant(NamedTuple):
    """What the store granted: so many calls, or none and the seconds to wait; and what is left of the burst."""

    calls: int
    wait: float
    left: int


class RateState(NamedTuple):
    """How much of its limit a key has left after an admitted call, as the headers say."""

    left: int
    """How many calls could follow at once."""
    full_in: int
    """Seconds until a whole burst is possible again."""


@cache
def limit(per_minute: int) -> RateLimit:
    """Return the limit of so many calls per minute."""
    at_once = max(1, per_minute // _TAKEN_AT_ONCE_PART)
    burst = max(1, per_minute // BURST_PART)
    if at_once > 1:
        # What was taken before a minute may be used within it; so the burst is smaller.
        burst -= math.ceil(per_minute * _USABLE_FOR_SECONDS / _MINUTE)
    return RateLimit(per_minute, _MINUTE / per_minute, at_once, burst)


class RateStore(Protocol):
    """Stores the time up to which each key has used its calls, for all that share the store."""

    def take(self, name: str, limit: RateLimit, calls: int) -> Grant:
        """Take up to `calls` calls now."""


class MemoryStore:
    """The store of a single process."""

    def __init__(self) -> None:
        self._used_until: dict[str, float] = {}
        self._lock = threading.Lock()

    def take(self, name: str, limit: RateLimit, calls: int) -> Grant:
        """Take up to `calls` calls now."""
        now = time.monotonic()
        with self._lock:
            until = min(max(self._used_until.get(name, now), now), now + limit.burst * limit.interval)
            free = limit.burst - (until - now) / limit.interval
            whole = math.floor(free + _FINEST_SECONDS / limit.interval)
            if whole < 1:
                return Grant(0, (1 - free) * limit.interval, 0)
            granted = min(calls, whole)
            if len(self._used_until) >= _MAX_ENTRIES:
                self._used_until = {key: value for key, value in self._used_until.items() if value > now}
            self._used_until[name] = until + granted * limit.interval
        return Grant(granted, 0.0, whole - granted)


class RedisStore:
    """The store of many workers and machines. It uses the clock of Redis, so that theirs need not agree."""

    _SCRIPT: Final = """
        local time = redis.call('TIME')
        local now = tonumber(time[1]) + tonumber(time[2]) / 1000000
        local interval, burst, calls = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
        local finest = tonumber(ARGV[4])
        local used_until = math.max(tonumber(redis.call('GET', KEYS[1]) or now), now)
        -- More than a burst ahead means that the clock was set back or the limit raised: that must not lock a key out.
        used_until = math.min(used_until, now + burst * interval)
        local free = burst - (used_until - now) / interval
        local whole = math.floor(free + finest / interval)
        if whole < 1 then
            return {0, string.format('%.6f', (1 - free) * interval), 0}
        end
        local granted = math.min(calls, whole)
        used_until = used_until + granted * interval
        redis.call('SET', KEYS[1], string.format('%.6f', used_until), 'PX', math.ceil((used_until - now) * 1000) + 1)
        return {granted, '0', whole - granted}
    """

    def __init__(self, url: str) -> None:
        self._take: Any = redis.Redis.from_url(url, **settings.REDIS_OPTIONS).register_script(self._SCRIPT)

    def take(self, name: str, limit: RateLimit, calls: int) -> Grant:
        """Take up to `calls` calls now. Raises redis.RedisError when the store does not answer."""
        arguments = [repr(limit.interval), limit.burst, calls, _FINEST_SECONDS]
        granted, wait, left = self._take(keys=[f"rate:{name}"], args=arguments)
        return Grant(int(granted), float(wait), int(left))


class FallbackStore:
    """The shared store, and the memory of this worker while the shared one does not answer.

    Only the first call of an outage waits for the store; a thread polls it until it answers again.
    """

    def __init__(self, shared: RateStore) -> None:
        self._shared = shared
        self._memory = MemoryStore()
        self._is_away = False
        self._lock = threading.Lock()

    def take(self, name: str, limit: RateLimit, calls: int) -> Grant:
        """Take up to `calls` calls now. Never raises redis.RedisError."""
        if not self._is_away:
            try:
                return self._shared.take(name, limit, calls)
            except redis.RedisError as error:
                self._note_outage(error)
        return self._memory.take(name, limit, calls)

    def _note_outage(self, error: redis.RedisError) -> None:
        with self._lock:
            if self._is_away:
                return  # Another thread was first.
            self._is_away = True
        # Not the exception itself: its text may hold the server's password.
        log.error(
            "REDIS_URL does not answer (%s): each worker counts the API's limits for itself", type(error).__name__
        )
        threading.Thread(target=self._poll, name="rates", daemon=True).start()

    def _poll(self) -> None:
        began = time.monotonic()
        while not self._answers():
            time.sleep(_POLL_SECONDS)
        self._is_away = False
        away = time.monotonic() - began
        log.warning("REDIS_URL answers again after %.0f seconds: the API's limits hold across workers", away)

    def _answers(self) -> bool:
        try:
            # As for a call: a store that is still loading, or may not write, answers a mere ping.
            self._shared.take("availability", limit(600), 1)
        except redis.RedisError:
            return False
        return True


class _Taken(NamedTuple):
    """Calls that a worker has taken and not used yet."""

    calls: int
    until: float
    """When they expire."""
    left: int
    """What the store had left."""


_NOTHING: Final = _Taken(0, 0.0, 0)


class Rates:
    """The limits of one worker over a store that it shares with the others."""

    def __init__(self, store: RateStore) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._taken: dict[UUID, _Taken] = {}
        # Name → until when the store would refuse anyway.
        self._refused: dict[UUID, float] = {}

    def admit(self, name: UUID, per_minute: int) -> RateState:
        """Count one call. Raises Problem rate_limited, with the seconds to wait."""
        key_limit = limit(per_minute)
        now = time.monotonic()
        with self._lock:
            calls, until, left = self._taken.get(name, _NOTHING)
            if calls and now < until:
                self._taken[name] = _Taken(calls - 1, until, left)
                return _state(key_limit, left + calls - 1)
            refused_for = self._refused.get(name, now) - now
        if refused_for > 0:
            raise _rate_limited(key_limit, refused_for)
        granted = self._store.take(str(name), key_limit, key_limit.at_once)
        with self._lock:
            self._forget_expired(now)
            if not granted.calls:
                self._refused[name] = now + granted.wait
            elif granted.calls > 1:
                self._hold(name, _Taken(granted.calls - 1, now + _USABLE_FOR_SECONDS, granted.left), now)
        if not granted.calls:
            raise _rate_limited(key_limit, granted.wait)
        return _state(key_limit, granted.left + granted.calls - 1)

    def is_first(self, name: str, within: timedelta) -> bool:
        """Return whether this is the first call with this name for so long: a limit of one in that time."""
        return self._store.take(name, RateLimit(0, within.total_seconds(), at_once=1, burst=1), 1).calls == 1

    def _hold(self, name: UUID, taken: _Taken, now: float) -> None:
        """Hold what was taken, in addition to what another thread took at the same moment."""
        before = self._taken.get(name, _NOTHING)
        if before.calls and now < before.until:
            taken = _Taken(before.calls + taken.calls, min(before.until, taken.until), taken.left)
        self._taken[name] = taken

    def _forget_expired(self, now: float) -> None:
        """Limit the memory: drop what has expired."""
        if len(self._taken) > _MAX_ENTRIES:
            self._taken = {name: taken for name, taken in self._taken.items() if taken.until > now}
        if len(self._refused) > _MAX_ENTRIES:
            self._refused = {name: until for name, until in self._refused.items() if until > now}


def _state(key_limit: RateLimit, left: int) -> RateState:
    return RateState(left, math.ceil((key_limit.burst - left) * key_limit.interval))


def _rate_limited(key_limit: RateLimit, wait: float) -> Problem:
    seconds = max(1, math.ceil(wait))
    headers = {**headers_of(key_limit.per_minute, RateState(0, seconds)), "Retry-After": str(seconds)}
    return Problem("rate_limited", headers=headers, values={"limit": key_limit.per_minute, "seconds": seconds})


def headers_of(per_minute: int, state: RateState) -> dict[str, str]:
    """Return the headers with a limit and what is left of it (draft-ietf-httpapi-ratelimit-headers-10)."""
    return {
        "RateLimit-Policy": f'"minute";q={per_minute};w=60',
        "RateLimit": f'"minute";r={state.left};t={state.full_in}',
    }


@cache
def shared() -> Rates:
    """Return the limits of this process."""
    return Rates(FallbackStore(RedisStore(settings.REDIS_URL)) if settings.REDIS_URL else MemoryStore())


def admit(name: UUID, per_minute: int) -> RateState:
    """Count one call of a key. Raises Problem rate_limited."""
    return shared().admit(name, per_minute)


def is_first(name: str, within: timedelta) -> bool:
    """Return whether this is the first call with this name for so long, over all workers while the store answers."""
    return shared().is_first(name, within)
