"""What the server runs: RSGI, Granian's own interface, in front of the ASGI edge.

RSGI costs less than ASGI for each request: headers are looked up when somebody asks for them, and a
whole answer is one call. What can be answered from memory is; everything else goes on as ASGI, the
form that the edge, the framework and the tests speak.

The protocol is described in Granian's documentation, "RSGI specification" (version 1.6).
"""

import asyncio
import gc
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any, Final
from urllib.parse import quote

from granian.rsgi import (  # type: ignore[attr-defined]  # Granian documents them there
    HTTPProtocol,
    ProtocolClosed,
)
from granian.rsgi import Scope as RsgiScope

from packhouse.foundation.errors import PackhouseError
from packhouse.plumbing.handover import load_process_settings
from packhouse.plumbing.logging import configure_logging, get_log
from packhouse.web.app import WebApp
from packhouse.web.asgi import Message, Scope

GC_THRESHOLD: Final = 20_000
"""Objects made and not yet freed, before the youngest are looked through for cycles."""

ASGI_VERSION: Final = {"version": "3.0", "spec_version": "2.4"}

log = get_log(__name__)


def make_app() -> "RsgiApp":
    """The factory that server workers call; reads the process's settings."""
    settings = load_process_settings().settings
    configure_logging(
        log_format=settings.log_format,
        log_level=settings.log_level,
        environment=settings.environment,
    )
    return RsgiApp(WebApp(settings))


class RsgiApp:
    """The web application as Granian calls it."""

    def __init__(self, app: WebApp) -> None:
        self._app = app
        self._running = app.running()

    def __rsgi_init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Open the house before the first request. An outage ends the worker with its sentence."""
        try:
            loop.run_until_complete(self._running.__aenter__())
        except PackhouseError as error:
            log.error(error.message)  # noqa: TRY400 - an outage is told in one sentence
            raise SystemExit(1) from None
        # What is here now stays for good, and an answer leaves no cycles behind: looking for some
        # after every few hundred objects was a twentieth of the processor's time.
        gc.collect()
        gc.freeze()
        gc.set_threshold(GC_THRESHOLD)

    def __rsgi_del__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Close the house after the last answer."""
        loop.run_until_complete(self._running.__aexit__(None, None, None))

    async def __rsgi__(self, scope: RsgiScope, protocol: HTTPProtocol) -> None:
        """Answer one request."""
        edge = self._app.edge
        ready = edge.answer_at_once(
            method=scope.method,
            path=scope.path,
            query=scope.query_string,
            peer=scope.client,
            header=scope.headers.get,
        )
        if ready is not None:
            protocol.response_bytes(ready.status, ready.headers, ready.body)
            return
        exchange = Exchange(protocol)
        await edge(asgi_scope(scope), exchange.receive, exchange.send)


class Exchange:
    """One request and its answer, spoken as ASGI's ``receive`` and ``send``."""

    def __init__(self, protocol: HTTPProtocol) -> None:
        self._protocol = protocol
        self._chunks: AsyncIterator[bytes] | None = None
        self._is_read = False
        self._status = 0
        self._headers: list[tuple[str, str]] = []
        self._stream: Any = None

    async def receive(self) -> Message:
        """The next part of the body as it comes, so that a large one is refused early."""
        if self._is_read:
            await self._protocol.client_disconnect()
            return {"type": "http.disconnect"}
        if self._chunks is None:
            self._chunks = aiter(self._protocol)
        try:
            chunk = await anext(self._chunks)
        except StopAsyncIteration:
            self._is_read = True
            return {"type": "http.request", "body": b"", "more_body": False}
        except ProtocolClosed:
            self._is_read = True
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": chunk, "more_body": True}

    async def send(self, message: Message) -> None:
        """Pass on an answer, whole or part by part; to nobody if the client has left."""
        if message["type"] == "http.response.start":
            self._status = message["status"]
            self._headers = [
                (name.decode("latin-1"), value.decode("latin-1"))
                for name, value in message["headers"]
            ]
            return
        body, has_more = message.get("body", b""), message.get("more_body", False)
        if self._stream is None:
            if not has_more:
                self._protocol.response_bytes(self._status, self._headers, body)
                return
            self._stream = self._protocol.response_stream(self._status, self._headers)
        if body:
            with suppress(ProtocolClosed):
                await self._stream.send_bytes(body)


def asgi_scope(scope: RsgiScope) -> Scope:
    """The same request as ASGI describes it."""
    path = scope.path
    return {
        "type": "http",
        "asgi": ASGI_VERSION,
        "http_version": scope.http_version,
        "method": scope.method,
        "scheme": scope.scheme,
        "path": path,
        "raw_path": quote(path).encode(),
        "query_string": scope.query_string.encode("latin-1", "replace"),
        "root_path": "",
        "headers": [
            (name.encode("latin-1"), value.encode("latin-1", "replace"))
            for name, value in scope.headers.items()
        ],
        "client": _host_and_port(scope.client),
        "server": _host_and_port(scope.server),
        "state": {},
    }


def _host_and_port(address: str) -> tuple[str, int]:
    """``127.0.0.1:8000`` or ``[::1]:8000`` in two parts."""
    host, _, port = address.rpartition(":")
    return host.strip("[]"), int(port) if port.isdecimal() else 0
