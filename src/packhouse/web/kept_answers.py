"""Answers that are the same for everybody, as bytes that are handed out as they are.

The newest page of the feed or a pack on sale is built two or three times a second (``kept.py``);
with its body, its entity tags and its compressed forms are kept too.
"""

import gzip
import time
from collections.abc import Awaitable, Callable, Hashable
from http import HTTPStatus
from typing import Final

import brotli
import msgspec
import zstandard

from packhouse.web.answers import Answer, etag_of, matches_etag
from packhouse.web.asgi import Headers
from packhouse.web.codings import COMPRESSED_FROM_BYTES, SMALLEST_FIRST, Coding, choose_coding
from packhouse.web.kept import Kept
from packhouse.web.server.wire import open_head

ANSWERS_KEPT_MAX: Final = 256
GZIP_LEVEL: Final = 5
BROTLI_QUALITY: Final = 4
ZSTD_LEVEL: Final = 7


class Form(msgspec.Struct, frozen=True):
    """A kept answer in one coding: as a whole, and its open head in bytes, length included."""

    answer: Answer
    head: bytes


class KeptAnswer:
    """One body with its headers, in every coding that was asked for so far."""

    def __init__(self, body: bytes, headers: Headers) -> None:
        self.body = body
        self._headers = headers
        self._tag = etag_of(body)
        self._whole: dict[Coding, Form] = {}
        self._unchanged: dict[Coding, Form] = {}

    def answer(self, *, accept_encoding: str | None, if_none_match: str | None) -> Answer:
        """The bytes in the best coding that the client takes, or 304 if it has them."""
        return self.form(accept_encoding=accept_encoding, if_none_match=if_none_match).answer

    def form(self, *, accept_encoding: str | None, if_none_match: str | None) -> Form:
        """The same, with its head in bytes."""
        coding = self._coding(accept_encoding)
        whole = self._whole.get(coding)
        if whole is None:
            whole = self._make(coding)
        if if_none_match is not None and matches_etag(if_none_match, self._tag_of(coding)):
            return self._unchanged[coding]
        return whole

    def _coding(self, accept_encoding: str | None) -> Coding:
        if accept_encoding is None or len(self.body) < COMPRESSED_FROM_BYTES:
            return "identity"
        return choose_coding(accept_encoding, SMALLEST_FIRST)

    def _tag_of(self, coding: Coding) -> str:
        """Bytes that differ have tags that differ (RFC 9110, section 8.8.3)."""
        return self._tag if coding == "identity" else f'{self._tag[:-1]}-{coding}"'

    def _make(self, coding: Coding) -> Form:
        body = self.body
        if coding == "br":
            body = brotli.compress(body, quality=BROTLI_QUALITY)
        elif coding == "zstd":
            body = zstandard.ZstdCompressor(level=ZSTD_LEVEL).compress(body)
        elif coding == "gzip":
            body = gzip.compress(body, GZIP_LEVEL, mtime=0)
        about = (
            *self._headers,
            (b"etag", self._tag_of(coding).encode()),
            (b"vary", b"Accept-Encoding"),
        )
        if coding != "identity":
            about += ((b"content-encoding", coding.encode()),)
        self._unchanged[coding] = _form(Answer(status=304, headers=about))
        made = self._whole[coding] = _form(Answer(status=200, body=body, headers=about))
        return made


def _form(answer: Answer) -> Form:
    headers = list(answer.headers)
    if answer.status != HTTPStatus.NOT_MODIFIED:
        headers.append((b"content-length", b"%d" % len(answer.body)))
    return Form(answer=answer, head=open_head(answer.status, headers))


class KeptAnswers:
    """The kept answers of one process, by what they answer."""

    def __init__(self, *, seconds: Callable[[], float] = time.monotonic) -> None:
        self._kept: Kept[KeptAnswer] = Kept(most=ANSWERS_KEPT_MAX, seconds=seconds)

    def find_fresh(self, key: Hashable) -> KeptAnswer | None:
        """The answer, if it needs no look at anything."""
        return self._kept.find_fresh(key)

    async def get(
        self, key: Hashable, build: Callable[[], Awaitable[bytes]], *, headers: Headers
    ) -> KeptAnswer:
        """The answer, built anew if it is no longer fresh; what ``build`` raises is raised."""

        async def build_answer(before: KeptAnswer | None) -> KeptAnswer:
            body = await build()
            # The same bytes keep what was compressed of them.
            return (
                before if before is not None and before.body == body else KeptAnswer(body, headers)
            )

        return await self._kept.get(key, build_answer)

    async def finish(self) -> None:
        """Wait for what is being built."""
        await self._kept.finish()
