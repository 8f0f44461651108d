"""Answers that are the same for everybody, built once a moment however many ask.

What a crowd asks for (the newest page of the feed, the packs on sale) is built at most ten times a
second, by one request for all that wait; its bytes, its entity tags and its compressed forms are
then handed out as they are. Nothing about one person and nothing money-bearing is kept here.
"""

import asyncio
import gzip
import time
from collections.abc import Awaitable, Callable, Hashable
from typing import Final, Literal

import brotli
import msgspec

from packhouse.web.answers import Answer, etag_of, matches_etag
from packhouse.web.asgi import Headers

FRESH_SECONDS: Final = 0.1
"""How long an answer is handed out without a look at what it was built from."""

STALE_SECONDS_MAX: Final = 0.25
"""How old one may get while the next is being built; nobody is ever shown anything older."""

ANSWERS_KEPT_MAX: Final = 256
COMPRESSED_FROM_BYTES: Final = 512
GZIP_LEVEL: Final = 5
BROTLI_QUALITY: Final = 4

Coding = Literal["br", "gzip", "identity"]


class KeptAnswer:
    """One body with its headers, in every coding that was asked for so far."""

    def __init__(self, body: bytes, headers: Headers) -> None:
        self.body = body
        self._headers = headers
        self._tag = etag_of(body)
        self._whole: dict[Coding, Answer] = {}
        self._unchanged: dict[Coding, Answer] = {}

    def answer(self, *, accept_encoding: str | None, if_none_match: str | None) -> Answer:
        """The bytes in the best coding that the client takes, or 304 if it has them."""
        coding = self._coding(accept_encoding)
        whole = self._whole.get(coding)
        if whole is None:
            whole = self._make(coding)
        if if_none_match is not None and matches_etag(if_none_match, self._tag_of(coding)):
            return self._unchanged[coding]
        return whole

    def _coding(self, accept_encoding: str | None) -> Coding:
        # A coding that is named with a weight of zero is rare enough to be sent the plain bytes.
        if (
            not accept_encoding
            or len(self.body) < COMPRESSED_FROM_BYTES
            or "q=0" in accept_encoding
        ):
            return "identity"
        if "br" in accept_encoding:
            return "br"
        return "gzip" if "gzip" in accept_encoding else "identity"

    def _tag_of(self, coding: Coding) -> str:
        """Bytes that differ have tags that differ (RFC 9110, section 8.8.3)."""
        return self._tag if coding == "identity" else f'{self._tag[:-1]}-{coding}"'

    def _make(self, coding: Coding) -> Answer:
        body = self.body
        if coding == "br":
            body = brotli.compress(body, quality=BROTLI_QUALITY)
        elif coding == "gzip":
            body = gzip.compress(body, GZIP_LEVEL, mtime=0)
        about = (
            *self._headers,
            (b"etag", self._tag_of(coding).encode()),
            (b"vary", b"Accept-Encoding"),
        )
        if coding != "identity":
            about += ((b"content-encoding", coding.encode()),)
        self._unchanged[coding] = Answer(status=304, headers=about)
        made = self._whole[coding] = Answer(status=200, body=body, headers=about)
        return made


class _Kept(msgspec.Struct):
    answer: KeptAnswer
    built_at: float


class KeptAnswers:
    """The kept answers of one process, by what they answer; those built longest ago go first."""

    def __init__(self, *, seconds: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._kept: dict[Hashable, _Kept] = {}
        self._building: dict[Hashable, asyncio.Task[KeptAnswer]] = {}

    def find_fresh(self, key: Hashable) -> KeptAnswer | None:
        """The answer, if it needs no look at anything."""
        kept = self._kept.get(key)
        if kept is None or self._seconds() - kept.built_at >= FRESH_SECONDS:
            return None
        return kept.answer

    async def get(
        self, key: Hashable, build: Callable[[], Awaitable[bytes]], *, headers: Headers
    ) -> KeptAnswer:
        """The answer, built anew if it is no longer fresh; what ``build`` raises is raised."""
        kept = self._kept.get(key)
        now = self._seconds()
        if kept is not None and now - kept.built_at < FRESH_SECONDS:
            return kept.answer
        building = self._building.get(key)
        if building is None:
            building = asyncio.create_task(self._build(key, build, headers, started_at=now))
            self._building[key] = building
            building.add_done_callback(lambda task: self._end(key, task))
        if kept is not None and now - kept.built_at < STALE_SECONDS_MAX:
            return kept.answer
        # Whoever gives up must not end what others wait for.
        return await asyncio.shield(building)

    async def finish(self) -> None:
        """Wait for what is being built."""
        if self._building:
            await asyncio.wait(list(self._building.values()))

    async def _build(
        self,
        key: Hashable,
        build: Callable[[], Awaitable[bytes]],
        headers: Headers,
        *,
        started_at: float,
    ) -> KeptAnswer:
        body = await build()
        before = self._kept.pop(key, None)
        # The same bytes keep what was compressed of them.
        is_same = before is not None and before.answer.body == body
        answer = before.answer if before is not None and is_same else KeptAnswer(body, headers)
        if len(self._kept) >= ANSWERS_KEPT_MAX:
            del self._kept[next(iter(self._kept))]
        self._kept[key] = _Kept(answer=answer, built_at=started_at)
        return answer

    def _end(self, key: Hashable, task: "asyncio.Task[KeptAnswer]") -> None:
        del self._building[key]
        # Everybody may have been served the answer before; the next request will meet the error.
        if not task.cancelled():
            task.exception()
