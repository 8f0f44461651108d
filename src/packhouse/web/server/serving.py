"""All connections of one web worker: who is let in, whose time is over, and how it ends."""

import asyncio
from contextlib import suppress
from email.utils import formatdate
from typing import Final, Protocol

from packhouse.foundation.errors import Refusal
from packhouse.plumbing.logging import get_log
from packhouse.web.answers import ReadyAnswer
from packhouse.web.asgi import Receive, Scope, Send
from packhouse.web.edge import Asked
from packhouse.web.headers import HeaderReader
from packhouse.web.server.connections import HttpConnection
from packhouse.web.server.exchanges import Exchange
from packhouse.web.server.wire import CLOSE

TICK_SECONDS: Final = 1.0
"""How often the date is told anew and connections are looked through for those out of time."""
IDLE_CLOSED_AT_ONCE: Final = 256
"""Idle connections that are closed for newcomers when there is no more room."""

log = get_log(__name__)


class App(Protocol):
    """What answers: the edge."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, as ASGI has it."""

    def read_asked(
        self, *, path: str, query: str, peer: str, headers: HeaderReader
    ) -> Asked | None:
        """What a GET asks for, if the answer may need no wait."""

    def answer_at_once(self, asked: Asked) -> ReadyAnswer | None:
        """The answer that needs no wait, or None."""

    def refuse(self, refusal: Refusal) -> ReadyAnswer:
        """The answer to what is no request."""


class HttpServer:
    """Has the requests of its connections answered by ``app``."""

    def __init__(self, app: App, *, connections_max: int, loop: asyncio.AbstractEventLoop) -> None:
        self._app = app
        self._connections_max = connections_max
        self._loop = loop
        self._connections: set[HttpConnection] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.date_line = b""
        self.is_leaving = False
        self.is_stopping = False
        self._tell_date()

    def connect(self) -> HttpConnection:
        """The protocol of a new connection."""
        return HttpConnection(self, self._loop)

    async def tick(self) -> None:
        """Keep the date right and end who is out of time, until cancelled."""
        while True:
            await asyncio.sleep(TICK_SECONDS)
            self._tell_date()
            now = self._loop.time()
            for connection in [each for each in self._connections if each.deadline <= now]:
                connection.expire()

    def leave(self) -> None:
        """From now on each answer is its connection's last, and says so; nobody is turned away.

        A client that is told so opens its next connection elsewhere. One that is closed in silence
        may be sending just then, and would not know whether it was heard.
        """
        self.is_leaving = True

    async def stop(self, *, seconds: float) -> None:
        """Let no request begin; wait so long for those in hand, and cut off the rest."""
        self.is_leaving = self.is_stopping = True
        for connection in tuple(self._connections):
            connection.stop()
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while self._connections or self._tasks:  # noqa: ASYNC110 - they end one by one
                    await asyncio.sleep(0.02)
        if self._connections or self._tasks:
            log.warning("Requests were cut off", requests=len(self._tasks))
        for connection in tuple(self._connections):
            connection.abort()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # What a connection asks of its server.

    def take_in(self, connection: HttpConnection) -> bool:
        """Count a new connection; False when there is no room for it."""
        if len(self._connections) >= self._connections_max:
            self._close_idle()
        if self.is_stopping or len(self._connections) >= self._connections_max:
            return False
        self._connections.add(connection)
        return True

    def let_go(self, connection: HttpConnection) -> None:
        """Forget a connection that has ended."""
        self._connections.discard(connection)

    def read_asked(self, scope: Scope) -> Asked | None:
        """What a GET asks for, if the answer may need no wait."""
        return self._app.read_asked(
            path=scope["path"],
            query=scope["query_string"].decode("latin-1"),
            peer=scope["client"][0],
            headers=HeaderReader(scope),
        )

    def answer_at_once(self, asked: Asked, *, stays_open: bool) -> bytes | None:
        """A whole answer that takes no wait, or None."""
        try:
            ready = self._app.answer_at_once(asked)
        except Exception:
            # The usual way answers, and tells of the error if it meets it too.
            log.exception("A ready answer failed")
            return None
        if ready is None:
            return None
        ending = b"\r\n" if stays_open else CLOSE + b"\r\n"
        return b"".join((ready.head, self.date_line, ending, ready.body))

    def begin(self, exchange: Exchange) -> None:
        """Have a task answer through the exchange."""
        task = self._loop.create_task(self._answer(exchange))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def refuse(self, refusal: Refusal) -> bytes:
        """The whole answer to what is no request."""
        ready = self._app.refuse(refusal)
        return b"".join((ready.head, self.date_line, CLOSE, b"\r\n", ready.body))

    async def _answer(self, exchange: Exchange) -> None:
        try:
            await self._app(exchange.scope, exchange.receive, exchange.send)
        except Exception:
            log.exception("A request failed")
        finally:
            exchange.leave()

    def _tell_date(self) -> None:
        self.date_line = b"date: %b\r\n" % formatdate(usegmt=True).encode()

    def _close_idle(self) -> None:
        closed = 0
        for connection in tuple(self._connections):
            if connection.is_idle():
                connection.abort()
                # Its loss is told later; its place is free now.
                self._connections.discard(connection)
                closed += 1
                if closed == IDLE_CLOSED_AT_ONCE:
                    break
        log.warning("No room for more connections", idle_closed=closed)
