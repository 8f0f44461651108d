"""Answers as bytes, with entity tags for what everybody may see."""

import hashlib

import msgspec

from packhouse.web.asgi import Send


class Answer(msgspec.Struct, frozen=True):
    """A whole answer."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[bytes, bytes], ...] = ()


class ReadyAnswer(msgspec.Struct, frozen=True):
    """A whole answer in bytes; its head still lacks the server's own lines and the empty one."""

    head: bytes
    body: bytes


async def send_answer(answer: Answer, send: Send) -> None:
    """Send an answer in two messages."""
    await send(
        {
            "type": "http.response.start",
            "status": answer.status,
            "headers": [*answer.headers, (b"content-length", str(len(answer.body)).encode())],
        }
    )
    await send({"type": "http.response.body", "body": answer.body, "more_body": False})


def etag_of(body: bytes) -> str:
    """A strong entity tag: the beginning of the body's SHA-256."""
    return f'"{hashlib.sha256(body).hexdigest()[:32]}"'


def matches_etag(header: str | None, etag: str) -> bool:
    """Whether ``If-None-Match`` names this tag (weak comparison, RFC 9110 section 13.1.2)."""
    if header is None:
        return False
    named = {part.strip().removeprefix("W/") for part in header.split(",")}
    return "*" in named or etag in named
