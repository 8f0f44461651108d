"""One web worker: the application on an event loop, from opening its house to its last answer."""

import asyncio
import gc
import signal
import socket
from contextlib import suppress
from typing import Final

import uvloop

from packhouse.foundation.errors import PackhouseError
from packhouse.foundation.limits import WEB_CONNECTIONS_MAX, WEB_DRAIN_SECONDS_MAX
from packhouse.plumbing.handover import tie_to_parent
from packhouse.plumbing.logging import get_log
from packhouse.plumbing.settings import Settings
from packhouse.web.app import WebApp
from packhouse.web.roles import WebRole
from packhouse.web.server.files import raise_file_limit
from packhouse.web.server.serving import HttpServer

BACKLOG: Final = 4096
OTHER_FILES: Final = 128
GC_THRESHOLD: Final = 20_000
"""Objects made and not yet freed, before the youngest are looked through for cycles."""

log = get_log(__name__)


def run_worker(settings: Settings, listener: socket.socket, *, role: WebRole, parent: int) -> None:
    """Serve what connects to ``listener`` until SIGTERM, as a child process of ``parent``.

    An outage that keeps the shop from opening is told in one sentence and ends it with 1.
    """
    tie_to_parent(parent)
    # Ctrl-C reaches the parent too, which decides.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # The parent's handler came along with the fork, and would only tell this copy of the parent.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    try:
        uvloop.run(_serve(settings, listener, role))
    except PackhouseError as error:
        log.error(error.message)  # noqa: TRY400 - an outage is told in one sentence
        raise SystemExit(1) from None


async def _serve(settings: Settings, listener: socket.socket, role: WebRole) -> None:
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    files = raise_file_limit(WEB_CONNECTIONS_MAX + OTHER_FILES)
    app = WebApp(settings, role=role)
    async with app.running():
        _settle_memory()
        server = HttpServer(app.edge, connections_max=max(1, files - OTHER_FILES), loop=loop)
        ticking = asyncio.create_task(server.tick())
        door = await loop.create_server(server.connect, sock=listener.dup(), backlog=BACKLOG)
        await stop.wait()
        app.drain()
        server.leave()
        await asyncio.sleep(settings.drain_seconds)
        door.close()
        await _let_in_the_last(listener, server, loop)
        app.close_streams()
        await server.stop(seconds=WEB_DRAIN_SECONDS_MAX)
        ticking.cancel()


async def _let_in_the_last(
    listener: socket.socket, server: HttpServer, loop: asyncio.AbstractEventLoop
) -> None:
    """Close the door behind those who stand in it: the system would cut them off unheard."""
    with listener, suppress(BlockingIOError):
        while True:
            accepted, _ = listener.accept()
            accepted.setblocking(False)  # noqa: FBT003 - the socket's own word for it
            await loop.connect_accepted_socket(server.connect, accepted)


def _settle_memory() -> None:
    # What is here now stays for good, and an answer leaves no cycles behind: looking for some
    # after every few hundred objects was a twentieth of the processor's time.
    gc.collect()
    gc.freeze()
    gc.set_threshold(GC_THRESHOLD)
