"""``packhouse up``: the whole shop on this machine, with servers of its own, in the foreground.

Everything it needs comes with pip, everything it keeps is in one folder. It watches over its parts
and starts again what dies; when it dies itself, all of them end with it, and the next start goes on
where it was.
"""

import asyncio
import base64
import http
import http.client
import os
import secrets
import time
from pathlib import Path
from typing import Annotated, Final, Protocol

import msgspec
import typer

from packhouse.cli.serve import require_free_port
from packhouse.cli.shop import (
    HANDOVER_NAME,
    RUN_NAME,
    DataOption,
    data_directory,
    plain_errors,
    progress_lines,
)
from packhouse.cli.supervisor import (
    Announce,
    Program,
    StopAsked,
    Supervisor,
    stop_all,
    stop_signals,
)
from packhouse.demo.seed import (
    DEMO_COLLECTOR_EMAIL,
    DEMO_OWNER_EMAIL,
    DEMO_PASSWORD,
)
from packhouse.foundation.errors import Outage
from packhouse.plumbing.embedded import (
    DirectoryHold,
    DirectoryUnusable,
    EmbeddedServer,
    hold_directory,
    start_postgres,
    start_valkey,
)
from packhouse.plumbing.embedded.errors import disk_full, has_room
from packhouse.plumbing.embedded.places import read_text, write_private
from packhouse.plumbing.handover import HANDOVER_VARIABLE, Overrides, read_handover, write_handover
from packhouse.plumbing.logins import LOGIN_PREFIX, make_logins, url_with_login
from packhouse.plumbing.meter_memory import make_meter_memory
from packhouse.plumbing.schema_state import migrate_database
from packhouse.plumbing.settings import WORKER_NEEDS, LoadedSettings, Settings, load_settings

READY_SECONDS_MAX: Final = 120.0
READY_LOOK_SECONDS: Final = 0.05
OPENING_DEATHS_MAX: Final = 3
"""So often something may die while the shop opens; more is no accident."""
ROOM_MEBIBYTES: Final = 16
SEEDING_STOP_SECONDS_MAX: Final = 2.0
"""Seeding goes on where it was ended, so nobody has to wait for it."""
LOGIN_ROLES: Final = ("web", "worker", "admin")
"""Roles of the shop that run here, each with a login of its own."""
SEED_KEY_NAME: Final = "seed-key"
LOG_KEY_NAME: Final = "log-key"

DEMO_SIGN_INS: Final = (("collector", DEMO_COLLECTOR_EMAIL), ("owner", DEMO_OWNER_EMAIL))


class ShopNotReady(Outage):
    """A part of the shop ended, or stayed silent, while it was starting."""

    code = "shop_not_ready"


class StartServer(Protocol):
    """``start_postgres`` or ``start_valkey``."""

    def __call__(
        self, directory: Path, *, announce: Announce, port: int | None = None
    ) -> EmbeddedServer:
        """Start it on its folder, on the same port as before when one is named."""


def up_command(
    *,
    port: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=65_535,
            help="The port of the shop's one address; PACKHOUSE_HTTP_PORT or 8000 if not given.",
            show_default=False,
        ),
    ] = None,
    data: DataOption = None,
    no_demo: Annotated[
        bool, typer.Option("--no-demo", help="Begin with an empty shop, without the demo shop.")
    ] = False,
) -> None:
    """Run the whole shop on this machine, with PostgreSQL and Valkey of its own.

    Everything is kept in one folder, and the next start goes on there. Ctrl-C stops it.
    """
    announce = progress_lines()
    with plain_errors(), stop_signals():
        shop = LocalShop(data_directory(data), has_demo=not no_demo, announce=announce)
        try:
            shop.open(port=port)
            shop.supervisor.run()
        except StopAsked:
            announce("Stopping …")
        finally:
            shop.close()
        announce("Stopped; everything is kept.")


class LocalShop:
    """One shop on one folder of this machine, from its opening to its closing."""

    def __init__(self, directory: Path, *, has_demo: bool, announce: Announce) -> None:
        self.supervisor = Supervisor(announce=announce, on_change=self._write_run_file)
        self._directory = directory
        self._has_demo = has_demo
        self._announce = announce
        self._hold: DirectoryHold | None = None
        self._servers: dict[str, EmbeddedServer] = {}
        self._settings: Settings | None = None
        self._logins: dict[str, str] = {}
        self._meters = make_meter_memory()

    def open(self, *, port: int | None) -> None:
        """Start everything; returns when the shop serves. Raises a Refusal or an Outage."""
        decided = {
            "embedded": "true",
            "payment_provider": "demo",
            "demo_accounts": str(self._has_demo),
        }
        if port is not None:
            decided["http_port"] = str(port)
        given = load_settings(os.environ, overrides=decided)
        self._hold = hold_directory(self._directory)
        # A shop that was killed has left it; until ours is open nobody is to be sent anywhere.
        (self._directory / RUN_NAME).unlink(missing_ok=True)
        require_free_port(given.settings)
        decided["seed_key"] = keep_seed_key(self._directory)
        decided["log_key"] = keep_log_key(self._directory)
        start = self.supervisor.start
        start("postgres", "PostgreSQL", lambda: self._start_server("postgres", start_postgres))
        start("valkey", "Valkey", lambda: self._start_server("valkey", start_valkey))
        settings = self._hand_over(decided, given)
        self._migrate()
        self._make_logins()
        if self._has_demo:
            self._seed_demo()
        self._announce("Opening the shop …")
        self._settings = settings
        start("worker", "The worker", lambda: self._start_role("worker"))
        start("web", "The web server", lambda: self._start_role("web"))
        self._wait_until_ready(settings)
        typer.echo(self._banner(settings))

    def close(self) -> None:
        """Stop everything that was started, and give the folder free."""
        drain_seconds = 0 if self._settings is None else self._settings.drain_seconds
        stop_all(self.supervisor, announce=self._announce, drain_seconds=drain_seconds)
        if self._hold is not None:
            (self._directory / RUN_NAME).unlink(missing_ok=True)
            for handover in self._directory.glob("handover*.json"):
                handover.unlink(missing_ok=True)
            self._hold.release()

    def _start_server(self, name: str, start: StartServer) -> EmbeddedServer:
        before = self._servers.get(name)
        self._servers[name] = start(
            self._directory / name,
            announce=_say_nothing if before else self._announce,
            # Others know its address by now.
            port=before.port if before else None,
        )
        return self._servers[name]

    def _start_program(self, *arguments: str) -> Program:
        return self._program(*arguments, handover=self._directory / HANDOVER_NAME)

    def _program(self, *arguments: str, handover: Path) -> Program:
        environ = {**os.environ, HANDOVER_VARIABLE: str(handover)}
        return Program(arguments, environ=environ, meters=self._meters)

    def _start_role(self, role: str) -> Program:
        """A program that knows its own logins alone."""
        logins = self._logins
        overrides = dict(read_handover(self._directory / HANDOVER_NAME))
        overrides["database_url"] = logins[role]
        if role == "web":
            overrides["admin_database_url"] = logins["admin"]
            # The web signs nothing, and the fewer know a key the better.
            del overrides["log_key"]
        path = self._directory / f"handover-{role}.json"
        write_handover(path, overrides)
        return self._program("serve", role, handover=path)

    def _make_logins(self) -> None:
        """A login for each role of the shop, with a password of its own that is made up anew."""
        url = self._servers["postgres"].url
        passwords = {role: secrets.token_urlsafe(24) for role in LOGIN_ROLES}
        asyncio.run(
            make_logins(url, {f"packhouse_{role}": text for role, text in passwords.items()})
        )
        self._logins = {
            role: url_with_login(url, name=f"{LOGIN_PREFIX}packhouse_{role}", password=password)
            for role, password in passwords.items()
        }

    def _hand_over(self, decided: Overrides, given: LoadedSettings) -> Settings:
        """Decide what no environment may, and what the environment left open, for all programs."""
        overrides = {
            **decided,
            "database_url": self._servers["postgres"].url,
            "cache_url": self._servers["valkey"].url,
            # Whoever started it watches over it; two shops on one machine would want one port.
            "worker_port": "0",
        }
        if given.origins["media_directory"] == "default":
            overrides["media_directory"] = str(self._directory / "media")
        if given.settings.mail_url is None and given.settings.mail_directory is None:
            overrides["mail_directory"] = str(self._directory / "mail")
        if given.origins["backup_directory"] == "default":
            overrides["backup_directory"] = str(self._directory / "backups")
        if given.origins["load_tests_directory"] == "default":
            overrides["load_tests_directory"] = str(self._directory / "load-tests")
        if given.origins["public_url"] == "default":
            overrides["public_url"] = local_url(given.settings)
        loaded = load_settings(os.environ, overrides=overrides, required=WORKER_NEEDS)
        write_handover(self._directory / HANDOVER_NAME, overrides)
        return loaded.settings

    def _migrate(self) -> None:
        try:
            ran = asyncio.run(migrate_database(self._servers["postgres"].url))
        except Outage as error:
            # On a full disk a database gives up in many ways, and few say why.
            if has_room(self._directory, mebibytes=ROOM_MEBIBYTES):
                raise
            raise disk_full(self._directory) from error
        if ran:
            self._announce(f"The database has its tables ({len(ran)} migrations).")

    def _seed_demo(self) -> None:
        seeding = self._start_program("seed-demo", str(self._directory))
        seeding.let_in()
        try:
            exit_code = seeding.wait()
        finally:
            seeding.stop(timeout_seconds=SEEDING_STOP_SECONDS_MAX)
        if exit_code > 0:
            # It has said why in a line of its own.
            raise typer.Exit(1)
        if exit_code < 0:
            raise ShopNotReady("Seeding the demo shop was cut short; start again to go on with it.")

    def _wait_until_ready(self, settings: Settings) -> None:
        deadline = time.monotonic() + READY_SECONDS_MAX
        while not is_ready(settings):
            self.supervisor.look()
            if self.supervisor.deaths > OPENING_DEATHS_MAX:
                raise ShopNotReady("The shop could not be opened; the reasons are above.")
            if time.monotonic() > deadline:
                raise ShopNotReady(
                    f"The shop was not ready after {READY_SECONDS_MAX:.0f} s; look at its lines"
                    " above and start again."
                )
            time.sleep(READY_LOOK_SECONDS)

    def _write_run_file(self) -> None:
        """Tell the world where everything is, once there is a web server to be found."""
        pids = self.supervisor.pids()
        if self._settings is None or "web" not in pids:
            return
        url = local_url(self._settings)
        run = {
            "url": url,
            "metrics_url": f"{url}/metrics",
            "database_url": self._servers["postgres"].url,
            "cache_url": self._servers["valkey"].url,
            "pids": {"up": os.getpid(), **pids},
        }
        write_private(self._directory / RUN_NAME, msgspec.json.encode(run).decode())

    def _banner(self, settings: Settings) -> str:
        lines = ["", f"  {settings.shop_name} is open at {settings.public_url}", ""]
        if self._has_demo:
            lines += [f"  {who:<10} {email:<24} {DEMO_PASSWORD}" for who, email in DEMO_SIGN_INS]
            lines.append("")
        lines.append(f"  Everything is kept in {self._directory}. Ctrl-C stops it.")
        return "\n".join([*lines, ""])


def keep_seed_key(directory: Path) -> str:
    """The key that seals the seeds of draws, made up the first time. Never replaced by another."""
    path = directory / SEED_KEY_NAME
    key = read_text(path)
    if key:
        return key
    if (directory / "postgres" / "password").exists():
        raise DirectoryUnusable(
            f"{path} is gone, and the seeds of all draws open only to it; put it back from a"
            " backup."
        )
    key = secrets.token_hex(32)
    write_private(path, f"{key}\n")
    return key


def keep_log_key(directory: Path) -> str:
    """The key that signs the draw log, made up when there is none.

    A shop from before the log has none either, so a lost one is replaced too: nothing is lost with
    it, and whoever keeps the verifier key of before sees the change.
    """
    path = directory / LOG_KEY_NAME
    key = read_text(path)
    if not key:
        key = base64.b64encode(secrets.token_bytes(32)).decode()
        write_private(path, f"{key}\n")
    return key


def local_url(settings: Settings) -> str:
    """The address of the shop on this machine."""
    host = local_host(settings)
    return f"http://{f'[{host}]' if ':' in host else host}:{settings.http_port}"


def local_host(settings: Settings) -> str:
    """Where this machine reaches the web server: one that listens everywhere also listens here."""
    everywhere = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - asked about, not listened on
    return everywhere.get(settings.http_host, settings.http_host)


def is_ready(settings: Settings) -> bool:
    """Whether the web server answers, and says that it is ready to sell."""
    connection = http.client.HTTPConnection(local_host(settings), settings.http_port, timeout=5)
    try:
        connection.request("GET", "/health/ready")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _say_nothing(_line: str) -> None:
    """A server that is started again has been announced already."""
