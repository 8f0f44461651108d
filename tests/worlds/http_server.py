"""The web workers' HTTP server around an application of the test's own, on a real socket."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import msgspec

from packhouse.foundation.errors import Refusal
from packhouse.web.answers import ReadyAnswer
from packhouse.web.asgi import Receive, Scope, Send
from packhouse.web.edge import Asked
from packhouse.web.errors import json_problem
from packhouse.web.headers import HeaderReader
from packhouse.web.server.serving import HttpServer
from packhouse.web.server.wire import open_head

PATIENCE_SECONDS = 10
READY = "/ready"

Handler = Callable[[Scope, Receive, Send], Awaitable[None]]


class Echo(msgspec.Struct, frozen=True):
    """What the application was asked, as it answers by default."""

    method: str
    path: str
    query: str
    body: str


class TinyApp:
    """Answers ``/ready`` from memory, what was put ``on`` a path as told, and the rest as Echo."""

    def __init__(self) -> None:
        self.on: dict[str, Handler] = {}
        self.read = 0
        """How often a request was read for what it asks of memory."""
        self.is_ready = True
        self.ready_body = b"ready"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        handler = self.on.get(scope["path"])
        if handler is not None:
            await handler(scope, receive, send)
            return
        echo = Echo(
            scope["method"],
            scope["path"],
            scope["query_string"].decode("latin-1"),
            (await read_body(receive)).decode("latin-1"),
        )
        await answer(send, msgspec.json.encode(echo))

    def read_asked(
        self, *, path: str, query: str, peer: str, headers: HeaderReader
    ) -> Asked | None:
        self.read += 1
        if path != READY:
            return None
        return Asked(path, (path, query), None, peer, None, None, headers.text("x-request-id"))

    def answer_at_once(self, asked: Asked) -> ReadyAnswer | None:
        assert asked.path == READY
        if not self.is_ready:
            return None
        body = self.ready_body
        return ReadyAnswer(open_head(200, [(b"content-length", b"%d" % len(body))]), body)

    def refuse(self, refusal: Refusal) -> ReadyAnswer:
        problem = json_problem(refusal, request_id="none")
        length = (b"content-length", b"%d" % len(problem.body))
        return ReadyAnswer(open_head(problem.status, [*problem.headers, length]), problem.body)


async def read_body(receive: Receive) -> bytes:
    body: bytes = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body", False):
            return body


async def answer(
    send: Send, body: bytes, *, status: int = 200, headers: tuple[tuple[bytes, bytes], ...] = ()
) -> None:
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})


class Wire:
    """A client that sends bytes as they are."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def read_answer(self) -> tuple[int, dict[str, str], bytes]:
        """The next whole answer of a known length."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            status, headers = read_head(await self.reader.readuntil(b"\r\n\r\n"))
            length = int(headers.get("content-length", "0"))
            return status, headers, await self.reader.readexactly(length)

    async def read_all(self) -> bytes:
        """Everything until the server closes."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await self.reader.read()


def read_head(head: bytes) -> tuple[int, dict[str, str]]:
    """Status and headers."""
    first, *lines = head.decode("latin-1").strip().split("\r\n")
    pairs = (line.split(": ", 1) for line in lines)
    return int(first.split(" ", 2)[1]), {name.lower(): value for name, value in pairs}


class Served:
    """The running server."""

    def __init__(self, app: TinyApp, server: HttpServer, port: int) -> None:
        self.app = app
        self.server = server
        self.port = port

    @asynccontextmanager
    async def connect(self) -> AsyncIterator[Wire]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            yield Wire(reader, writer)
        finally:
            writer.close()

    async def exchange(self, request: bytes) -> bytes:
        """Send bytes and give everything that comes back until the server closes."""
        async with self.connect() as wire:
            await wire.send(request)
            return await wire.read_all()


@asynccontextmanager
async def serving(app: TinyApp, *, connections_max: int = 100) -> AsyncIterator[Served]:
    """Serve ``app`` on a free port; everything is cut off at the end."""
    loop = asyncio.get_running_loop()
    server = HttpServer(app, connections_max=connections_max, loop=loop)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.settimeout(0)
        door = await loop.create_server(server.connect, sock=listener)
        ticking = asyncio.create_task(server.tick())
        try:
            yield Served(app, server, listener.getsockname()[1])
        finally:
            door.close()
            ticking.cancel()
            await server.stop(seconds=0.1)
