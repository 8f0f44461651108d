"""A line between a client and servers: takes turns among them, and can hold their answers back."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress


class Line:
    """What clients connect to at ``port`` of 127.0.0.1."""

    def __init__(self, servers: Sequence[int]) -> None:
        self.port = 0
        self.held = asyncio.Event()
        """Set when an answer is being held back."""
        self._servers = servers
        self._turn = 0
        self._is_open = asyncio.Event()
        self._is_open.set()

    def hold(self) -> None:
        """Let no answer through from now on."""
        self.held.clear()
        self._is_open.clear()

    def release(self) -> None:
        self._is_open.set()

    async def connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass on what one client and the next server say."""
        server = self._servers[self._turn % len(self._servers)]
        self._turn += 1
        answers, questions = await asyncio.open_connection("127.0.0.1", server)
        await asyncio.gather(_pass_on(reader, questions), self._pass_back(answers, writer))

    async def _pass_back(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while received := await reader.read(65_536):
                if not self._is_open.is_set():
                    self.held.set()
                    await self._is_open.wait()
                writer.write(received)
                await writer.drain()
        writer.close()


@asynccontextmanager
async def line_to(*servers: int) -> AsyncIterator[Line]:
    """A line to the servers at these ports."""
    line = Line(servers)
    server = await asyncio.start_server(line.connect, "127.0.0.1", 0)
    line.port = server.sockets[0].getsockname()[1]
    async with server:
        yield line


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while received := await reader.read(65_536):
            writer.write(received)
            await writer.drain()
    writer.close()
