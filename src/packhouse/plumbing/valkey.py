"""Valkey holds only what can be lost: rate limits, cached pages, the wake-up call of the feed.

Every call has a short time limit and gives ``CacheUnavailable`` when Valkey is away; whoever uses
it goes on without. After a failure the next calls fail at once for a second, so that a dead cache
costs no waiting.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import ClassVar, TypeVar

import valkey.asyncio
from valkey.exceptions import ValkeyError

from packhouse.foundation.errors import Outage

REST_AFTER_FAILURE_SECONDS = 1.0

FEED_CHANNEL = "packhouse:feed"
"""Who listens here is told the feed's last sequence when it grew; the pulls are in PostgreSQL."""

Value = TypeVar("Value")


class CacheUnavailable(Outage):
    """Valkey did not answer in time."""

    code: ClassVar[str] = "cache_unavailable"


class Valkey:
    """A client that gives up quickly and says so."""

    def __init__(self, url: str, *, timeout_ms: int) -> None:
        timeout_seconds = timeout_ms / 1000
        self.client: valkey.asyncio.Valkey = valkey.asyncio.Valkey.from_url(
            url, socket_timeout=timeout_seconds, socket_connect_timeout=timeout_seconds
        )
        self.url = url
        self._resting_until = 0.0

    async def ask(self, call: Awaitable[Value]) -> Value:
        """Await one command of ``client``. Raises ``CacheUnavailable``."""
        if time.monotonic() < self._resting_until:
            _discard(call)
            raise CacheUnavailable("The cache is away.")
        try:
            return await call
        except (ValkeyError, OSError, TimeoutError) as error:
            self._resting_until = time.monotonic() + REST_AFTER_FAILURE_SECONDS
            raise CacheUnavailable("The cache is away.", cause=type(error).__name__) from error

    async def hear(self, channel: str, on_call: Callable[[], object]) -> None:
        """Pass on each call in a channel, for ever; a dead cache is waited out in silence.

        Calls may be missed, so whoever listens also looks by itself from time to time.
        """
        while True:
            try:
                async with self.client.pubsub() as calls:
                    await calls.subscribe(channel)
                    while True:
                        call = await calls.get_message(
                            ignore_subscribe_messages=True, timeout=REST_AFTER_FAILURE_SECONDS
                        )
                        if call is not None:
                            on_call()
            except (ValkeyError, OSError, TimeoutError):
                await asyncio.sleep(REST_AFTER_FAILURE_SECONDS)

    async def close(self) -> None:
        """Close all connections."""
        await self.client.aclose()


def _discard(call: Awaitable[object]) -> None:
    """Close a command that will not be sent, so that it is not reported as forgotten."""
    close = getattr(call, "close", None)
    if close is not None:
        close()
