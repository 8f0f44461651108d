"""Sends one answer, compressed where that helps, with what every answer carries."""

from collections.abc import Iterable

from packhouse.plumbing.rate_limits import Verdict
from packhouse.web.answers import Answer
from packhouse.web.asgi import Message, Send
from packhouse.web.codings import (
    COMPRESSED_FROM_BYTES,
    FASTEST_FIRST,
    choose_coding,
    compress_at_once,
    is_compressible,
)
from packhouse.web.context import RequestContext
from packhouse.web.headers import completed_headers

Header = tuple[bytes, bytes]


class Sending:
    """The way out for one answer: whole ones are compressed, streams go as they come."""

    def __init__(
        self,
        send: Send,
        context: RequestContext,
        defaults: list[Header],
        *,
        is_head: bool,
        accept_encoding: str | None,
    ) -> None:
        self._send = send
        self._context = context
        self._defaults = defaults
        self._accept_encoding = accept_encoding
        self._held: Message | None = None
        self.is_head = is_head
        self.extra: list[Header] = []
        self.verdict: Verdict | None = None
        self.status: int | None = None
        self.code: str | None = None

    async def __call__(self, message: Message) -> None:
        """Send what the framework or a shortcut sends."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = list(message.get("headers", []))
            if self._may_compress(headers):
                # Its length is known once its body is here.
                self._held = {**message, "headers": headers}
                return
            message["headers"] = self._completed(headers)
        elif message["type"] == "http.response.body":
            if self._held is not None:
                await self._let_go(self._held, message)
                self._held = None
            if self.is_head:
                message["body"] = b""
        await self._send(message)

    async def answer(self, answer: Answer) -> None:
        """Send a whole answer, unless one has begun: then nothing better can be said any more."""
        if self.status is not None:
            return
        self.status = answer.status
        headers, body = list(answer.headers), answer.body
        if len(body) >= COMPRESSED_FROM_BYTES and self._may_compress(headers):
            headers, body = self._compressed(headers, body)
        headers.append((b"content-length", b"%d" % len(body)))
        await self._send(
            {
                "type": "http.response.start",
                "status": answer.status,
                "headers": self._completed(headers),
            }
        )
        body = b"" if self.is_head else body
        await self._send({"type": "http.response.body", "body": body, "more_body": False})

    async def _let_go(self, held: Message, message: Message) -> None:
        """Send the head that was held back for this body, or for its first piece."""
        headers, body = held["headers"], message.get("body", b"")
        if not message.get("more_body", False) and len(body) >= COMPRESSED_FROM_BYTES:
            headers, body = self._compressed(headers, body)
            headers = [header for header in headers if header[0].lower() != b"content-length"]
            headers.append((b"content-length", b"%d" % len(body)))
            message["body"] = body
        held["headers"] = self._completed(headers)
        await self._send(held)

    def _may_compress(self, headers: Iterable[Header]) -> bool:
        """Whole text without a tag or a coding: a tag would name bytes that are not sent."""
        if self._accept_encoding is None:
            return False
        found = False
        for name, value in headers:
            lowered = name.lower()
            if lowered in {b"content-encoding", b"etag"}:
                return False
            if lowered == b"content-type":
                found = is_compressible(value)
        return found

    def _compressed(self, headers: list[Header], body: bytes) -> tuple[list[Header], bytes]:
        vary = (b"vary", b"Accept-Encoding")
        coding = choose_coding(self._accept_encoding, FASTEST_FIRST)
        if coding == "identity":
            return [*headers, vary], body
        coded = (b"content-encoding", coding.encode())
        return [*headers, vary, coded], compress_at_once(body, coding)

    def _completed(self, own: Iterable[Header]) -> list[Header]:
        headers = completed_headers(
            own,
            defaults=self._defaults,
            request_id=self._context.request_id,
            extra=self.extra,
            verdict=self.verdict,
        )
        if self._context.new_cookie is not None:
            headers.append((b"set-cookie", self._context.new_cookie.encode()))
        return headers
