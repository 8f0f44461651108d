"""The head of one request, read by a real parser and bounded in size, lines and time.

Only the head counts here: nothing that the live role answers takes a body.
"""

import msgspec
from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser

from packhouse.foundation.errors import Refusal
from packhouse.foundation.limits import HEAD_BYTES_MAX, HEADERS_MAX
from packhouse.web.asgi import Scope
from packhouse.web.errors import HeadTooLarge, Malformed
from packhouse.web.server.wire import UNREADABLE, read_target, require_one_host


class RequestHead(msgspec.Struct, frozen=True):
    """A request as far as it matters; ``scope`` has the keys of ASGI that are asked for."""

    scope: Scope
    version: str


class HeadParser:
    """Takes a request in pieces of any size until its head is whole or refused."""

    def __init__(self) -> None:
        self._parser = HttpRequestParser(self)
        self._bytes_left = HEAD_BYTES_MAX
        self._target = b""
        self._headers: list[tuple[bytes, bytes]] = []
        self._head: RequestHead | None = None
        self._refusal: Refusal | None = None

    def feed(self, piece: bytes) -> RequestHead | None:
        """Read on; gives the head once it is whole. Raises ``Malformed`` or ``HeadTooLarge``.

        What comes after the head, a body or another request, is not looked at.
        """
        try:
            self._parser.feed_data(piece[: self._bytes_left])
        except HttpParserUpgrade:
            # Offered by some clients with any request; we go on as if it had not been.
            pass
        except HttpParserError as error:
            if self._head is None and self._refusal is None:
                raise Malformed(UNREADABLE) from error
        self._bytes_left -= min(len(piece), self._bytes_left)
        if self._refusal is not None:
            raise self._refusal
        if self._head is None and self._bytes_left == 0:
            raise HeadTooLarge(f"A request's head may have at most {HEAD_BYTES_MAX:,} bytes.")
        return self._head

    def on_url(self, piece: bytes) -> None:
        """Collect the request target; the parser gives it in pieces."""
        if self._head is None:
            self._target += piece

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header, unless there are too many."""
        if self._head is not None:
            return
        if len(self._headers) >= HEADERS_MAX:
            self._refusal = HeadTooLarge(f"A request may have at most {HEADERS_MAX} headers.")
            return
        self._headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        """The head is whole, if it makes sense."""
        if self._head is not None or self._refusal is not None:
            return
        version = self._parser.get_http_version()
        try:
            target = read_target(self._target)
            require_one_host(sum(name == b"host" for name, _ in self._headers), version=version)
        except Malformed as refusal:
            self._refusal = refusal
            return
        scope = {
            "type": "http",
            "method": self._parser.get_method().decode("ascii"),
            "path": target.path,
            "query_string": target.query,
            "headers": self._headers,
        }
        self._head = RequestHead(scope=scope, version=version)
