"""One connection of the live role's server, from its first byte to its one answer.

A whole answer is sent and the connection closed; a stream takes the transport over and goes on by
itself, so that nothing which was needed for reading the request stays in memory.
"""

import asyncio
from collections.abc import Callable
from typing import Final, Protocol, cast

from packhouse.foundation.errors import Refusal
from packhouse.foundation.limits import LIVE_HEAD_SECONDS_MAX
from packhouse.web.live.requests import HeadParser, RequestHead

LINGER_SECONDS: Final = 2.0
LINGER_BYTES_MAX: Final = 256 * 1024
"""What a client may still send after its answer: closed at once, it might never read the answer."""


class Responder(Protocol):
    """Answers requests: the server as a connection sees it."""

    def take_in(self, connection: "LiveConnection") -> bool:
        """Count a new connection; False when there are too many."""

    def let_go(self, connection: "LiveConnection") -> None:
        """Forget a connection that ended, or whose transport a stream has now."""

    async def answer(self, request: RequestHead, connection: "LiveConnection") -> None:
        """Answer by ``send_last`` or by taking the transport over; raises nothing."""

    def refuse(self, refusal: Refusal, connection: "LiveConnection") -> None:
        """Answer what is no request."""


class LiveConnection(asyncio.Protocol):
    """Reads one head within time and size, and has it answered."""

    def __init__(self, responder: Responder) -> None:
        self._responder = responder
        self._parser: HeadParser | None = HeadParser()
        self._answering: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._linger_bytes = LINGER_BYTES_MAX
        self._is_answered = False
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client has connected."""
        # uvloop has a class of its own for it.
        self.transport = cast("asyncio.Transport", transport)
        if not self._responder.take_in(self):
            self.transport.abort()
            return
        self._call_later(LIVE_HEAD_SECONDS_MAX, self.abort)

    def data_received(self, data: bytes) -> None:
        """Read on, until the head is whole."""
        if self._parser is None:
            self._linger_bytes -= len(data)
            if self._linger_bytes < 0:
                self.abort()
            return
        try:
            request = self._parser.feed(data)
        except Refusal as refusal:
            self._parser = None
            self._responder.refuse(refusal, self)
            return
        if request is not None:
            self._parser = None
            self._stop_timer()
            self._answering = asyncio.create_task(self._responder.answer(request, self))

    def eof_received(self) -> bool:
        """A client that has said all that it wants to may still be waiting for its answer."""
        return self._parser is None and not self._is_answered

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio calls it so
        """The connection has ended."""
        self.transport = None
        self._stop_timer()
        self._responder.let_go(self)
        if self._answering is not None:
            self._answering.cancel()

    def hand_over(self) -> asyncio.Transport | None:
        """Give the transport to a stream; None when the client has gone."""
        transport, self.transport = self.transport, None
        if transport is not None:
            self._responder.let_go(self)
        return transport

    def send_last(self, answer: bytes) -> None:
        """Send a whole answer, and close when the client has read it."""
        if self.transport is None:
            return
        self._is_answered = True
        self.transport.write(answer)
        self.transport.write_eof()
        self._stop_timer()
        self._call_later(LINGER_SECONDS, self.abort)

    def stop(self) -> None:
        """The server is being stopped: close, unless an answer is on its way."""
        if self._answering is None or self._answering.done():
            self.abort()

    def abort(self) -> None:
        """Close at once."""
        if self.transport is not None:
            self.transport.abort()

    def _call_later(self, seconds: float, call: Callable[[], None]) -> None:
        self._timer = asyncio.get_running_loop().call_later(seconds, call)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
