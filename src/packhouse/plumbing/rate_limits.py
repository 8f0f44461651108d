"""Rate limits: so many requests in a window, counted in Valkey for all instances together.

A fixed window that starts with the first request, as the plan's own limiter counted. When Valkey is
away each process counts for itself, so limits become looser but never vanish, and the shop goes on.
"""

import time
from collections.abc import Sequence
from typing import Final

import msgspec

from packhouse.plumbing.setting_values import RateLimit
from packhouse.plumbing.valkey import CacheUnavailable, Valkey

_COUNT: Final = """
local hits = redis.call('INCR', KEYS[1])
if redis.call('PTTL', KEYS[1]) < 0 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
return {hits, redis.call('PTTL', KEYS[1])}
"""

# A window that ended meanwhile has nothing to give back; a bare DECR would make a key without end.
_GIVE_BACK: Final = """
if redis.call('EXISTS', KEYS[1]) == 1 then redis.call('DECR', KEYS[1]) end
return 1
"""

_OWN_COUNTS_MAX: Final = 50_000


class Verdict(msgspec.Struct, frozen=True):
    """Whether a request may pass, and what is left of the window. Times in whole seconds."""

    limit: int
    remaining: int
    reset_seconds: int
    is_refused: bool


class RateLimiter:
    """Counts requests by key."""

    def __init__(self, valkey: Valkey) -> None:
        self._valkey = valkey
        self._count = valkey.client.register_script(_COUNT)
        self._give_back = valkey.client.register_script(_GIVE_BACK)
        self._own: dict[str, tuple[int, float]] = {}

    async def hit(self, key: str, rate: RateLimit) -> Verdict:
        """Count one request of ``key`` and judge it."""
        try:
            hits, ttl_ms = await self._valkey.ask(
                self._count(keys=[f"packhouse:limit:{key}"], args=[rate.window_seconds * 1000])
            )
        except CacheUnavailable:
            hits, ttl_ms = self._hit_own(key, rate)
        return _judge(rate, hits=hits, ttl_ms=ttl_ms)

    async def give_back(self, key: str) -> None:
        """Uncount one request of ``key``, such as a sign-in that succeeded."""
        try:
            await self._valkey.ask(self._give_back(keys=[f"packhouse:limit:{key}"]))
        except CacheUnavailable:
            if key in self._own:
                hits, until = self._own[key]
                self._own[key] = (hits - 1, until)

    def _hit_own(self, key: str, rate: RateLimit) -> Sequence[int]:
        now = time.monotonic()
        hits, until = self._own.get(key, (0, 0.0))
        if until <= now:
            hits, until = 0, now + rate.window_seconds
        if len(self._own) >= _OWN_COUNTS_MAX:
            self._own.clear()
        self._own[key] = (hits + 1, until)
        return hits + 1, int((until - now) * 1000)


def _judge(rate: RateLimit, *, hits: int, ttl_ms: int) -> Verdict:
    return Verdict(
        limit=rate.limit,
        remaining=max(0, rate.limit - hits),
        reset_seconds=max(1, -(-ttl_ms // 1000)),
        is_refused=hits > rate.limit,
    )
