"""One client's connection: requests are read one after another and answered in their order.

A request for what is in memory is answered while it is being read. Any other becomes an exchange in
a task of its own; what the client sends ahead waits, and no more of it is read than one piece. The
head is bounded in size, lines and time; a body is bounded by whoever reads it, and only so much is
read ahead.
"""

import asyncio
from collections import deque
from typing import Any, Final, Protocol, cast

from packhouse.foundation.errors import Refusal
from packhouse.web.asgi import Scope
from packhouse.web.edge import Asked
from packhouse.web.server.exchanges import Exchange
from packhouse.web.server.requests import Address, RequestReader

LINGER_BYTES_MAX: Final = 256 * 1024
"""What is still read of a client after its last answer; then it waits, which leaves it time to read
that. Cut off at once it might lose it: what it has sent and nobody read resets the connection."""

SAME_BYTES_MAX: Final = 2_048
"""A request up to this size is known again when the same bytes follow it, as from who polls."""

HEAD_SECONDS: Final = 10.0
"""How long a request's head may take from its first byte."""
BODY_SECONDS: Final = 30.0
"""How long the next piece of a body may take when it is waited for."""
STUCK_SECONDS: Final = 60.0
"""How long a client may take nothing of an answer."""
LINGER_SECONDS: Final = 2.0
LAST_HEAD_SECONDS: Final = 1.0
"""How long a request may still take to come when the server is being stopped."""
KEEP_ALIVE_SECONDS: Final = 75.0
"""How long an idle connection stays open: longer than a visitor thinks, and longer than the usual
60 s of a load balancer, which must be the one to close first."""

_FOREVER: Final = float("inf")


class Responder(Protocol):
    """All that answers: the server as a connection sees it."""

    date_line: bytes
    is_leaving: bool
    is_stopping: bool

    def take_in(self, connection: "HttpConnection") -> bool:
        """Count a new connection; False when there is no room for it."""

    def let_go(self, connection: "HttpConnection") -> None:
        """Forget a connection that has ended."""

    def read_asked(self, scope: Scope) -> Asked | None:
        """What a GET asks for, if the answer may need no wait."""

    def answer_at_once(self, asked: Asked, *, stays_open: bool) -> bytes | None:
        """A whole answer that takes no wait, or None."""

    def begin(self, exchange: Exchange) -> None:
        """Have a task answer through the exchange."""

    def refuse(self, refusal: Refusal) -> bytes:
        """The whole answer to what is no request."""


class HttpConnection(asyncio.Protocol):
    """Reads requests and has them answered, until either side closes."""

    def __init__(self, responder: Responder, loop: asyncio.AbstractEventLoop) -> None:
        self._responder = responder
        self._loop = loop
        self._reader: RequestReader | None = None
        self._transport: asyncio.Transport | None = None
        self._refusal: Refusal | None = None
        self._reading: Exchange | None = None
        self._answering: Exchange | None = None
        self._waiting: deque[Exchange] = deque()
        self._messages = 0
        self._asked: Asked | None = None
        self._same_again: bytes | None = None
        self._is_new = True
        self._is_deaf = False
        self._is_held_back = False
        self._linger_bytes = LINGER_BYTES_MAX
        self._writable: asyncio.Future[None] | None = None
        self.deadline = _FOREVER
        """When the server should end this connection, by the loop's clock."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client has connected."""
        # uvloop has a class of its own for it.
        self._transport = cast("asyncio.Transport", transport)
        self._reader = RequestReader(
            self,
            client=_address(transport.get_extra_info("peername")),
            server=_address(transport.get_extra_info("sockname")),
        )
        self.deadline = self._loop.time() + KEEP_ALIVE_SECONDS
        if not self._responder.take_in(self):
            self.abort()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio calls it so
        """The connection has ended."""
        self._transport = None
        self._reader = None
        for exchange in (self._reading, self._answering, *self._waiting):
            if exchange is not None:
                exchange.break_off()
        self._waiting.clear()
        self.resume_writing()
        self._responder.let_go(self)

    def data_received(self, data: bytes) -> None:
        """Read on; what is whole is answered, in order."""
        is_between = self.is_idle() and not self._is_deaf
        if is_between and data == self._same_again and self._answer_again():
            return
        if self._is_deaf or self._reader is None:
            self._overhear(data)
            return
        self._messages = 0
        self._asked = None
        try:
            self._reader.feed(data)
        except Refusal as refusal:
            if not self._is_deaf:
                self._give_up(refusal)
        if not self._is_deaf:
            self._wait_for_more()
        is_one = is_between and self._messages == 1 and len(data) <= SAME_BYTES_MAX
        self._same_again = data if is_one and self.is_idle() else None

    def eof_received(self) -> None:
        """Who closes has left, as a browser does; asyncio closes the rest."""

    def pause_writing(self) -> None:
        """The client takes less than it is sent."""
        if self._writable is None:
            self._writable = self._loop.create_future()
            self.deadline = self._loop.time() + STUCK_SECONDS

    def resume_writing(self) -> None:
        """There is room again for what the client is sent."""
        if self._writable is None:
            return
        if not self._writable.done():
            self._writable.set_result(None)
        self._writable = None
        if self._answering is not None:
            self.deadline = _FOREVER
        elif self._waiting or self._reading is not None:
            self._loop.call_soon(self._answer_next)
        elif not self._is_deaf:
            self._go_on(stays_open=True, is_whole=True)

    # What its reader has read.

    def begin_request(self, scope: Scope, *, keeps_alive: bool, expects_continue: bool) -> None:
        """A whole head."""
        self._is_new = False
        self._reading = Exchange(
            self, scope, keeps_alive=keeps_alive, expects_continue=expects_continue
        )

    def add_body(self, piece: bytes) -> None:
        """A piece of the request's body."""
        if self._reading is not None:
            self._reading.add_body(piece)
            if self._reading is self._answering:
                self.deadline = _FOREVER

    def end_request(self) -> None:
        """The request is whole: answer it, or have it wait for those before it."""
        exchange, self._reading = self._reading, None
        if exchange is None:
            return
        exchange.end_body()
        self._messages += 1
        if not exchange.keeps_alive:
            # What follows the last request belongs to nobody.
            self._is_deaf = True
        if exchange is self._answering:
            # Only the body was waited for; what is done with it has its own bounds.
            self.deadline = _FOREVER
            return
        if exchange.is_ended:
            return
        if self._answering is None and not self._waiting and self._writable is None:
            self._answer(exchange)
        else:
            self._waiting.append(exchange)

    # What an exchange asks of its connection.

    @property
    def date_line(self) -> bytes:
        """The header that the server adds to every answer."""
        return self._responder.date_line

    def may_stay_open(self) -> bool:
        """Whether another request is welcome afterwards."""
        return not self._responder.is_leaving and self._refusal is None

    def write(self, data: bytes) -> None:
        """Send; to nobody if the client has left."""
        if self._transport is not None:
            self._transport.write(data)

    async def drained(self) -> None:
        """Wait while the client takes nothing more."""
        if self._writable is not None:
            await self._writable

    def hold_back(self) -> None:
        """Read nothing more for now."""
        if not self._is_held_back and self._transport is not None:
            self._is_held_back = True
            self._transport.pause_reading()

    def read_on(self) -> None:
        """Read what comes next, which is waited for."""
        self.deadline = self._loop.time() + BODY_SECONDS
        self._release()

    def exchange_ended(self, exchange: Exchange, *, stays_open: bool) -> None:
        """The answer was sent: go on with who waits, or close."""
        if exchange is self._answering:
            self._answering = None
        self._go_on(stays_open=stays_open, is_whole=exchange.is_body_whole)

    def stop(self) -> None:
        """The server is being stopped: close, unless something is asked or is just about to be."""
        if self._transport is None or self._answering is not None or self._waiting:
            return
        if self._is_new or self._is_in_head():
            self.deadline = min(self.deadline, self._loop.time() + LAST_HEAD_SECONDS)
        else:
            self._transport.close()

    def is_idle(self) -> bool:
        """Whether nothing is asked, nothing is being read and all was sent."""
        return (
            self._answering is None
            and self._reading is None
            and self._writable is None
            and not self._waiting
            and not self._is_in_head()
        )

    def expire(self) -> None:
        """Its time is over."""
        if self._transport is not None and self.is_idle():
            self._transport.close()
        else:
            self.abort()

    def abort(self) -> None:
        """End the connection at once."""
        if self._transport is not None:
            self._transport.abort()

    def _wait_for_more(self) -> None:
        if self._waiting or self._writable is not None:
            self.hold_back()
        elif self._answering is None:
            if self._reading is not None:
                self._answer(self._reading)
            elif self._is_in_head():
                self.deadline = min(self.deadline, self._loop.time() + HEAD_SECONDS)

    def _is_in_head(self) -> bool:
        return self._reader is not None and self._reader.is_in_head

    def _answer_next(self) -> None:
        if self._answering is not None or self._transport is None or self._writable is not None:
            return
        if self._waiting:
            self._answer(self._waiting.popleft())
        elif self._reading is not None:
            self._answer(self._reading)

    def _answer(self, exchange: Exchange) -> None:
        if exchange.is_body_whole and exchange.scope["method"] == "GET":
            asked = self._responder.read_asked(exchange.scope)
            if asked is not None and self._answer_at_once(asked, keeps_alive=exchange.keeps_alive):
                exchange.is_ended = True
                self._asked = asked if exchange.keeps_alive else None
                return
        self._answering = exchange
        self.deadline = _FOREVER
        self._responder.begin(exchange)

    def _release(self) -> None:
        if self._is_held_back and self._transport is not None:
            self._is_held_back = False
            self._transport.resume_reading()

    def _go_on(self, *, stays_open: bool, is_whole: bool) -> None:
        """After an answer: on with who waits, or with reading, or close."""
        if self._transport is None:
            return
        # A stop may have begun since the answer's head said otherwise.
        if not stays_open or (self._responder.is_stopping and not self._waiting):
            self._close_after_answer(is_whole=is_whole)
        elif self._writable is not None:
            # Who reads nothing is answered nothing more; it goes on from ``resume_writing``.
            self.hold_back()
        elif self._waiting or self._reading is not None:
            # From the loop, not from here: a long line must not become a deep stack.
            self._loop.call_soon(self._answer_next)
        elif self._refusal is not None:
            self._say_last(self._responder.refuse(self._refusal))
        else:
            self.deadline = self._loop.time() + KEEP_ALIVE_SECONDS
            self._release()

    def _answer_at_once(self, asked: Asked, *, keeps_alive: bool) -> bool:
        stays_open = keeps_alive and self.may_stay_open()
        answer = self._responder.answer_at_once(asked, stays_open=stays_open)
        if answer is None:
            return False
        self.write(answer)
        self._go_on(stays_open=stays_open, is_whole=True)
        return True

    def _answer_again(self) -> bool:
        return self._asked is not None and self._answer_at_once(self._asked, keeps_alive=True)

    def _give_up(self, refusal: Refusal) -> None:
        """Nothing more can be read from here; who asked before gets an answer first."""
        self._refusal = refusal
        self._is_deaf = True
        reading, self._reading = self._reading, None
        if reading is not None and reading is self._answering:
            reading.break_off()
        elif self._answering is None and not self._waiting:
            self._say_last(self._responder.refuse(refusal))

    def _say_last(self, answer: bytes) -> None:
        self.write(answer)
        self._close_after_answer(is_whole=False)

    def _close_after_answer(self, *, is_whole: bool) -> None:
        if self._transport is None:
            return
        self._is_deaf = True
        if is_whole:
            self._transport.close()
            self.deadline = self._loop.time() + STUCK_SECONDS
            return
        self._transport.write_eof()
        self._release()
        self.deadline = self._loop.time() + LINGER_SECONDS

    def _overhear(self, data: bytes) -> None:
        self._linger_bytes -= len(data)
        if self._linger_bytes < 0:
            self.hold_back()


def _address(found: Any) -> Address:  # noqa: ANN401 - as the system gives it
    return (found[0], found[1]) if isinstance(found, tuple) else ("unknown", 0)
