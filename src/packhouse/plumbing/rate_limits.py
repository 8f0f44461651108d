"""Rate limits: so many requests in a window, counted in Valkey for all instances together.

A fixed window that starts with the first request, as the plan's own limiter counted.

Asking Valkey costs more than most answers do. A key whose limit is high is therefore counted here
first, and what was counted is told to Valkey ten times a second, all keys in one call; only when
most of the limit is used up does each request ask again, so that the limit itself is exact but for
what all processes let through in a tenth of a second. A low limit is always asked for.

When Valkey is away each process counts for itself, so limits become looser but never vanish, and
the shop goes on.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from itertools import islice
from typing import Final, cast

import msgspec

from packhouse.plumbing.setting_values import RateLimit
from packhouse.plumbing.valkey import CacheUnavailable, Valkey

ESTIMATED_FROM: Final = 300
"""Limits below this are asked for at each request: nobody under one of them is in a hurry."""

ESTIMATED_SHARE: Final = 0.8
"""Beyond this share of its limit a key is asked for at each request."""

TELL_SECONDS: Final = 0.1
KEYS_PER_CALL: Final = 500
KEYS_KEPT_MAX: Final = 50_000

# One hit or many, of one key or of many: KEYS[i] grows by ARGV[2i - 1], for ARGV[2i] ms if new.
_COUNT: Final = """
local counts = {}
for i, key in ipairs(KEYS) do
    counts[2 * i - 1] = redis.call('INCRBY', key, ARGV[2 * i - 1])
    if redis.call('PTTL', key) < 0 then redis.call('PEXPIRE', key, ARGV[2 * i]) end
    counts[2 * i] = redis.call('PTTL', key)
end
return counts
"""

# A window that ended meanwhile has nothing to give back; a bare DECR would make a key without end.
_GIVE_BACK: Final = """
if redis.call('EXISTS', KEYS[1]) == 1 then redis.call('DECR', KEYS[1]) end
return 1
"""


class Verdict(msgspec.Struct, frozen=True):
    """Whether a request may pass, and what is left of the window. Times in whole seconds."""

    limit: int
    remaining: int
    reset_seconds: int
    is_refused: bool


class _Count(msgspec.Struct):
    """Hits of one key in its window: those that Valkey told of, and ours that it does not know."""

    rate: RateLimit
    until: float
    known: int = 0
    untold: int = 0


class RateLimiter:
    """Counts requests by key; one for each process."""

    def __init__(self, valkey: Valkey) -> None:
        self._valkey = valkey
        self._count = valkey.client.register_script(_COUNT)
        self._give_back = valkey.client.register_script(_GIVE_BACK)
        self._counts: dict[str, _Count] = {}
        self._to_tell: dict[str, _Count] = {}
        self._telling: asyncio.Task[None] | None = None
        self._is_ending = asyncio.Event()

    async def hit(self, key: str, rate: RateLimit) -> Verdict:
        """Count one request of ``key`` and judge it."""
        return self.estimate(key, rate) or await self._ask(key, rate)

    def estimate(self, key: str, rate: RateLimit) -> Verdict | None:
        """Count and judge without asking; None, and nothing counted, where that would be unsafe."""
        if rate.limit < ESTIMATED_FROM:
            return None
        now = time.monotonic()
        count = self._own(key, rate, now)
        hits = count.known + count.untold + 1
        if hits > rate.limit * ESTIMATED_SHARE:
            return None
        count.untold += 1
        self._to_tell[key] = count
        if self._telling is None:
            self._telling = asyncio.create_task(self._tell_soon())
        return _judge(rate, hits=hits, ttl_seconds=count.until - now)

    async def give_back(self, key: str) -> None:
        """Uncount one request of ``key``, such as a sign-in that succeeded."""
        count = self._counts.get(key)
        if count is not None and count.untold > 0:
            count.untold -= 1
            return
        if count is not None:
            count.known -= 1
        # Without Valkey, what it does not know any more needs no giving back.
        with suppress(CacheUnavailable):
            await self._valkey.ask(self._give_back(keys=[_name(key)]))

    async def finish(self) -> None:
        """Tell Valkey what it does not know yet, before the process ends."""
        if self._telling is not None:
            self._is_ending.set()
            await self._telling

    async def _ask(self, key: str, rate: RateLimit) -> Verdict:
        count = self._own(key, rate, time.monotonic())
        count.untold += 1
        own_hits = count.known + count.untold
        answer = await self._tell_of({key: count})
        return _judge(
            rate,
            # Of several that ask at once, each is judged by its own place.
            hits=own_hits if answer is None else answer[0],
            ttl_seconds=count.until - time.monotonic(),
        )

    def _own(self, key: str, rate: RateLimit, now: float) -> _Count:
        count = self._counts.get(key)
        if count is None or count.until <= now or count.rate != rate:
            if len(self._counts) >= KEYS_KEPT_MAX:
                self._make_room(now)
            count = self._counts[key] = _Count(rate=rate, until=now + rate.window_seconds)
        return count

    def _make_room(self, now: float) -> None:
        """Forget the windows that have ended; if that is not enough, half of what Valkey knows."""
        self._counts = {key: count for key, count in self._counts.items() if count.until > now}
        if len(self._counts) >= KEYS_KEPT_MAX:
            for key in list(islice(self._counts, KEYS_KEPT_MAX // 2)):
                del self._counts[key]

    async def _tell_soon(self) -> None:
        while self._to_tell:
            with suppress(TimeoutError):
                async with asyncio.timeout(TELL_SECONDS):
                    await self._is_ending.wait()
            await self._tell()
        self._telling = None
        self._is_ending.clear()

    async def _tell(self) -> None:
        waiting, self._to_tell = list(self._to_tell.items()), {}
        for first in range(0, len(waiting), KEYS_PER_CALL):
            await self._tell_of(dict(waiting[first : first + KEYS_PER_CALL]))

    async def _tell_of(self, counts: Mapping[str, _Count]) -> Sequence[int] | None:
        """Tell Valkey what it does not know: hits and milliseconds left of each; None if away."""
        told = [count.untold for count in counts.values()]
        arguments: list[int] = []
        for count in counts.values():
            arguments += (count.untold, count.rate.window_seconds * 1000)
            # What comes while Valkey is asked is told the next time.
            count.known, count.untold = count.known + count.untold, 0
        try:
            answer = cast(
                "Sequence[int]",
                await self._valkey.ask(
                    self._count(keys=[_name(key) for key in counts], args=arguments)
                ),
            )
        except CacheUnavailable:
            for count, hits in zip(counts.values(), told, strict=True):
                count.known, count.untold = count.known - hits, count.untold + hits
            return None
        now = time.monotonic()
        for index, count in enumerate(counts.values()):
            _learn(count, hits=answer[2 * index], until=now + answer[2 * index + 1] / 1000)
        return answer


def _learn(count: _Count, *, hits: int, until: float) -> None:
    """Take over what Valkey says, unless a later answer for the same window was here first."""
    is_next_window = until > count.until + 1
    count.known = hits if is_next_window else max(hits, count.known)
    count.until = until


def _name(key: str) -> str:
    return f"packhouse:limit:{key}"


def _judge(rate: RateLimit, *, hits: int, ttl_seconds: float) -> Verdict:
    return Verdict(
        limit=rate.limit,
        remaining=max(0, rate.limit - hits),
        reset_seconds=max(1, -int(-ttl_seconds // 1)),
        is_refused=hits > rate.limit,
    )
