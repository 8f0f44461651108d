"""One request and its answer, as ASGI's ``receive`` and ``send`` (ASGI 3, HTTP 2.4)."""

import asyncio
from http import HTTPStatus
from typing import Final, Protocol

from packhouse.web.asgi import Message, Scope
from packhouse.web.server.wire import (
    CLOSE,
    CONTINUE,
    LAST_CHUNK,
    RawHeaders,
    chunk,
    open_head,
)

BODY_AHEAD_BYTES: Final = 64 * 1024
"""So much of a body is read before the application has asked for it."""

_WITHOUT_BODY: Final = frozenset({HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED})


class Wire(Protocol):
    """The connection as an exchange sees it."""

    @property
    def date_line(self) -> bytes:
        """The header that the server adds to every answer."""

    def may_stay_open(self) -> bool:
        """Whether another request is welcome afterwards."""

    def write(self, data: bytes) -> None:
        """Send; to nobody if the client has left."""

    async def drained(self) -> None:
        """Wait while the client takes nothing more."""

    def read_on(self) -> None:
        """The application waits for more of the body."""

    def hold_back(self) -> None:
        """Enough of the body is here for now."""

    def exchange_ended(self, exchange: "Exchange", *, stays_open: bool) -> None:
        """The last byte of the answer was sent."""

    def abort(self) -> None:
        """End the connection at once."""


class Exchange:
    """A request as far as it was read, and its answer as far as it was sent."""

    __slots__ = (
        "_body",
        "_expects_continue",
        "_has_told_end",
        "_head",
        "_is_chunked",
        "_is_http_10",
        "_left",
        "_news",
        "_wire",
        "has_begun",
        "is_body_whole",
        "is_broken",
        "is_ended",
        "is_head",
        "keeps_alive",
        "scope",
    )

    def __init__(
        self, wire: Wire, scope: Scope, *, keeps_alive: bool, expects_continue: bool
    ) -> None:
        self._wire = wire
        self._expects_continue = expects_continue
        self._body = b""
        self._has_told_end = False
        self._news: asyncio.Future[None] | None = None
        self._head: tuple[int, RawHeaders] | None = None
        self._is_chunked = False
        self._is_http_10 = scope["http_version"] == "1.0"
        self._left: int | None = None
        self.scope = scope
        self.keeps_alive = keeps_alive
        self.is_head = scope["method"] == "HEAD"
        self.is_body_whole = False
        self.is_broken = False
        self.has_begun = False
        self.is_ended = False

    def add_body(self, piece: bytes) -> None:
        """More of the request's body has come."""
        if self.is_ended:
            return
        self._body = self._body + piece if self._body else piece
        if len(self._body) > BODY_AHEAD_BYTES:
            self._wire.hold_back()
        self._wake()

    def end_body(self) -> None:
        """The request is whole."""
        self.is_body_whole = True
        self._wake()

    def break_off(self) -> None:
        """The client has left, or what it sends is no body any more: nothing further will come."""
        self.is_broken = True
        self._wake()

    def leave(self) -> None:
        """The application has gone; an answer that it did not end can only be broken off."""
        if not self.is_ended:
            self._wire.abort()

    async def receive(self) -> Message:
        """The next part of the body, or that the client has left; waits for either."""
        while True:
            if self.is_broken or self.is_ended:
                return {"type": "http.disconnect"}
            if self._body or (self.is_body_whole and not self._has_told_end):
                body, self._body = self._body, b""
                self._has_told_end = self.is_body_whole
                return {"type": "http.request", "body": body, "more_body": not self.is_body_whole}
            if not self.is_body_whole:
                if self._expects_continue and not self.has_begun:
                    self._wire.write(CONTINUE)
                self._expects_continue = False
                self._wire.read_on()
            self._news = asyncio.get_running_loop().create_future()
            await self._news

    async def send(self, message: Message) -> None:
        """Pass on an answer, whole or part by part."""
        if message["type"] == "http.response.start":
            self._head = (message["status"], message["headers"])
            return
        body: bytes = message.get("body", b"")
        has_more: bool = message.get("more_body", False)
        if self.is_broken or self.is_ended:
            return
        if self.has_begun:
            self._write_part(body, has_more=has_more)
        else:
            self._begin(body, has_more=has_more)
        if not has_more:
            self._end()
        elif body:
            await self._wire.drained()

    def _begin(self, body: bytes, *, has_more: bool) -> None:
        if self._head is None:
            raise RuntimeError("an answer begins with its status")
        status, headers = self._head
        self.has_begun = True
        is_bare = self.is_head or status in _WITHOUT_BODY
        length: int | None = None
        own: list[tuple[bytes, bytes]] = []
        for name, value in headers:
            if name == b"content-length":
                length = int(value)
                if status in _WITHOUT_BODY:
                    continue
            own.append((name, value))
        if length is None and not is_bare:
            if not has_more:
                length = len(body)
                own.append((b"content-length", b"%d" % length))
            elif self._is_http_10:
                self.keeps_alive = False
            else:
                self._is_chunked = True
                own.append((b"transfer-encoding", b"chunked"))
        # What is left of a body that nobody read would be taken for the next request.
        if not self.is_body_whole or not self._wire.may_stay_open():
            self.keeps_alive = False
        head = open_head(status, own) + self._wire.date_line
        ending = b"\r\n" if self.keeps_alive else CLOSE + b"\r\n"
        self._left = 0 if is_bare else length
        self._wire.write(head + ending + self._framed(body))

    def _write_part(self, body: bytes, *, has_more: bool) -> None:
        framed = self._framed(body)
        if self._is_chunked and not has_more:
            framed += LAST_CHUNK
        if framed:
            self._wire.write(framed)

    def _framed(self, body: bytes) -> bytes:
        if self._left is not None:
            body = body[: self._left]
            self._left -= len(body)
            return body
        return chunk(body) if body and self._is_chunked else body

    def _end(self) -> None:
        self.is_ended = True
        self._body = b""
        # An answer that is shorter than it promised is ended by closing, so that its client knows.
        stays_open = self.keeps_alive and not self._left
        self._wire.exchange_ended(self, stays_open=stays_open)
        self._wake()

    def _wake(self) -> None:
        if self._news is not None and not self._news.done():
            self._news.set_result(None)
