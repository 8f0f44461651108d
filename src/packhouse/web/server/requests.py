"""Requests as they come in, in pieces of any size, read by llhttp and bounded in lines and size."""

from typing import Final, Protocol

from httptools import (
    HttpParserCallbackError,
    HttpParserError,
    HttpParserUpgrade,
    HttpRequestParser,
)

from packhouse.foundation.errors import Refusal
from packhouse.foundation.limits import HEAD_BYTES_MAX, HEADERS_MAX
from packhouse.web.asgi import Scope
from packhouse.web.errors import HeadTooLarge, Malformed
from packhouse.web.server.wire import UNREADABLE, read_target, require_one_host, require_version

_ASGI: Final = {"version": "3.0", "spec_version": "2.4"}

Address = tuple[str, int]


class Sink(Protocol):
    """Takes what was read, in the order in which it came."""

    def begin_request(self, scope: Scope, *, keeps_alive: bool, expects_continue: bool) -> None:
        """A whole head, as ASGI describes it."""

    def add_body(self, piece: bytes) -> None:
        """A piece of the request's body."""

    def end_request(self) -> None:
        """The request is whole."""


class RequestReader:
    """Reads one request after another from what a connection receives."""

    def __init__(self, sink: Sink, *, client: Address, server: Address) -> None:
        self._sink = sink
        self._client = client
        self._server = server
        self._parser = HttpRequestParser(self)
        self._target = b""
        self._headers: list[tuple[bytes, bytes]] = []
        self._head_bytes_left = self._pieces_left = HEAD_BYTES_MAX
        self._hosts = 0
        self._expects_continue = False
        self._refusal: Refusal | None = None
        self.is_in_head = False

    def feed(self, data: bytes) -> None:
        """Read on. Raises ``Malformed`` or ``HeadTooLarge``, after which nothing can be read."""
        if self.is_in_head:
            # The parser keeps what is not whole yet, so pieces are counted before it has them.
            self._pieces_left -= len(data)
            if self._pieces_left < 0:
                raise _head_too_large()
        try:
            self._parser.feed_data(data)
        except HttpParserUpgrade:
            # Offered by some clients with any request; it is answered as if it had not been, and
            # closed, because what follows may be in the other protocol.
            return
        except HttpParserCallbackError:
            if self._refusal is None:
                raise
            raise self._refusal from None
        except HttpParserError as error:
            raise Malformed(UNREADABLE) from error

    # What the parser calls; it hands on what is raised here as an ``HttpParserError``.

    def on_message_begin(self) -> None:
        """The first byte of a request."""
        self._target = b""
        self._headers = []
        self._head_bytes_left = self._pieces_left = HEAD_BYTES_MAX
        self._hosts = 0
        self._expects_continue = False
        self.is_in_head = True

    def on_url(self, piece: bytes) -> None:
        """A piece of the request target."""
        self._count(len(piece))
        self._target += piece

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header, unless there are too many."""
        if len(self._headers) >= HEADERS_MAX:
            self._refuse(HeadTooLarge(f"A request may have at most {HEADERS_MAX} headers."))
        self._count(len(name) + len(value))
        name = name.lower()
        if name == b"host":
            self._hosts += 1
        elif name == b"expect":
            self._expects_continue = value.lower() == b"100-continue"
        self._headers.append((name, value))

    def on_headers_complete(self) -> None:
        """The head is whole, if it makes sense."""
        self.is_in_head = False
        parser = self._parser
        version = parser.get_http_version()
        try:
            require_version(version)
            target = read_target(self._target)
            require_one_host(self._hosts, version=version)
        except Malformed as refusal:
            self._refuse(refusal)
        scope: Scope = {
            "type": "http",
            "asgi": _ASGI,
            "http_version": version,
            "method": parser.get_method().decode("ascii"),
            "scheme": "http",
            "path": target.path,
            "raw_path": target.raw_path,
            "query_string": target.query,
            "root_path": "",
            "headers": self._headers,
            "client": self._client,
            "server": self._server,
            "state": {},
        }
        self._sink.begin_request(
            scope,
            keeps_alive=(
                version == "1.1" and parser.should_keep_alive() and not parser.should_upgrade()
            ),
            expects_continue=self._expects_continue,
        )

    def on_body(self, piece: bytes) -> None:
        """A piece of the body."""
        self._sink.add_body(piece)

    def on_message_complete(self) -> None:
        """The request is whole."""
        self._sink.end_request()

    def _count(self, size: int) -> None:
        self._head_bytes_left -= size
        if self._head_bytes_left < 0:
            self._refuse(_head_too_large())

    def _refuse(self, refusal: Refusal) -> None:
        self._refusal = refusal
        raise refusal


def _head_too_large() -> HeadTooLarge:
    return HeadTooLarge(f"A request's head may have at most {HEAD_BYTES_MAX:,} bytes.")
