"""``packhouse serve``: the shop's programs against servers that the environment names.

Without a role it keeps web and worker running side by side; with one it is that program alone, for
machines that watch over it themselves. ``packhouse up`` starts the same two. Web workers answer
live streams too, so only who has many of them, and a balancer to send them there, runs ``live``.
"""

import asyncio
import errno
import gc
import multiprocessing
import os
import signal
import socket
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from pkgutil import resolve_name
from types import FrameType
from typing import Annotated, Any, Final

import typer
from granian import Granian
from granian.constants import HTTPModes, Interfaces, Loops
from granian.http import HTTP1Settings
from granian.log import LogLevels

from packhouse.cli.shop import plain_errors, progress_lines
from packhouse.cli.supervisor import Program, StopAsked, Supervisor, stop_all, stop_signals
from packhouse.foundation.errors import Outage
from packhouse.plumbing.handover import (
    CLOSE_STREAMS_SIGNAL,
    begin_as_child,
    load_process_settings,
    tie_to_parent,
)
from packhouse.plumbing.logging import GRANIAN_LOGGING, configure_logging
from packhouse.plumbing.schema_state import require_migrated
from packhouse.plumbing.settings import (
    LIVE_NEEDS,
    SERVE_NEEDS,
    WORKER_NEEDS,
    Settings,
    require_setting,
    variable_of,
)
from packhouse.web.live.role import run_live
from packhouse.worker.run import run_worker

APP_FACTORY: Final = "packhouse.web.rsgi:make_app"

DRAIN_SECONDS: Final = 10
"""How long a web worker may finish its requests when it is told to stop; as long as the slowest
statement may run by default."""

KEEP_ALIVE_SECONDS: Final = 75
"""How long an idle connection stays open: longer than a visitor thinks, and longer than the usual
60 s of a load balancer, which must be the one to close first."""

CONNECTIONS_PER_WORKER: Final = 8192
"""Granian stops accepting at so many open connections, idle ones and live streams included; its
own default of a few hundred would be spent on idle browsers."""


class Role(StrEnum):
    """What one program of a shop does."""

    WEB = "web"
    LIVE = "live"
    WORKER = "worker"


NEEDS: Final[Mapping[Role | None, Sequence[str]]] = {
    Role.WEB: SERVE_NEEDS,
    Role.LIVE: LIVE_NEEDS,
}
"""Settings that a role cannot begin without, where they are not those of the worker."""


class PortUnusable(Outage):
    """A server of the shop cannot listen where it should."""

    code = "web_port_unusable"


def serve_command(
    role: Annotated[
        Role | None,
        typer.Argument(help="What to run; web and worker together when not given."),
    ] = None,
) -> None:
    """Run the shop against the servers that the environment names, in the foreground.

    web answers everything; live answers /api/v1/feed/live alone, on a port of its own, for tens of
    thousands of streams. It refuses to start when a setting is missing (2) or the database is not
    migrated (1). SIGTERM and Ctrl-C stop it after the requests in hand.
    """
    begin_as_child()
    with plain_errors():
        needs = NEEDS.get(role, WORKER_NEEDS)
        settings = load_process_settings(required=needs).settings
        database_url = require_setting(settings.database_url, name="database_url").reveal()
        asyncio.run(require_migrated(database_url))
        if role is Role.WEB:
            serve_web(settings)
        elif role is Role.LIVE:
            run_live(settings, address=require_free_port(settings, setting="live_port"))
        elif role is Role.WORKER:
            run_worker(settings)
        else:
            serve_both(settings)


def serve_both(settings: Settings) -> None:
    """Keep web and worker running until told to stop."""
    require_free_port(settings)
    announce = progress_lines()
    supervisor = Supervisor(announce=announce, on_change=_tell_nobody)
    with stop_signals():
        try:
            supervisor.start(
                "worker", "The worker", lambda: Program(["serve", "worker"], environ=os.environ)
            )
            supervisor.start(
                "web", "The web server", lambda: Program(["serve", "web"], environ=os.environ)
            )
            announce(f"Serving {settings.public_url}; Ctrl-C stops it.")
            supervisor.run()
        except StopAsked:
            announce("Stopping …")
        finally:
            stop_all(supervisor, announce=announce)


def serve_web(settings: Settings, *, factory: str = APP_FACTORY) -> None:
    """Serve the application that ``factory`` (``module:function``) makes, until told to stop."""
    address = require_free_port(settings)
    configure_logging(
        log_format=settings.log_format,
        log_level=settings.log_level,
        environment=settings.environment,
    )
    if multiprocessing.get_start_method() == "fork":
        # Loaded once here, the code is shared by all workers instead of held by each.
        resolve_name(factory)
        gc.collect()
        gc.freeze()
    signal.signal(CLOSE_STREAMS_SIGNAL, signal.SIG_IGN)
    server = Granian(
        factory,
        address=address,
        port=settings.http_port,
        interface=Interfaces.RSGI,
        loop=Loops.uvloop,
        workers=settings.http_workers,
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=KEEP_ALIVE_SECONDS * 1000),
        websockets=False,
        backpressure=CONNECTIONS_PER_WORKER,
        respawn_failed_workers=True,
        workers_kill_timeout=DRAIN_SECONDS,
        log_level=LogLevels.warning,
        log_dictconfig=GRANIAN_LOGGING,
    )
    server.on_startup(lambda: _close_streams_before_stop(server.signal_handler_interrupt))
    server.serve(target_loader=make_worker_app)


def make_worker_app(factory: str) -> Any:  # noqa: ANN401 - whatever application it is
    """Called by the server in each of its workers: ties the worker to it and makes the app."""
    signal.signal(CLOSE_STREAMS_SIGNAL, signal.SIG_IGN)
    server = multiprocessing.parent_process()
    if server is not None and server.pid is not None:
        tie_to_parent(server.pid)
    return resolve_name(factory)()


def require_free_port(settings: Settings, *, setting: str = "http_port") -> str:
    """The IP address to listen on, at which the port is free; raises ``PortUnusable``.

    ``setting`` is the port's field. The web server itself would not notice a port that is taken: it
    shares its port among its workers, and so with another shop of the same account.
    """
    host, port = settings.http_host, getattr(settings, setting)
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family) as listener:
            # As servers do: a port whose last connections linger in TIME_WAIT is free.
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
    except OSError as error:
        reason = (
            f"Port {port} on {host} is taken by another program; stop it, or"
            if error.errno == errno.EADDRINUSE
            else f"The server cannot listen on {host}, port {port} ({error.strerror});"
        )
        also = " (`packhouse up` also takes --port)" if setting == "http_port" else ""
        raise PortUnusable(
            f"{reason} choose another port with {variable_of(setting)}{also}."
        ) from error
    return str(address[0])


def _close_streams_before_stop(stop: Callable[[], None]) -> None:
    """Have the workers end their live streams when the server is told to stop.

    Granian tells an application of a stop only after its last answer has ended.
    """

    def close_and_stop(_signal: int, _frame: FrameType | None) -> None:
        for worker in multiprocessing.active_children():
            if worker.pid is not None:
                os.kill(worker.pid, CLOSE_STREAMS_SIGNAL)
        stop()

    signal.signal(signal.SIGTERM, close_and_stop)
    signal.signal(signal.SIGINT, close_and_stop)


def _tell_nobody() -> None:
    """Nobody asks for the process ids of `packhouse serve`."""
