"""The worker's own probes: a small door for whoever watches over it, and for nobody else.

``/health/live`` answers while the process runs, ``/health/ready`` when PostgreSQL does,
``/metrics`` what it counts. One request a connection, bounded in size and time.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

import msgspec

from packhouse.foundation.errors import Outage
from packhouse.house import House
from packhouse.plumbing.meter_text import CONTENT_TYPE
from packhouse.plumbing.metrics import METERS

HEAD_BYTES_MAX: Final = 8 * 1024
SECONDS_MAX: Final = 5.0
NOT_SERVED_HERE: Final = {
    "type": "about:blank",
    "title": "Not found",
    "status": 404,
    "code": "not_served_here",
    "detail": "The worker answers probes alone; the shop is answered by `packhouse serve web`.",
}
_REASONS: Final = {200: "OK", 404: "Not Found", 503: "Service Unavailable"}


class Answer(msgspec.Struct, frozen=True):
    """What is answered."""

    status: int
    body: bytes
    kind: str = "application/json"


@asynccontextmanager
async def probes_open(house: House, *, address: str | None, port: int) -> AsyncIterator[None]:
    """Answer probes while the block lasts; nothing where there is no address."""
    if address is None:
        yield
        return

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(
            OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError
        ):
            async with asyncio.timeout(SECONDS_MAX):
                head = await reader.readuntil(b"\r\n\r\n")
                writer.write(_as_bytes(await answer_probe(house, _path_of(head))))
                await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, address, port, limit=HEAD_BYTES_MAX)
    async with server:
        yield


async def answer_probe(house: House, path: str) -> Answer:
    """The answer at a path."""
    if path == "/health/live":
        return Answer(200, b'{"status":"live"}')
    if path == "/metrics":
        return Answer(200, METERS.text().encode(), CONTENT_TYPE)
    if path != "/health/ready":
        return Answer(404, msgspec.json.encode(NOT_SERVED_HERE), "application/problem+json")
    started = time.perf_counter()
    try:
        async with house.database.connection() as connection:
            await connection.fetchval("SELECT 1")
    except Outage as outage:
        return Answer(503, msgspec.json.encode({"status": "not_ready", "code": outage.code}))
    milliseconds = round((time.perf_counter() - started) * 1000, 2)
    state = {"state": "up", "latency_ms": milliseconds}
    return Answer(200, msgspec.json.encode({"status": "ready", "database": state}))


def _path_of(head: bytes) -> str:
    words = head.split(b"\r\n", 1)[0].split()
    return words[1].decode("latin-1").partition("?")[0] if len(words) == 3 else ""


def _as_bytes(answer: Answer) -> bytes:
    head = (
        f"HTTP/1.1 {answer.status} {_REASONS[answer.status]}\r\ncontent-type: {answer.kind}\r\n"
        f"content-length: {len(answer.body)}\r\ncache-control: no-store\r\n"
        "connection: close\r\n\r\n"
    )
    return head.encode() + answer.body
