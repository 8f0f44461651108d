"""Open event streams as a test holds them: over ASGI, or over a socket as any client would."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import msgspec

from packhouse.house import House
from packhouse.web.app import WebApp
from packhouse.web.live.connections import LiveConnection
from packhouse.web.live.hub import LiveHub
from packhouse.web.live.role import listening_socket
from packhouse.web.live.server import LiveServer

PATH = "/api/v1/feed/live"
PATIENCE_SECONDS = 10


class EventStream:
    """What has come on one stream so far."""

    def __init__(self) -> None:
        self.status: int | None = None
        self.headers: dict[str, str] = {}
        self.is_ended = False
        self.is_broken = False
        self.text = ""
        self._arrived = asyncio.Event()

    def pulls(self) -> list[tuple[int, dict[str, Any]]]:
        """The id and the data of each event that is whole."""
        events = []
        for frame in self.text.split("\n\n")[:-1]:
            if frame.startswith("id: "):
                name, data = frame.split("\n", 1)
                events.append((int(name[4:]), msgspec.json.decode(data.removeprefix("data: "))))
        return events

    def last_id(self) -> int:
        """What a browser would come back with."""
        whole = self.text.rpartition("\n\n")[0].split("\n")
        return [int(line[4:]) for line in whole if line.startswith("id: ")][-1]

    async def wait_for(self, pulls: int) -> list[tuple[int, dict[str, Any]]]:
        """Until so many have come, with patience."""
        await self.wait_until(lambda: len(self.pulls()) >= pulls)
        return self.pulls()

    async def wait_for_the_end(self) -> None:
        await self.wait_until(lambda: self.is_ended)

    async def wait_for_the_beginning(self) -> None:
        await self.wait_until(
            lambda: bool(self.text) or self.is_ended or self.status not in (None, 200)
        )

    async def wait_until(self, is_so: Any, *, seconds: float = PATIENCE_SECONDS) -> None:  # noqa: ANN401 - a lambda
        async with asyncio.timeout(seconds):
            while not is_so():
                self._arrived.clear()
                await self._arrived.wait()

    def has_news(self) -> None:
        self._arrived.set()


class AsgiStream(EventStream):
    """Speaks to a web worker's application as its server would."""

    def __init__(self) -> None:
        super().__init__()
        self._hang_up = asyncio.Event()

    async def receive(self) -> dict[str, Any]:
        await self._hang_up.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:  # noqa: ANN401 - an ASGI message
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = {k.decode(): v.decode() for k, v in message["headers"]}
        else:
            self.text += message["body"].decode()
            self.is_ended = not message.get("more_body", False)
        self.has_news()

    def hang_up(self) -> None:
        self._hang_up.set()


class SocketStream(EventStream):
    """Reads one answer from a socket; a chunked one must be chunked without a fault."""

    async def read(self, reader: asyncio.StreamReader) -> None:
        """Read to the end. Raises what a wrong framing raises."""
        lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        self.status = int(lines[0].split()[1])
        self.headers = dict(line.lower().split(": ", 1) for line in lines[1:-2])
        self.has_news()
        if self.headers.get("transfer-encoding") == "chunked":
            while size := await self._next_size(reader):
                self._take(await reader.readexactly(size))
                assert await reader.readexactly(2) == b"\r\n"
            assert self.is_broken or await reader.read() == b"\r\n"
        else:
            while piece := await reader.read(65_536):
                self._take(piece)
        self.is_ended = True
        self.has_news()

    async def _next_size(self, reader: asyncio.StreamReader) -> int:
        """The length of the next chunk; 0 at the end, and when the server died between two."""
        try:
            return int(await reader.readuntil(b"\r\n"), 16)
        except asyncio.IncompleteReadError as error:
            if error.partial:
                raise
            self.is_broken = True
            return 0

    def _take(self, piece: bytes) -> None:
        self.text += piece.decode()
        self.has_news()


@asynccontextmanager
async def listen_over_asgi(
    app: WebApp, query: str, headers: Mapping[str, str]
) -> AsyncIterator[EventStream]:
    stream = AsgiStream()
    scope = {
        "type": "http",
        "method": "GET",
        "path": PATH,
        "query_string": query.encode(),
        "headers": [(name.encode(), text.encode()) for name, text in headers.items()],
        "client": ("127.0.0.1", 4321),
    }
    task = asyncio.create_task(app(scope, stream.receive, stream.send))
    await stream.wait_for_the_beginning()
    try:
        yield stream
    finally:
        stream.hang_up()
        async with asyncio.timeout(PATIENCE_SECONDS):
            await task


@asynccontextmanager
async def listen_over_socket(
    port: int, query: str = "", headers: Mapping[str, str] | None = None, *, version: str = "1.1"
) -> AsyncIterator[EventStream]:
    stream = SocketStream()
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**20)
    target = f"{PATH}?{query}" if query else PATH
    lines = [f"GET {target} HTTP/{version}", "Host: 127.0.0.1"]
    lines += [f"{name}: {text}" for name, text in (headers or {}).items()]
    writer.write("\r\n".join([*lines, "", ""]).encode())
    reading = asyncio.create_task(stream.read(reader))
    await stream.wait_for_the_beginning()
    try:
        yield stream
        if reading.done():
            reading.result()
    finally:
        reading.cancel()
        await asyncio.wait({reading})
        writer.transport.abort()


@asynccontextmanager
async def serve_live(house: House) -> AsyncIterator[tuple[int, LiveHub]]:
    """The live role's server in this very process; gives its port, and the hub to be closed."""
    streams_max = house.settings.live_streams_max
    hub = LiveHub(house.database, house.valkey, streams_max=streams_max)
    async with hub.running():
        server = LiveServer(house.settings, house.database, house.valkey, hub)
        listening = await asyncio.get_running_loop().create_server(
            lambda: LiveConnection(server), sock=listening_socket("127.0.0.1", 0)
        )
        try:
            yield listening.sockets[0].getsockname()[1], hub
        finally:
            listening.close()
            hub.close()
            server.stop()
            async with asyncio.timeout(PATIENCE_SECONDS):
                while not server.is_idle():  # noqa: ASYNC110 - nothing tells of it
                    await asyncio.sleep(0.01)
            await server.finish()
