"""The edge: one thin layer around every request, before any framework.

It gives each request an id, finds out whose address and session it is, refuses what is too much,
too large or sent by another site, and puts the same safe headers on every answer. Probes, assets
and live streams are answered here; everything else goes on to the application.
"""

import re
import time
from collections.abc import Iterable
from urllib.parse import urlsplit
from uuid import uuid4

import structlog

from packhouse import accounts
from packhouse.foundation.errors import PackhouseError
from packhouse.house import House
from packhouse.plumbing.logging import get_log
from packhouse.plumbing.rate_limits import RateLimiter, Verdict
from packhouse.web.addresses import client_address, limit_key, pages_key
from packhouse.web.answers import Answer, send_answer
from packhouse.web.asgi import ASGIApp, Message, Receive, Scope, Send
from packhouse.web.context import KEY, RequestContext
from packhouse.web.errors import CrossSite, RateLimited, TooLarge
from packhouse.web.headers import (
    HeaderReader,
    completed_headers,
    cors_headers,
    default_headers,
)
from packhouse.web.problems import problem_answer
from packhouse.web.session import read_cookie

log = get_log(__name__)

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
UNLIMITED = (
    "/static/",
    "/media/",
    "/log/",
    "/health/",
    "/metrics",
    "/favicon.ico",
    "/robots.txt",
)
"""Not counted, and without a session. Of the draw log a mirror reads thousands of files; each is a
look-up by key, never changes, and may be kept by any cache on the way."""
LIVE = "/api/v1/feed/live"
OPENINGS = re.compile(r"(/api/v1)?/packs/[^/]+/openings")
"""Writes that look at their session themselves, in the query that they make anyway."""
UPLOADS = re.compile(r"/api/v1/admin/catalog/imports|/admin/import|/admin/packs/[^/]+/picture")


class Edge:
    """The ASGI application that the server runs; ``inner`` answers what the edge lets through."""

    def __init__(self, house: House, inner: ASGIApp, *, shortcuts: dict[str, ASGIApp]) -> None:
        self._house = house
        self._inner = inner
        self._shortcuts = shortcuts
        self._limiter = RateLimiter(house.valkey)
        self._default_headers = default_headers(house.settings)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request; other protocols go to ``inner`` as they are."""
        if scope["type"] != "http":
            await self._inner(scope, receive, send)
            return
        started = time.perf_counter()
        headers = HeaderReader(scope)
        context = RequestContext(
            house=self._house,
            limiter=self._limiter,
            request_id=headers.request_id() or uuid4().hex,
            address=client_address(
                _peer(scope),
                headers.text("x-forwarded-for"),
                trusted_proxies=self._house.settings.trusted_proxies,
            ),
        )
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=context.request_id)
        out = _Out(send, context, self._default_headers, is_head=scope["method"] == "HEAD")
        out.extra += cors_headers(headers.text("origin"), scope, self._house.settings)
        try:
            await self._guarded(scope, receive, out, context, headers)
        except PackhouseError as error:
            await out.answer(problem_answer(error, scope, context))
        except Exception:
            log.exception("A request failed")
            await out.answer(problem_answer(None, scope, context))
        self._log(scope, out, started)

    async def _guarded(
        self,
        scope: Scope,
        receive: Receive,
        out: "_Out",
        context: RequestContext,
        headers: HeaderReader,
    ) -> None:
        path = scope["path"]
        is_safe = scope["method"] in SAFE_METHODS
        if scope["method"] == "HEAD":
            scope["method"] = "GET"
        if scope["method"] == "OPTIONS" and headers.text("access-control-request-method"):
            await out.answer(Answer(status=204))
            return
        if not is_safe:
            self._require_same_site(headers)
        if not path.startswith(UNLIMITED):
            await self._find_viewer(
                context, headers, fresh=not is_safe and OPENINGS.fullmatch(path) is None
            )
            out.verdict = await self._count(context, path)
            if out.verdict.is_refused:
                raise RateLimited(
                    "Too many requests from here. Wait a little, or sign in for a higher limit.",
                    retry_after_seconds=out.verdict.reset_seconds,
                )
        limited = self._limited_body(path, receive, headers)
        scope[KEY] = context
        for prefix, shortcut in self._shortcuts.items():
            if path.startswith(prefix):
                await shortcut(scope, limited, out)
                return
        await self._inner(scope, limited, out)

    def _require_same_site(self, headers: HeaderReader) -> None:
        # Fetch metadata first (browsers always send it), Origin for older ones; a client that sends
        # neither is no browser, and has no ambient cookie to be abused.
        settings = self._house.settings
        origin = headers.text("origin")
        if origin is not None and origin in settings.cors_origins:
            return
        site = headers.text("sec-fetch-site")
        if site is not None:
            if site in ("same-origin", "none"):
                return
        elif (
            origin is None
            or origin == settings.public_url.rstrip("/")
            or urlsplit(origin).netloc == headers.text("host")
        ):
            return
        raise CrossSite("This came from a page of another site, so nothing was done.")

    async def _find_viewer(
        self, context: RequestContext, headers: HeaderReader, *, fresh: bool
    ) -> None:
        cookie = headers.text("cookie")
        token = None if cookie is None else read_cookie(cookie, self._house.settings)
        if token is None:
            return
        context.token_hash = accounts.hash_token(token)
        context.viewer = await self._house.sessions.find(
            self._house.database, context.token_hash, now=self._house.clock(), fresh=fresh
        )
        if context.viewer is not None:
            structlog.contextvars.bind_contextvars(user_id=str(context.viewer.user_id))

    async def _count(self, context: RequestContext, path: str) -> Verdict:
        settings = self._house.settings
        # A live stream is one request that lasts; our own pages open it for every visitor.
        if path == LIVE or not path.startswith("/api/"):
            key = pages_key(context.address)
            return await self._limiter.hit(key, settings.rate_limit_pages)
        if context.viewer is not None:
            key = f"user:{context.viewer.user_id}"
            return await self._limiter.hit(key, settings.rate_limit_signed_in)
        key = f"anonymous:{limit_key(context.address)}"
        return await self._limiter.hit(key, settings.rate_limit_anonymous)

    def _limited_body(self, path: str, receive: Receive, headers: HeaderReader) -> Receive:
        settings = self._house.settings
        is_upload = UPLOADS.fullmatch(path) is not None
        most = settings.max_upload_bytes if is_upload else settings.max_body_bytes
        declared = headers.text("content-length")
        if declared is not None and declared.isdecimal() and int(declared) > most:
            raise TooLarge(f"The body may have at most {most:,} bytes.")
        seen = 0

        async def receive_limited() -> Message:
            nonlocal seen
            message = await receive()
            if message["type"] == "http.request":
                seen += len(message.get("body", b""))
                if seen > most:
                    raise TooLarge(f"The body may have at most {most:,} bytes.")
            return message

        return receive_limited

    def _log(self, scope: Scope, out: "_Out", started: float) -> None:
        if scope["path"].startswith(UNLIMITED) and (out.status or 0) < 500:
            return
        log.info(
            "A request was answered",
            method=scope["method"],
            path=scope["path"],
            status=out.status,
            milliseconds=round((time.perf_counter() - started) * 1000, 1),
        )


class _Out:
    """Sends one answer and adds what every answer carries."""

    def __init__(
        self,
        send: Send,
        context: RequestContext,
        defaults: list[tuple[bytes, bytes]],
        *,
        is_head: bool,
    ) -> None:
        self._send = send
        self._context = context
        self._defaults = defaults
        self._is_head = is_head
        self.extra: list[tuple[bytes, bytes]] = []
        self.verdict: Verdict | None = None
        self.status: int | None = None

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message["headers"] = self._completed(message.get("headers", []))
        elif message["type"] == "http.response.body" and self._is_head:
            message["body"] = b""
        await self._send(message)

    async def answer(self, answer: Answer) -> None:
        """Send a whole answer, unless one has begun: then nothing better can be said any more."""
        if self.status is None:
            await send_answer(answer, self)

    def _completed(self, own: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
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


def _peer(scope: Scope) -> str:
    client = scope.get("client")
    return client[0] if client else "unknown"
