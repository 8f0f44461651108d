"""The live role's server: what the edge is for web workers, for the one address that it answers.

The same duties by the same functions: request ids, safe headers, CORS, forwarded addresses, the
rate limit of pages (a stream is one request that lasts), problem answers, a line in the log.
"""

import asyncio
import time
from email.utils import formatdate
from http import HTTPStatus
from typing import Final

from packhouse.foundation.errors import (
    Breach,
    Outage,
    PackhouseError,
    Refusal,
)
from packhouse.foundation.limits import LIVE_ADMISSIONS_MAX, LIVE_SPARE_CONNECTIONS
from packhouse.plumbing.logging import get_log
from packhouse.plumbing.postgres import Database
from packhouse.plumbing.rate_limits import RateLimiter, Verdict
from packhouse.plumbing.settings import Settings
from packhouse.plumbing.valkey import Valkey
from packhouse.web.addresses import client_address, pages_key
from packhouse.web.answers import Answer
from packhouse.web.errors import MethodNotAllowed, RateLimited, TooLarge, json_problem
from packhouse.web.headers import (
    STREAM_HEADERS,
    HeaderReader,
    completed_headers,
    cors_headers,
    default_headers,
    request_id_of,
)
from packhouse.web.live.connections import LiveConnection
from packhouse.web.live.frames import form_of
from packhouse.web.live.hub import LiveHub
from packhouse.web.live.requests import RequestHead
from packhouse.web.live.streams import OpenStream
from packhouse.web.live.wishes import PATH, read_wish
from packhouse.web.readiness import METRICS_PATH, answer_probe, metrics_answer
from packhouse.web.roles import not_served_by
from packhouse.web.server.wire import CLOSE, open_head

_ALLOWED: Final = (b"allow", b"GET, HEAD, OPTIONS")

log = get_log(__name__)


class LiveServer:
    """Answers every connection of the role."""

    def __init__(
        self, settings: Settings, database: Database, valkey: Valkey, hub: LiveHub
    ) -> None:
        self._settings = settings
        self._database = database
        self._valkey = valkey
        self._hub = hub
        self._limiter = RateLimiter(valkey)
        self._defaults = default_headers(settings)
        self._admissions = asyncio.Semaphore(LIVE_ADMISSIONS_MAX)
        self._connections: set[LiveConnection] = set()
        self._connections_max = settings.live_streams_max + LIVE_SPARE_CONNECTIONS
        self._is_draining = False

    def take_in(self, connection: LiveConnection) -> bool:
        """Count a new connection; False when there are too many."""
        if len(self._connections) + len(self._hub) >= self._connections_max:
            return False
        self._connections.add(connection)
        return True

    def let_go(self, connection: LiveConnection) -> None:
        """Forget a connection that ended, or whose transport a stream has now."""
        self._connections.discard(connection)

    def drain(self) -> None:
        """Say no when asked for readiness; everything else goes on."""
        self._is_draining = True

    def stop(self) -> None:
        """Close what waits for a request; what is being answered still is."""
        for connection in tuple(self._connections):
            connection.stop()

    async def finish(self) -> None:
        """Finish what goes on behind the answers, when nobody is connected any more."""
        await self._limiter.finish()

    def is_idle(self) -> bool:
        """Whether nobody is connected any more."""
        return not self._connections and not len(self._hub)

    async def answer(self, request: RequestHead, connection: LiveConnection) -> None:
        """Answer one request, whatever happens."""
        exchange = _Exchange(request, connection, self._settings, self._defaults)
        try:
            await self._guarded(request, connection, exchange)
        except MethodNotAllowed as refusal:
            problem = json_problem(refusal, request_id=exchange.request_id)
            exchange.send(
                Answer(problem.status, problem.body, headers=(*problem.headers, _ALLOWED))
            )
        except (Refusal, Outage) as error:
            exchange.send(json_problem(error, request_id=exchange.request_id))
        except Exception as error:
            log.exception("A request failed", request_id=exchange.request_id)
            breach = error if isinstance(error, PackhouseError) else Breach("unexpected")
            exchange.send(json_problem(breach, request_id=exchange.request_id))

    def refuse(self, refusal: Refusal, connection: LiveConnection) -> None:
        """Answer what is no request."""
        request_id = request_id_of(None)
        answer = json_problem(refusal, request_id=request_id)
        headers = completed_headers(
            answer.headers,
            defaults=self._defaults,
            request_id=request_id,
            extra=(),
            verdict=None,
        )
        connection.send_last(_head(answer.status, [*headers, _length(answer)]) + answer.body)

    async def _guarded(
        self, request: RequestHead, connection: LiveConnection, exchange: "_Exchange"
    ) -> None:
        path, method = request.scope["path"], request.scope["method"]
        headers = exchange.headers
        if method == "OPTIONS":
            exchange.send(Answer(status=204, headers=(_ALLOWED,)))
            return
        is_for_watchers = _is_for_watchers(path)
        if not is_for_watchers:
            await self._count(exchange)
        declared = headers.text("content-length")
        if declared is not None and int(declared) > self._settings.max_body_bytes:
            raise TooLarge(f"The body may have at most {self._settings.max_body_bytes:,} bytes.")
        if path != PATH and not is_for_watchers:
            raise not_served_by("live", path)
        if method not in ("GET", "HEAD"):
            raise MethodNotAllowed("This address does not take that method.")
        if path == PATH:
            self._open_stream(request, connection, exchange)
        elif path == METRICS_PATH:
            exchange.send(metrics_answer())
        else:
            probed = await answer_probe(
                path,
                database=self._database,
                valkey=self._valkey,
                is_draining=self._is_draining,
            )
            exchange.send(probed)

    async def _count(self, exchange: "_Exchange") -> None:
        address = client_address(
            exchange.peer,
            exchange.headers.list_text("x-forwarded-for"),
            trusted_proxies=self._settings.trusted_proxies,
        )
        # So many at a time: a crowd that comes back at once shares few connections to Valkey.
        async with self._admissions:
            verdict = await self._limiter.hit(pages_key(address), self._settings.rate_limit_pages)
        exchange.verdict = verdict
        if verdict.is_refused:
            raise RateLimited(
                "Too many requests from here. Wait a little.",
                retry_after_seconds=verdict.reset_seconds,
            )

    def _open_stream(
        self, request: RequestHead, connection: LiveConnection, exchange: "_Exchange"
    ) -> None:
        wish = read_wish(request.scope)
        if request.scope["method"] == "HEAD":
            exchange.send(Answer(status=200, headers=STREAM_HEADERS))
            return
        if connection.transport is None:
            return
        is_chunked = request.version != "1.0"
        form = form_of(wish.tier, is_chunked=is_chunked)
        stream = OpenStream(self._hub, connection.transport, form)
        self._hub.enter(stream)
        connection.hand_over()
        position = self._hub.last if wish.position is None else wish.position
        head = exchange.stream_head(is_chunked=is_chunked)
        stream.begin(head + self._hub.welcome(form, position=position), position=position)


class _Exchange:
    """One request and what its answer carries."""

    def __init__(
        self,
        request: RequestHead,
        connection: LiveConnection,
        settings: Settings,
        defaults: list[tuple[bytes, bytes]],
    ) -> None:
        self._request = request
        self._connection = connection
        self._defaults = defaults
        self._started = time.perf_counter()
        self.headers = HeaderReader(request.scope)
        self.request_id = request_id_of(self.headers.text("x-request-id"))
        self.verdict: Verdict | None = None
        self._cors = cors_headers(self.headers.text("origin"), request.scope, settings)
        transport = connection.transport
        peer = None if transport is None else transport.get_extra_info("peername")
        self.peer = peer[0] if peer else "unknown"

    def send(self, answer: Answer) -> None:
        """Send a whole answer."""
        headers = self._completed(answer.headers)
        if answer.status != HTTPStatus.NO_CONTENT:
            headers.append(_length(answer))
        is_bare = self._request.scope["method"] == "HEAD"
        self._connection.send_last(
            _head(answer.status, headers) + (b"" if is_bare else answer.body)
        )
        self._log(answer.status)

    def stream_head(self, *, is_chunked: bool) -> bytes:
        """The head of a stream; from here on the stream sends."""
        headers = self._completed(STREAM_HEADERS)
        if is_chunked:
            headers.append((b"transfer-encoding", b"chunked"))
        self._log(HTTPStatus.OK)
        return _head(HTTPStatus.OK, headers)

    def _completed(self, own: tuple[tuple[bytes, bytes], ...]) -> list[tuple[bytes, bytes]]:
        return completed_headers(
            own,
            defaults=self._defaults,
            request_id=self.request_id,
            extra=self._cors,
            verdict=self.verdict,
        )

    def _log(self, status: int) -> None:
        path = self._request.scope["path"]
        if _is_for_watchers(path) and status < HTTPStatus.INTERNAL_SERVER_ERROR:
            return
        log.info(
            "A request was answered",
            method=self._request.scope["method"],
            path=path,
            status=status,
            milliseconds=round((time.perf_counter() - self._started) * 1000, 1),
            request_id=self.request_id,
        )


def _is_for_watchers(path: str) -> bool:
    """Asked by who watches over the role: neither counted nor, while all is well, logged."""
    return path.startswith("/health/") or path == METRICS_PATH


def _head(status: int, headers: list[tuple[bytes, bytes]]) -> bytes:
    """A response's head. Every connection is closed after its one answer."""
    date = (b"date", formatdate(usegmt=True).encode())
    return open_head(status, [*headers, date]) + CLOSE + b"\r\n"


def _length(answer: Answer) -> tuple[bytes, bytes]:
    return (b"content-length", b"%d" % len(answer.body))
