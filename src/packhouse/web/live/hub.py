"""The hub: watches the feed and hands what is new to every stream of this process.

It is woken by a call through Valkey and looks by itself once a second, so that a dead cache only
costs a moment. A listener is *resuming* while it is sent what it missed, from the ring or from
PostgreSQL, and then *follows*: it has everything up to ``last``, and is handed each batch as it is
made. The step from one to the other has no gap in time, so nothing is lost and nothing comes twice.

While nobody listens it reads no pulls: it only looks where the feed ends, and begins the ring anew
there. Whoever comes then and has missed something is answered from PostgreSQL.

One coroutine hands out batches and comments, in slices, so that ten thousand streams do not keep
the process from anything else for more than some milliseconds.
"""

import asyncio
import secrets
import time
from collections import defaultdict
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Final, Protocol

from packhouse import feed
from packhouse.foundation.errors import Outage
from packhouse.foundation.limits import (
    LIVE_BATCH_PULLS_MAX,
    LIVE_BATCH_SECONDS,
    LIVE_COMMENT_SECONDS,
    LIVE_PAGE_PULLS,
    LIVE_RESUMING_MAX,
    LIVE_RETRY_MS_MAX,
    LIVE_RETRY_MS_MIN,
    LIVE_RING_PULLS,
    LIVE_SOCKET_BUFFER_BYTES,
)
from packhouse.plumbing.logging import get_log
from packhouse.plumbing.postgres import Connection, Database
from packhouse.plumbing.valkey import FEED_CHANNEL, Valkey
from packhouse.web.live.frames import (
    COMMENT,
    Batch,
    Event,
    Form,
    comment_at,
    encode_pull,
    welcome,
)
from packhouse.web.live.history import History
from packhouse.web.live.ring import Ring

LOOK_SECONDS: Final = 1.0
SLICE: Final = 200
"""Streams that are written to before others get their turn."""
PAUSE_TIMES: Final = 4
"""A pause is so many times as long as the hand-out before it, up to ``LIVE_BATCH_SECONDS``: few
streams get each pull at once, and many never take more than a fifth of the process by themselves
until the pause is at its longest."""
FILL_PULLS: Final = 20
"""Pulls of one batch of the ring as it begins: most who come back after a restart miss few."""
PAGES_AHEAD: Final = 2
ALONE_SECONDS: Final = LIVE_RETRY_MS_MAX / 1000
"""Pulls are read for so long after the start, or the last stream: who is coming back finds the ring
as it was."""

log = get_log(__name__)


class StreamsClosed(Outage):
    """The server is being stopped and begins no new streams."""

    code = "streams_closed"


class TooManyStreams(Outage):
    """This process holds as many streams as it may."""

    code = "too_many_streams"
    retry_after_seconds = 10


class Listener(Protocol):
    """One open stream as the hub sees it. Calls return at once and raise nothing."""

    form: Form

    def hand(self, frame: bytes) -> None:
        """Send a frame, or give up on a stream that does not keep up."""

    def hand_comment(self, frame: bytes) -> None:
        """The same, for a comment between what is being resumed; may be left out."""

    def end(self) -> None:
        """Send the end of the stream and close it."""


class LiveHub:
    """The watcher of this process and its listeners."""

    def __init__(self, database: Database, valkey: Valkey, *, streams_max: int) -> None:
        self._database = database
        self._valkey = valkey
        self._streams_max = streams_max
        self._history = History(database)
        self._ring = Ring(since=0, pulls_max=LIVE_RING_PULLS)
        self._turns = asyncio.Semaphore(LIVE_RESUMING_MAX)
        self._pages: asyncio.Queue[Sequence[Event]] = asyncio.Queue(PAGES_AHEAD)
        self._wake = asyncio.Event()
        self._resuming: set[Listener] = set()
        self._following: defaultdict[Form, set[Listener]] = defaultdict(set)
        self._ahead: dict[Listener, int] = {}
        self._left_at = time.monotonic()
        self._is_closed = False
        self.closed = asyncio.Event()
        """Set when it hands out nothing any more: it was stopped, or its work has failed."""

    @property
    def last(self) -> int:
        """The sequence up to which everybody who follows has everything."""
        return self._ring.last

    def __len__(self) -> int:
        return len(self._resuming) + len(self._ahead) + sum(map(len, self._following.values()))

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Watch while the block runs; at its end every stream is closed.

        Raises ``DatabaseUnavailable`` when there is no database to begin with.
        """
        await self._fill_ring()
        self._left_at = time.monotonic()
        tasks = [
            asyncio.create_task(self._watch()),
            asyncio.create_task(self._hand_out()),
            asyncio.create_task(self._valkey.hear(FEED_CHANNEL, self._wake.set)),
        ]
        for task in tasks:
            task.add_done_callback(self._close_when_failed)
        try:
            yield
        finally:
            self.close()
            for task in tasks:
                await _end(task)

    def close(self) -> None:
        """End every stream; browsers come back by themselves, to whoever serves then."""
        self._is_closed = True
        self.closed.set()
        for listener in self._everybody():
            listener.end()

    def enter(self, listener: Listener) -> None:
        """Count a new stream. Raises ``StreamsClosed``, ``TooManyStreams``."""
        if self._is_closed:
            raise StreamsClosed("This server is being stopped; connect again in a moment.")
        streams = len(self)
        if streams >= self._streams_max:
            raise TooManyStreams("Too many are listening here just now; come back in a moment.")
        if not streams:
            # The watcher may have left pulls unread that this one wants.
            self._wake.set()
        self._resuming.add(listener)

    def leave(self, listener: Listener) -> None:
        """Forget a stream; harmless when it has left already."""
        self._resuming.discard(listener)
        self._following[listener.form].discard(listener)
        self._ahead.pop(listener, None)
        self._left_at = time.monotonic()

    def welcome(self, form: Form, *, position: int) -> bytes:
        """The first frame of a stream that begins after ``position``.

        When it breaks, its browser comes back after a time of its own: never all in one instant.
        """
        spread = secrets.randbelow(LIVE_RETRY_MS_MAX - LIVE_RETRY_MS_MIN)
        return welcome(form, position=position, retry_ms=LIVE_RETRY_MS_MIN + spread)

    def fall_behind(self, listener: Listener) -> int:
        """Have a listener that cannot take more resume from where it is; gives its position.

        Call it from within ``hand`` only: the frame in hand counts as sent.
        """
        self._following[listener.form].discard(listener)
        self._resuming.add(listener)
        return self._ahead.pop(listener, self.last)

    def follow_from(self, listener: Listener, position: int) -> bytes | None:
        """Have an entered listener follow from now on; gives what is to be sent before all else.

        None when it misses too much for that: then it has to ``resume``.
        """
        frame, reached = self._take(position, listener.form)
        return frame if self._joins(listener, reached) else None

    async def resume(self, listener: Listener, position: int) -> AsyncGenerator[bytes, None]:
        """What an entered listener missed, frame by frame; when nothing is left, it follows.

        Each frame has to be sent before the next is asked for. Raises ``DatabaseUnavailable``.
        """
        while not self._joins(listener, position):
            # The turn is kept while the frame is sent: so few hold old pages in their buffers.
            async with self._turns:
                frame, reached = self._take(position, listener.form)
                if reached == position:
                    batch = await self._history.page_after(position)
                    frame = batch.frame_after(position, listener.form)
                    # An empty page says that the feed has nothing before what the ring has.
                    reached = batch.last if batch.events else max(position, self._ring.since)
                position = reached
                if frame:
                    yield frame

    def _joins(self, listener: Listener, position: int) -> bool:
        """Have a listener that misses nothing follow.

        Who was told more by another process than this one knows is silent until it is reached.
        """
        if self._is_closed:
            listener.end()
            return True
        if position < self.last:
            return False
        self._resuming.discard(listener)
        if position == self.last:
            self._following[listener.form].add(listener)
        else:
            self._ahead[listener] = position
        return True

    def _take(self, position: int, form: Form) -> tuple[bytes, int]:
        """What the ring has after ``position``, as much as fits a buffer, and where that ends."""
        frames: list[bytes] = []
        size = 0
        while (
            size < LIVE_SOCKET_BUFFER_BYTES
            and (batch := self._ring.find_next(position)) is not None
        ):
            frames.append(batch.frame_after(position, form))
            size += len(frames[-1])
            position = batch.last
        return (frames[0] if len(frames) == 1 else b"".join(frames)), position

    def _close_when_failed(self, task: "asyncio.Task[None]") -> None:
        if not task.cancelled() and (failure := task.exception()) is not None:
            # Streams that stay open and silent would be worse than none.
            log.error("The live feed failed", exc_info=failure)
            self.close()

    async def _fill_ring(self) -> None:
        async with self._database.connection() as connection:
            newest = await feed.list_newest_pulls(
                connection, tier=None, before=None, limit=LIVE_RING_PULLS
            )
        events = [encode_pull(pull) for pull in reversed(newest)]
        is_whole_feed = len(events) < LIVE_RING_PULLS
        since = 0 if is_whole_feed else events[0].sequence - 1
        self._ring = Ring(since=since, pulls_max=LIVE_RING_PULLS)
        for begin in range(0, len(events), FILL_PULLS):
            batch = Batch(after=self._ring.last, events=events[begin : begin + FILL_PULLS])
            self._ring.append(batch)

    async def _watch(self) -> None:
        read = self._ring.last
        while True:
            self._wake.clear()
            is_alone = self._is_alone(read)
            pulls: Sequence[feed.Pull] = ()
            try:
                async with self._database.connection() as connection:
                    if is_alone:
                        read = await self._begin_anew(connection, read)
                    else:
                        pulls = await feed.list_pulls_after(
                            connection, sequence=read, limit=LIVE_PAGE_PULLS
                        )
            except Outage:
                log.warning("The live feed waits for the database")
            if pulls:
                read = pulls[-1].sequence
                await self._pages.put([encode_pull(pull) for pull in pulls])
            if is_alone:
                await asyncio.sleep(LIVE_BATCH_SECONDS)
            if len(pulls) < LIVE_PAGE_PULLS:
                with suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_SECONDS):
                        await self._wake.wait()

    def _is_alone(self, read: int) -> bool:
        """Whether nobody listens or is coming back, and all that was ``read`` is in the ring."""
        is_left = time.monotonic() - self._left_at >= ALONE_SECONDS
        return is_left and not len(self) and read == self.last

    async def _begin_anew(self, connection: Connection, read: int) -> int:
        newest = await feed.find_last_sequence(connection)
        # Who has entered meanwhile may count on what the ring was.
        if newest <= read or not self._is_alone(read):
            return read
        self._ring = Ring(since=newest, pulls_max=LIVE_RING_PULLS)
        return newest

    async def _hand_out(self) -> None:
        comment_due = time.monotonic() + LIVE_COMMENT_SECONDS
        waiting: list[Event] = []
        while True:
            if not waiting and self._pages.empty():
                with suppress(TimeoutError):
                    async with asyncio.timeout(max(0.0, comment_due - time.monotonic())):
                        waiting += await self._pages.get()
            while len(waiting) < LIVE_BATCH_PULLS_MAX and not self._pages.empty():
                waiting += self._pages.get_nowait()
            begun = time.monotonic()
            if waiting:
                await self._hand_batch(waiting[:LIVE_BATCH_PULLS_MAX])
                del waiting[:LIVE_BATCH_PULLS_MAX]
            if time.monotonic() >= comment_due:
                await self._hand_comments()
                comment_due = time.monotonic() + LIVE_COMMENT_SECONDS
            took = time.monotonic() - begun
            await asyncio.sleep(max(0.0, min(LIVE_BATCH_SECONDS - took, took * PAUSE_TIMES)))

    async def _hand_batch(self, events: Sequence[Event]) -> None:
        batch = Batch(after=self.last, events=events)
        self._ring.append(batch)
        # Who joins from here on has this batch already; who is ahead may be reached by it.
        following = self._everybody_following()
        self._hand_those_ahead(batch)
        for form, listeners in following:
            frame = batch.frame(form)
            if frame:
                await self._hand_all(listeners, frame)

    def _hand_those_ahead(self, batch: Batch) -> None:
        for listener, position in tuple(self._ahead.items()):
            if position > batch.last:
                continue
            del self._ahead[listener]
            self._following[listener.form].add(listener)
            frame = batch.frame_after(position, listener.form)
            if frame:
                listener.hand(frame)

    async def _hand_comments(self) -> None:
        following = self._everybody_following()
        for number, listener in enumerate((*self._resuming, *self._ahead)):
            listener.hand_comment(listener.form.framed(COMMENT))
            if number % SLICE == SLICE - 1:
                await asyncio.sleep(0)
        for form, listeners in following:
            await self._hand_all(listeners, comment_at(form, self.last))

    async def _hand_all(self, listeners: Sequence[Listener], frame: bytes) -> None:
        for begin in range(0, len(listeners), SLICE):
            for listener in listeners[begin : begin + SLICE]:
                listener.hand(frame)
            await asyncio.sleep(0)

    def _everybody_following(self) -> list[tuple[Form, Sequence[Listener]]]:
        return [(form, tuple(listeners)) for form, listeners in self._following.items()]

    def _everybody(self) -> Iterable[Listener]:
        following = [each for listeners in self._following.values() for each in listeners]
        return (*following, *self._ahead, *self._resuming)


async def _end(task: "asyncio.Task[None]") -> None:
    # Libraries may swallow a cancellation that meets a finished wait, so it is said again.
    while not task.done():
        task.cancel()
        await asyncio.wait({task}, timeout=0.2)
