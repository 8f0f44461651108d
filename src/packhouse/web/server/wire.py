"""Answers as bytes on the wire (RFC 9112), and what a request's head has to be.

Everything that writes HTTP by itself does it here.
"""

from collections.abc import Iterable
from http import HTTPStatus
from typing import Final
from urllib.parse import unquote

import msgspec
from httptools import HttpParserInvalidURLError, parse_url

from packhouse.web.errors import Malformed

UNREADABLE: Final = "The request could not be read: this is no HTTP as it should be."
CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"
LAST_CHUNK: Final = b"0\r\n\r\n"
CLOSE: Final = b"connection: close\r\n"

_STATUS_LINES: Final = {
    status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode() for status in HTTPStatus
}

RawHeaders = Iterable[tuple[bytes, bytes]]


class Target(msgspec.Struct, frozen=True):
    """What a request asks for: the path decoded and as it came, and the query as it came."""

    path: str
    raw_path: bytes
    query: bytes


def read_target(target: bytes) -> Target:
    """The parts of a request target in origin, absolute or asterisk form; raises ``Malformed``."""
    if target == b"*":
        return Target("*", target, b"")
    try:
        parsed = parse_url(target)
        raw_path: bytes = parsed.path or b"/"
        path = raw_path.decode("ascii")
        if "%" in path:
            path = unquote(path)
    except (HttpParserInvalidURLError, UnicodeDecodeError) as error:
        raise Malformed(UNREADABLE) from error
    return Target(path, raw_path, parsed.query or b"")


def require_version(version: str) -> None:
    """HTTP/1.0 or 1.1; what came before had no headers, and what came after is other bytes."""
    if version not in ("1.0", "1.1"):
        raise Malformed(UNREADABLE)


def require_one_host(hosts: int, *, version: str) -> None:
    """A request names its host once (RFC 9112, section 3.2); before HTTP/1.1 it need not."""
    if hosts > 1 or (hosts == 0 and version != "1.0"):
        raise Malformed("A request names its host once.")


def open_head(status: int, headers: RawHeaders) -> bytes:
    """A response's head without the empty line at its end, so that more headers may follow.

    Raises ``ValueError`` for a header that would break out of its line.
    """
    lines = [b"%b: %b\r\n" % header for header in headers]
    head = b"".join(lines)
    if head.count(b"\n") != len(lines) or head.count(b"\r") != len(lines):
        raise ValueError("a header of an answer holds a line break")
    return _STATUS_LINES[status] + head


def chunk(piece: bytes) -> bytes:
    """A piece of a body whose length is not known beforehand."""
    return b"%x\r\n%b\r\n" % (len(piece), piece)
