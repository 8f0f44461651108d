"""What is the same for everybody and dear to make: made once a moment, however many ask.

It is made two or three times a second at most, by one request for all that wait. Nothing about one
person and nothing money-bearing is kept.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Hashable
from typing import Final, Generic, TypeVar

import msgspec

FRESH_SECONDS: Final = 0.4
"""How long a thing is handed out without a look at what it was made from."""

STALE_SECONDS_MAX: Final = 0.9
"""How old one may get while the next is being made; nobody is ever shown anything older."""

Value = TypeVar("Value")


class _Made(msgspec.Struct, Generic[Value]):
    value: Value
    made_at: float


class Kept(Generic[Value]):
    """Up to ``most`` things of one process, by key; those made longest ago go first."""

    def __init__(self, *, most: int, seconds: Callable[[], float] = time.monotonic) -> None:
        self._most = most
        self._seconds = seconds
        self._kept: dict[Hashable, _Made[Value]] = {}
        self._making: dict[Hashable, asyncio.Task[Value]] = {}

    def find_fresh(self, key: Hashable) -> Value | None:
        """The thing, if it needs no look at anything."""
        kept = self._kept.get(key)
        if kept is None or self._seconds() - kept.made_at >= FRESH_SECONDS:
            return None
        return kept.value

    async def get(self, key: Hashable, make: Callable[[Value | None], Awaitable[Value]]) -> Value:
        """The thing, made anew if it is no longer fresh; what ``make`` raises is raised.

        ``make`` is given the one before, which it may give back when nothing has changed.
        """
        kept = self._kept.get(key)
        now = self._seconds()
        if kept is not None and now - kept.made_at < FRESH_SECONDS:
            return kept.value
        making = self._making.get(key)
        if making is None:
            making = asyncio.create_task(self._make(key, make, started_at=now))
            self._making[key] = making
            making.add_done_callback(lambda task: self._end(key, task))
        if kept is not None and now - kept.made_at < STALE_SECONDS_MAX:
            return kept.value
        # Whoever gives up must not end what others wait for.
        return await asyncio.shield(making)

    async def finish(self) -> None:
        """Wait for what is being made."""
        if self._making:
            await asyncio.wait(list(self._making.values()))

    async def _make(
        self,
        key: Hashable,
        make: Callable[[Value | None], Awaitable[Value]],
        *,
        started_at: float,
    ) -> Value:
        before = self._kept.get(key)
        value = await make(None if before is None else before.value)
        # Taken out first, so that the dict keeps the order of making and its head is the oldest.
        self._kept.pop(key, None)
        if len(self._kept) >= self._most:
            del self._kept[next(iter(self._kept))]
        self._kept[key] = _Made(value=value, made_at=started_at)
        return value

    def _end(self, key: Hashable, task: "asyncio.Task[Value]") -> None:
        del self._making[key]
        # Everybody may have been served the one before; the next request will meet the error.
        if not task.cancelled():
            task.exception()
