"""``packhouse serve``: the shop's programs against servers that the environment names.

Without a role it keeps web and worker running side by side; with one it is that program alone, for
machines that watch over it themselves. ``packhouse up`` starts the same two. Web workers answer
live streams too, so only who has many of them, and a balancer to send them there, runs ``live``.
"""

import asyncio
import errno
import os
import socket
from collections.abc import Mapping, Sequence
from enum import StrEnum
from functools import partial
from typing import Annotated, Final

import typer

from packhouse.cli.shop import plain_errors, progress_lines
from packhouse.cli.supervisor import Program, StopAsked, Supervisor, stop_all, stop_signals
from packhouse.foundation.errors import Outage
from packhouse.plumbing.handover import begin_as_child, load_process_settings
from packhouse.plumbing.logging import configure_logging
from packhouse.plumbing.meter_memory import make_meter_memory
from packhouse.plumbing.schema_state import require_migrated
from packhouse.plumbing.setting_sources import variable_of
from packhouse.plumbing.settings import (
    LIVE_NEEDS,
    SERVE_NEEDS,
    WORKER_NEEDS,
    Settings,
    require_setting,
)
from packhouse.web.live.role import run_live
from packhouse.web.roles import WebRole
from packhouse.web.server.prefork import serve_forked
from packhouse.worker.run import run_worker


class Role(StrEnum):
    """What one program of a shop does."""

    WEB = "web"
    API = "api"
    LIVE = "live"
    WORKER = "worker"
    ADMIN = "admin"


NEEDS: Final[Mapping[Role | None, Sequence[str]]] = {
    Role.WEB: SERVE_NEEDS,
    Role.API: SERVE_NEEDS,
    Role.ADMIN: SERVE_NEEDS,
    Role.LIVE: LIVE_NEEDS,
}
"""Settings that a role cannot begin without, where they are not those of the worker."""

PORTS: Final[Mapping[Role, str]] = {
    Role.WEB: "http_port",
    Role.API: "api_port",
    Role.ADMIN: "admin_port",
    Role.LIVE: "live_port",
    Role.WORKER: "worker_port",
}
"""The setting that says where a role listens."""


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

    web answers pages and all the rest, but operators only where its login, or the one that
    PACKHOUSE_ADMIN_DATABASE_URL names, may; api, admin and live answer their own paths alone, each
    on a port of its own. It refuses to start when a setting is missing (2) or the database is not
    migrated (1). SIGTERM and Ctrl-C stop it after the requests in hand.
    """
    begin_as_child()
    with plain_errors():
        needs = NEEDS.get(role, WORKER_NEEDS)
        settings = load_process_settings(required=needs).settings
        database_url = require_setting(settings.database_url, name="database_url").reveal()
        asyncio.run(require_migrated(database_url))
        if role is None:
            serve_both(settings)
        elif role is Role.LIVE:
            run_live(settings, address=require_free_port(settings, setting="live_port"))
        elif role is Role.WORKER:
            run_worker(settings, address=_worker_address(settings))
        else:
            serve_http(settings, WebRole(role), setting=PORTS[role])


def serve_both(settings: Settings) -> None:
    """Keep web and worker running until told to stop."""
    require_free_port(settings)
    announce = progress_lines()
    meters = make_meter_memory()
    supervisor = Supervisor(announce=announce, on_change=_tell_nobody)
    with stop_signals():
        try:
            for role, title in ((Role.WORKER, "The worker"), (Role.WEB, "The web server")):
                start = partial(Program, ["serve", role], environ=os.environ, meters=meters)
                supervisor.start(role, title, start)
            announce(f"Serving {settings.public_url}; Ctrl-C stops it.")
            supervisor.run()
        except StopAsked:
            announce("Stopping …")
        finally:
            stop_all(supervisor, announce=announce, drain_seconds=settings.drain_seconds)


def serve_http(settings: Settings, role: WebRole, *, setting: str) -> None:
    """Serve web, api or admin until told to stop; ends the program with 1 if it cannot open."""
    address = require_free_port(settings, setting=setting)
    configure_logging(
        log_format=settings.log_format,
        log_level=settings.log_level,
        environment=settings.environment,
    )
    code = serve_forked(settings, address=address, port=getattr(settings, setting), role=role)
    if code:
        raise typer.Exit(code)


def _worker_address(settings: Settings) -> str | None:
    """Where the worker answers probes, if it is to answer any."""
    if settings.worker_port == 0:
        return None
    return require_free_port(settings, setting="worker_port")


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


def _tell_nobody() -> None:
    """Nobody asks for the process ids of `packhouse serve`."""
