"""The head of one request, read by a real parser and bounded in size, lines and time.

Only the head counts here: nothing that the live role answers takes a body.
"""

from typing import Final
from urllib.parse import unquote

import msgspec
from httptools import (
    HttpParserError,
    HttpParserInvalidURLError,
    HttpParserUpgrade,
    HttpRequestParser,
    parse_url,
)

from packhouse.foundation.errors import Refusal
from packhouse.foundation.limits import LIVE_HEAD_BYTES_MAX, LIVE_HEADERS_MAX
from packhouse.web.asgi import Scope
from packhouse.web.errors import HeadTooLarge, Malformed

UNREADABLE: Final = "The request could not be read: this is no HTTP as it should be."


class RequestHead(msgspec.Struct, frozen=True):
    """A request as far as it matters; ``scope`` has the keys of ASGI that are asked for."""

    scope: Scope
    version: str


class HeadParser:
    """Takes a request in pieces of any size until its head is whole or refused."""

    def __init__(self) -> None:
        self._parser = HttpRequestParser(self)
        self._bytes_left = LIVE_HEAD_BYTES_MAX
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
            raise HeadTooLarge(f"A request's head may have at most {LIVE_HEAD_BYTES_MAX:,} bytes.")
        return self._head

    def on_url(self, piece: bytes) -> None:
        """Collect the request target; the parser gives it in pieces."""
        if self._head is None:
            self._target += piece

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header, unless there are too many."""
        if self._head is not None:
            return
        if len(self._headers) >= LIVE_HEADERS_MAX:
            self._refusal = HeadTooLarge(f"A request may have at most {LIVE_HEADERS_MAX} headers.")
            return
        self._headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        """The head is whole, if it makes sense."""
        if self._head is not None or self._refusal is not None:
            return
        version = self._parser.get_http_version()
        try:
            target = parse_url(self._target)
            path = unquote((target.path or b"").decode("ascii"), errors="strict")
        except (HttpParserInvalidURLError, UnicodeDecodeError):
            self._refusal = Malformed(UNREADABLE)
            return
        hosts = sum(name == b"host" for name, _ in self._headers)
        if hosts > 1 or (hosts == 0 and version != "1.0"):
            self._refusal = Malformed("A request names its host once.")
            return
        scope = {
            "type": "http",
            "method": self._parser.get_method().decode("ascii"),
            "path": path,
            "query_string": target.query or b"",
            "headers": self._headers,
        }
        self._head = RequestHead(scope=scope, version=version)
