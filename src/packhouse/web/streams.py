"""Live streams: every pull, as soon as it is committed, to everyone who listens.

One watcher for each process reads what is new in the feed from PostgreSQL, woken by a call through
Valkey and by itself once a second, so that a dead cache only costs a moment. A listener first
catches up from PostgreSQL, then follows; the sequence tells it what it already had. A listener that
does not keep up is dropped: its browser comes back with the last id it saw.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import get_args

import msgspec

from packhouse import feed
from packhouse.feed import Pull
from packhouse.foundation.errors import FieldError, InvalidInput, Outage
from packhouse.foundation.limits import LIVE_BACKLOG_MAX, LIVE_COMMENT_SECONDS
from packhouse.foundation.tiers import Tier
from packhouse.house import House
from packhouse.plumbing.logging import get_log
from packhouse.plumbing.valkey import FEED_CHANNEL
from packhouse.web.asgi import Receive, Scope, Send
from packhouse.web.headers import HeaderReader
from packhouse.web.queries import read_query

LOOK_SECONDS = 1.0
PAGE = 200

log = get_log(__name__)


class StreamsClosed(Outage):
    """The server is being stopped and begins no new streams."""

    code = "streams_closed"


class Listener:
    """One open stream: what waits to be sent, bounded."""

    def __init__(self) -> None:
        self.waiting: asyncio.Queue[Sequence[Pull] | None] = asyncio.Queue(LIVE_BACKLOG_MAX)
        self.is_dropped = False

    def offer(self, pulls: Sequence[Pull]) -> None:
        """Hand over new pulls, or give up on a listener that does not keep up."""
        try:
            self.waiting.put_nowait(pulls)
        except asyncio.QueueFull:
            self.is_dropped = True


class LiveFeed:
    """The watcher of this process and its listeners."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._listeners: set[Listener] = set()
        self._wake = asyncio.Event()
        self._last = 0
        self._is_closed = False

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Watch while the block runs; at its end every stream is closed."""
        # Known before the first listener can come: whatever is committed from here on is offered,
        # and what was before is what a listener catches up on.
        async with self._house.database.connection() as connection:
            self._last = await feed.find_last_sequence(connection)
        tasks = [
            asyncio.create_task(self._watch()),
            asyncio.create_task(self._house.valkey.hear(FEED_CHANNEL, self._wake.set)),
        ]
        try:
            yield
        finally:
            self.close()
            for task in tasks:
                await _end(task)

    def close(self) -> None:
        """End every stream; browsers come back by themselves, to whoever serves then."""
        self._is_closed = True
        for listener in self._listeners:
            listener.is_dropped = True
            with suppress(asyncio.QueueFull):
                listener.waiting.put_nowait(None)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer ``GET /api/v1/feed/live``."""
        if self._is_closed:
            raise StreamsClosed("This server is being stopped; connect again in a moment.")
        headers = HeaderReader(scope)
        tier = _read_tier(read_query(scope).get("tier"))
        last = _read_last_id(headers.text("last-event-id"))
        listener = Listener()
        self._listeners.add(listener)
        gone = asyncio.create_task(_until_gone(receive))
        try:
            sent = await self._begin(send, last)
            await self._follow(listener, send, gone, sent=sent, tier=tier)
        finally:
            self._listeners.discard(listener)
            gone.cancel()

    async def _begin(self, send: Send, last: int | None) -> int:
        if last is None:
            async with self._house.database.connection() as connection:
                last = await feed.find_last_sequence(connection)
        await send(
            {
                "type": "http.response.start",
                "status": 200,
                "headers": [
                    (b"content-type", b"text/event-stream; charset=utf-8"),
                    (b"cache-control", b"no-cache"),
                    (b"x-accel-buffering", b"no"),
                ],
            }
        )
        await _send_frame(send, b": welcome\n\n")
        return last

    async def _follow(
        self,
        listener: Listener,
        send: Send,
        gone: "asyncio.Task[None]",
        *,
        sent: int,
        tier: Tier | None,
    ) -> None:
        while True:
            async with self._house.database.connection() as connection:
                missed = await feed.list_pulls_after(connection, sequence=sent, limit=PAGE)
            if not missed:
                break
            sent = await _send_pulls(send, missed, sent=sent, tier=tier)
        while not listener.is_dropped and not gone.done():
            news = asyncio.create_task(listener.waiting.get())
            await asyncio.wait(
                {news, gone}, timeout=LIVE_COMMENT_SECONDS, return_when=asyncio.FIRST_COMPLETED
            )
            if not news.done():
                news.cancel()
                if not gone.done():
                    await _send_frame(send, b": still here\n\n")
                continue
            pulls = news.result()
            if pulls is None:
                break
            sent = await _send_pulls(send, pulls, sent=sent, tier=tier)
        if not gone.done():
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _watch(self) -> None:
        while True:
            try:
                await self._look()
            except Outage:
                log.warning("The live feed waits for the database")
            self._wake.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._wake.wait()

    async def _look(self) -> None:
        async with self._house.database.connection() as connection:
            pulls = await feed.list_pulls_after(connection, sequence=self._last, limit=PAGE)
        if not pulls:
            return
        self._last = pulls[-1].sequence
        for listener in tuple(self._listeners):
            listener.offer(pulls)
        if len(pulls) == PAGE:
            self._wake.set()


async def _end(task: "asyncio.Task[None]") -> None:
    # Libraries may swallow a cancellation that meets a finished wait, so it is said again.
    while not task.done():
        task.cancel()
        await asyncio.wait({task}, timeout=0.2)


async def _send_pulls(send: Send, pulls: Sequence[Pull], *, sent: int, tier: Tier | None) -> int:
    fresh = [pull for pull in pulls if pull.sequence > sent]
    frames = [
        b"id: %d\ndata: %s\n\n" % (pull.sequence, msgspec.json.encode(pull))
        for pull in fresh
        if tier is None or pull.tier == tier
    ]
    if frames:
        await _send_frame(send, b"".join(frames))
    return fresh[-1].sequence if fresh else sent


async def _send_frame(send: Send, frame: bytes) -> None:
    await send({"type": "http.response.body", "body": frame, "more_body": True})


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _read_tier(text: str | None) -> Tier | None:
    if not text:
        return None
    for tier in get_args(Tier):
        if text == tier:
            known: Tier = tier
            return known
    raise InvalidInput(
        "There is no such tier.", [FieldError("tier", "One of " + ", ".join(get_args(Tier)))]
    )


def _read_last_id(text: str | None) -> int | None:
    if text is None or not text.isdecimal() or len(text) > 18:
        return None
    return int(text)
