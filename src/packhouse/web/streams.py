"""Live streams in a web worker: the hub's frames as ASGI messages.

Here a stream costs a task and the server's own buffers; for tens of thousands of them there is the
live role, whose streams are handed the very same bytes.
"""

import asyncio
from collections import deque
from contextlib import aclosing, suppress

from packhouse.foundation.errors import NotFound, Outage
from packhouse.foundation.limits import LIVE_BACKLOG_MAX
from packhouse.web.asgi import ASGIApp, Receive, Scope, Send
from packhouse.web.errors import MethodNotAllowed
from packhouse.web.headers import STREAM_HEADERS
from packhouse.web.live.frames import Form, form_of
from packhouse.web.live.hub import LiveHub
from packhouse.web.live.wishes import PATH, read_wish


class QueuedStream:
    """One open stream: frames that wait to be sent, bounded. Who does not keep up is dropped."""

    def __init__(self, form: Form) -> None:
        self.form = form
        self._frames: deque[bytes] = deque()
        self._has_news = asyncio.Event()
        self._is_ended = False

    def hand(self, frame: bytes) -> None:
        """Queue a frame, or give up on a stream that does not keep up."""
        if len(self._frames) >= LIVE_BACKLOG_MAX:
            self.end()
            return
        self._frames.append(frame)
        self._has_news.set()

    def hand_comment(self, frame: bytes) -> None:
        """A stream that is being sent older pulls needs no sign of life; the rest gets it."""
        if not self._frames:
            self.hand(frame)

    def end(self) -> None:
        """Have the stream end after what it is being sent."""
        self._is_ended = True
        self._has_news.set()

    async def next_frame(self) -> bytes | None:
        """What is to be sent next; None at the end."""
        while not self._frames and not self._is_ended:
            self._has_news.clear()
            await self._has_news.wait()
        return None if self._is_ended else self._frames.popleft()


def live_streams(hub: LiveHub) -> ASGIApp:
    """Answers ``GET /api/v1/feed/live``."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] != PATH:
            raise NotFound("There is nothing at this address.")
        if scope["method"] != "GET":
            raise MethodNotAllowed("This address does not take that method.")
        wish = read_wish(scope)
        stream = QueuedStream(form_of(wish.tier, is_chunked=False))
        hub.enter(stream)
        gone = asyncio.create_task(_until_gone(receive))
        gone.add_done_callback(lambda _: stream.end())
        try:
            position = hub.last if wish.position is None else wish.position
            start = {"type": "http.response.start", "status": 200, "headers": [*STREAM_HEADERS]}
            await send(start)
            await _send_frame(send, hub.welcome(stream.form, position=position))
            # Who was promised more than the database can tell now comes back with its last id.
            with suppress(Outage):
                await _send_all(hub, stream, send, position)
            if not gone.done():
                await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            hub.leave(stream)
            gone.cancel()

    return answer


async def _send_all(hub: LiveHub, stream: QueuedStream, send: Send, position: int) -> None:
    async with aclosing(hub.resume(stream, position)) as missed:
        async for frame in missed:
            await _send_frame(send, frame)
    while (next_frame := await stream.next_frame()) is not None:
        await _send_frame(send, next_frame)


async def _send_frame(send: Send, frame: bytes) -> None:
    await send({"type": "http.response.body", "body": frame, "more_body": True})


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
