"""Requests as the bytes that go over the wire, built once before anything is measured."""

from typing import Any, Final
from uuid import uuid4

import msgspec

SESSION_COOKIE: Final = "packhouse_session"

KEY_SLOT: Final = b"{{idempotency-key-of-each-sending}}x"
"""Stands for the Idempotency-Key; whoever sends the request puts 36 fresh characters there."""


class WireRequest(msgspec.Struct, frozen=True):
    """``route`` names it in the results; ``before`` and ``after`` surround the key, if it has one.

    Without a key ``after`` is empty and ``before`` is everything.
    """

    route: str
    before: bytes
    after: bytes = b""


def get(
    path: str,
    *,
    token: str | None = None,
    cookie: str | None = None,
    route: str | None = None,
) -> WireRequest:
    """A GET of ``path``, signed in by ``token``, or by a whole Cookie header."""
    head = _head("GET", path, cookie=cookie or session_cookie(token))
    return WireRequest(route or f"GET {path}", head + b"\r\n")


def post(
    path: str,
    body: Any,  # noqa: ANN401 - whatever JSON can say
    *,
    token: str | None = None,
    cookie: str | None = None,
    route: str | None = None,
) -> WireRequest:
    """A POST of ``body`` as JSON with an Idempotency-Key that is new at each sending."""
    text = msgspec.json.encode(body)
    head = (
        _head("POST", path, cookie=cookie or session_cookie(token))
        + b"Content-Type: application/json\r\n"
        + b"Idempotency-Key: %b\r\n" % KEY_SLOT
        + b"Content-Length: %d\r\n\r\n" % len(text)
    )
    before, _, after = (head + text).partition(KEY_SLOT)
    return WireRequest(route or f"POST {path}", before, after)


def new_keys() -> bytes:
    """The first 20 characters of keys, different for each program that sends."""
    return uuid4().hex[:20].encode()


def session_cookie(token: str | None) -> str | None:
    """The Cookie header of whoever has that token of the shop's; None of nobody."""
    return None if token is None else f"{SESSION_COOKIE}={token}"


def _head(method: str, path: str, *, cookie: str | None) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", "Accept: */*"]
    if cookie is not None:
        lines.append(f"Cookie: {cookie}")
    return "".join(f"{line}\r\n" for line in lines).encode()
