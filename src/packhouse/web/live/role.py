"""The program ``packhouse serve live``: one process that holds tens of thousands of streams.

It reads the feed and nothing else, with two connections to PostgreSQL, and needs no key.
"""

import asyncio
import os
import signal
import socket
from contextlib import suppress
from typing import Final

import uvloop

from packhouse.foundation.errors import Outage
from packhouse.foundation.limits import (
    LIVE_CONNECTIONS,
    LIVE_SOCKET_BUFFER_BYTES,
    LIVE_SPARE_CONNECTIONS,
    LIVE_STOP_SECONDS_MAX,
)
from packhouse.plumbing.logging import configure_logging, get_log
from packhouse.plumbing.meter_memory import handed_meter_memory
from packhouse.plumbing.metrics import METERS
from packhouse.plumbing.postgres import open_database
from packhouse.plumbing.settings import Settings, require_setting
from packhouse.plumbing.valkey import Valkey
from packhouse.web.live.connections import LiveConnection
from packhouse.web.live.hub import LiveHub
from packhouse.web.live.server import LiveServer
from packhouse.web.server.files import raise_file_limit

BACKLOG: Final = 4096
SILENT_PEER_SECONDS: Final = 20
"""A peer that acknowledges nothing for so long is gone, whatever the usual patience of TCP."""
OTHER_FILES: Final = 64

log = get_log(__name__)


class LiveFeedFailed(Outage):
    """The hub has ended by itself; its streams are closed."""

    code = "live_feed_failed"


class TooFewFiles(Outage):
    """The system allows fewer open files than the streams that the settings promise."""

    code = "too_few_files"


def run_live(settings: Settings, *, address: str) -> None:
    """Serve streams at ``address`` until SIGTERM or SIGINT.

    Raises ``DatabaseUnavailable`` when there is no database to begin with, ``TooFewFiles``, and
    ``LiveFeedFailed`` when the work itself has failed and a new process should take over.
    """
    configure_logging(
        log_format=settings.log_format,
        log_level=settings.log_level,
        environment=settings.environment,
    )
    METERS.begin(role="live", memory=handed_meter_memory(os.environ))
    _allow_files(settings.live_streams_max + LIVE_SPARE_CONNECTIONS + OTHER_FILES)
    uvloop.run(_serve(settings, address))


async def _serve(settings: Settings, address: str) -> None:
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for stop_signal in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(stop_signal, stop.set)
    valkey = Valkey(
        require_setting(settings.cache_url, name="cache_url").reveal(),
        timeout_ms=settings.cache_timeout_ms,
    )
    try:
        async with open_database(
            require_setting(settings.database_url, name="database_url").reveal(),
            pool_size=LIVE_CONNECTIONS,
            statement_timeout_ms=settings.database_statement_timeout_ms,
            connect_timeout_seconds=settings.database_connect_timeout_seconds,
        ) as database:
            hub = LiveHub(database, valkey, streams_max=settings.live_streams_max)
            async with hub.running():
                server = LiveServer(settings, database, valkey, hub)
                listener = await loop.create_server(
                    lambda: LiveConnection(server),
                    sock=listening_socket(address, settings.live_port),
                    backlog=BACKLOG,
                )
                log.info("The live feed is served")
                await _first_of(stop, hub.closed)
                has_failed = not stop.is_set()
                if not has_failed:
                    server.drain()
                    await asyncio.sleep(settings.drain_seconds)
                listener.close()
                hub.close()
                server.stop()
                await _until_idle(server)
                await server.finish()
    finally:
        await valkey.close()
    if has_failed:
        raise LiveFeedFailed("The live feed ended by itself; the reason is above.")
    log.info("The live feed has stopped")


def listening_socket(address: str, port: int) -> socket.socket:
    """A socket whose connections inherit buffers that are small and do not grow.

    The system's own grow to megabytes for a client that does not read, and ten thousand of those
    would take its memory. An event is some hundred bytes; nobody needs more than this.
    """
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, LIVE_SOCKET_BUFFER_BYTES)
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        milliseconds = SILENT_PEER_SECONDS * 1000
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, milliseconds)
    listener.bind((address, port))
    listener.settimeout(0)
    return listener


def _allow_files(wanted: int) -> None:
    allowed = raise_file_limit(wanted)
    if allowed < wanted:
        raise TooFewFiles(
            f"PACKHOUSE_LIVE_STREAMS_MAX needs {wanted:,} open files, and the system allows this"
            f" program {allowed:,}: lower the one, or raise the other (ulimit -n)."
        )


async def _first_of(*events: asyncio.Event) -> None:
    waits = [asyncio.create_task(event.wait()) for event in events]
    await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    for wait in waits:
        wait.cancel()


async def _until_idle(server: LiveServer) -> None:
    # Whoever has not read the end by then is cut off with the process.
    with suppress(TimeoutError):
        async with asyncio.timeout(LIVE_STOP_SECONDS_MAX):
            while not server.is_idle():  # noqa: ASYNC110 - they end one by one, in no order
                await asyncio.sleep(0.02)
