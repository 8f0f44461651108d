"""The edge: one thin layer around every request, before any framework.

It gives each request an id, finds out whose address and session it is, refuses what is too much,
too large or sent by another site, and puts the same safe headers on every answer. Probes, assets,
live streams and the few hot routes are answered here; everything else goes on to the application.
"""

import re
import time

import msgspec

from packhouse import accounts
from packhouse.accounts import SessionUser
from packhouse.foundation.errors import PackhouseError, Refusal
from packhouse.house import House
from packhouse.plumbing.logging import bind_request, get_log, write_access_line
from packhouse.plumbing.rate_limits import RateLimiter
from packhouse.plumbing.setting_values import RateLimit
from packhouse.web.addresses import client_address, limit_key, pages_key
from packhouse.web.admission import Admission
from packhouse.web.answers import Answer, ReadyAnswer
from packhouse.web.asgi import ASGIApp, Message, Receive, Scope, Send
from packhouse.web.context import KEY, RequestContext
from packhouse.web.errors import RateLimited, TooLarge, json_problem
from packhouse.web.headers import (
    STREAM_HEADERS,
    HeaderReader,
    completed_headers,
    cors_headers,
    default_headers,
    request_id_of,
)
from packhouse.web.hot_routes import HotRoutes, Key
from packhouse.web.problems import problem_answer
from packhouse.web.roles import WebRole, require_served
from packhouse.web.same_site import require_same_site
from packhouse.web.sending import Sending
from packhouse.web.server.wire import open_head
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
_HEAD_OF_THE_MOMENT = (
    b"x-request-id: %b\r\nratelimit-limit: %d\r\nratelimit-remaining: %d\r\nratelimit-reset: %d\r\n"
)
UPLOADS = re.compile(r"/api/v1/admin/catalog/imports|/admin/import|/admin/packs/[^/]+/picture")


class Asked(msgspec.Struct, frozen=True):
    """A GET for what may be in memory, as far as its bytes tell; the same ones ask the same."""

    path: str
    key: Key
    token_hash: bytes | None
    address: str
    accept_encoding: str | None
    if_none_match: str | None
    request_id: str | None


class Edge:
    """The ASGI application that the server runs; ``inner`` answers what the edge lets through."""

    def __init__(
        self,
        house: House,
        inner: ASGIApp,
        *,
        shortcuts: dict[str, ASGIApp],
        role: WebRole | None = None,
    ) -> None:
        self._house = house
        self._role = role
        self._inner = inner
        self._shortcuts = shortcuts
        self._limiter = RateLimiter(house.valkey)
        self._admission = Admission()
        self._default_headers = default_headers(house.settings)
        self._hot = HotRoutes(house, defaults=self._default_headers)

    async def finish(self) -> None:
        """Finish what goes on behind the answers, at the end of the process."""
        await self._hot.finish()
        await self._limiter.finish()

    def read_asked(
        self, *, path: str, query: str, peer: str, headers: HeaderReader
    ) -> Asked | None:
        """What a GET asks for, if that may be in memory; its bytes alone decide."""
        settings = self._house.settings
        is_left_to_others = settings.cors_origins or self._role is WebRole.ADMIN
        key = None if is_left_to_others else self._hot.key_of(path, query)
        if key is None:
            return None
        token = read_cookie(headers.text("cookie"), settings)
        address = client_address(
            peer, headers.list_text("x-forwarded-for"), trusted_proxies=settings.trusted_proxies
        )
        return Asked(
            path=path,
            key=key,
            token_hash=None if token is None else accounts.hash_token(token),
            address=address,
            accept_encoding=headers.text("accept-encoding"),
            if_none_match=headers.text("if-none-match"),
            request_id=headers.text("x-request-id"),
        )

    def answer_at_once(self, asked: Asked) -> ReadyAnswer | None:
        """What needs neither a wait nor the framework; None, and nothing done, for all the rest.

        All that the edge does is done here too: the visitor's session and limit, the request's id,
        the safe headers, and the line in the log.
        """
        kept = self._hot.find_ready(asked.key)
        if kept is None:
            return None
        started = time.perf_counter()
        viewer: SessionUser | None = None
        if asked.token_hash is not None:
            # What everybody is told alike needs only to be counted for somebody.
            viewer = self._house.sessions.find_holder(asked.token_hash, now=self._house.clock())
            if viewer is None:
                return None
        verdict = self._limiter.estimate(*self._limit_of(viewer, asked.address, asked.path))
        if verdict is None:
            return None
        request_id = request_id_of(asked.request_id)
        form = kept.form(accept_encoding=asked.accept_encoding, if_none_match=asked.if_none_match)
        write_access_line(
            request_id=request_id,
            user_id=None if viewer is None else viewer.user_id,
            method="GET",
            path=asked.path,
            status=form.answer.status,
            seconds=time.perf_counter() - started,
            code=None,
        )
        head = form.head + _HEAD_OF_THE_MOMENT % (
            request_id.encode(),
            verdict.limit,
            verdict.remaining,
            verdict.reset_seconds,
        )
        return ReadyAnswer(head=head, body=form.answer.body)

    def refuse(self, refusal: Refusal) -> ReadyAnswer:
        """The answer to what is no request."""
        request_id = request_id_of(None)
        answer = json_problem(refusal, request_id=request_id)
        headers = completed_headers(
            [*answer.headers, (b"content-length", b"%d" % len(answer.body))],
            defaults=self._default_headers,
            request_id=request_id,
            extra=(),
            verdict=None,
        )
        return ReadyAnswer(head=open_head(answer.status, headers), body=answer.body)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request; other protocols go to ``inner`` as they are."""
        if scope["type"] != "http":
            await self._inner(scope, receive, send)
            return
        if self._admission.is_full_for(scope["path"]):
            await self._admission.turn_away(scope, send, self._default_headers)
            return
        started = time.perf_counter()
        headers = HeaderReader(scope)
        context = RequestContext(
            house=self._house,
            limiter=self._limiter,
            request_id=request_id_of(headers.text("x-request-id")),
            address=client_address(
                _peer(scope),
                headers.list_text("x-forwarded-for"),
                trusted_proxies=self._house.settings.trusted_proxies,
            ),
        )
        bind_request(context.request_id)
        out = Sending(
            send,
            context,
            self._default_headers,
            is_head=scope["method"] == "HEAD",
            accept_encoding=headers.text("accept-encoding"),
        )
        out.extra += cors_headers(headers.text("origin"), scope, self._house.settings)
        try:
            with self._admission.of(scope["path"]):
                await self._guarded(scope, receive, out, context, headers)
        except PackhouseError as error:
            out.code = error.code
            await out.answer(problem_answer(error, scope, context))
        except Exception:
            log.exception("A request failed")
            await out.answer(problem_answer(None, scope, context))
        self._log(scope, out, context, started)

    async def _guarded(
        self,
        scope: Scope,
        receive: Receive,
        out: Sending,
        context: RequestContext,
        headers: HeaderReader,
    ) -> None:
        path = scope["path"]
        if self._role is not None:
            require_served(path, self._role)
        is_safe = scope["method"] in SAFE_METHODS
        if scope["method"] == "HEAD":
            scope["method"] = "GET"
        if scope["method"] == "OPTIONS" and headers.text("access-control-request-method"):
            await out.answer(Answer(status=204))
            return
        if not is_safe:
            require_same_site(headers, self._house.settings)
        if not path.startswith(UNLIMITED):
            opening = OPENINGS.fullmatch(path)
            await self._find_viewer(
                context,
                headers,
                fresh=not is_safe and opening is None,
                # A page tells who is signed in even when it refuses.
                is_checked_later=opening is not None and opening[1] is not None,
            )
            limit = self._limit_of(context.viewer, context.address, path)
            out.verdict = await self._limiter.hit(*limit)
            if out.verdict.is_refused:
                raise RateLimited(
                    "Too many requests from here. Wait a little, or sign in for a higher limit.",
                    retry_after_seconds=out.verdict.reset_seconds,
                )
        limited = receive if is_safe else self._limited_body(path, receive, headers)
        await self._pass_on(scope, limited, out, context, headers)

    async def _pass_on(
        self,
        scope: Scope,
        receive: Receive,
        out: Sending,
        context: RequestContext,
        headers: HeaderReader,
    ) -> None:
        path = scope["path"]
        hot = self._hot.find(scope["method"], path)
        if hot is not None:
            answer = await hot(context, scope, receive, headers)
            if answer is not None:
                await out.answer(answer)
                return
        if path == LIVE and out.is_head:
            # Its headers are known, and a stream that nobody hears would never end.
            await out.answer(Answer(status=200, headers=STREAM_HEADERS))
            return
        scope[KEY] = context
        for prefix, shortcut in self._shortcuts.items():
            if path.startswith(prefix):
                await shortcut(scope, receive, out)
                return
        await self._inner(scope, receive, out)

    async def _find_viewer(
        self,
        context: RequestContext,
        headers: HeaderReader,
        *,
        fresh: bool,
        is_checked_later: bool,
    ) -> None:
        token = read_cookie(headers.text("cookie"), self._house.settings)
        if token is None:
            return
        context.token_hash = accounts.hash_token(token)
        context.viewer = await self._house.sessions.find(
            self._house.database,
            context.token_hash,
            now=self._house.clock(),
            fresh=fresh,
            is_checked_later=is_checked_later,
        )
        if context.viewer is not None:
            bind_request(context.request_id, context.viewer.user_id)

    def _limit_of(
        self, viewer: SessionUser | None, address: str, path: str
    ) -> tuple[str, RateLimit]:
        """What a request counts under, and how often that may be."""
        settings = self._house.settings
        # A live stream is one request that lasts; our own pages open it for every visitor.
        if path == LIVE or not path.startswith("/api/"):
            return pages_key(address), settings.rate_limit_pages
        if viewer is not None:
            return f"user:{viewer.user_id}", settings.rate_limit_signed_in
        return f"anonymous:{limit_key(address)}", settings.rate_limit_anonymous

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

    def _log(self, scope: Scope, out: Sending, context: RequestContext, started: float) -> None:
        if scope["path"].startswith(UNLIMITED) and (out.status or 0) < 500:
            return
        write_access_line(
            request_id=context.request_id,
            user_id=None if context.viewer is None else context.viewer.user_id,
            method=scope["method"],
            path=scope["path"],
            status=out.status,
            seconds=time.perf_counter() - started,
            code=out.code,
        )


def _peer(scope: Scope) -> str:
    client = scope.get("client")
    return client[0] if client else "unknown"
