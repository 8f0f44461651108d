"""The stage: a whole shop on real servers in a temporary folder, filled with collectors.

The shop's programs are the very ones that ``packhouse serve`` runs, each in its own process, with
logging, limits and metrics on. Two settings differ from a shop's: limits are so high that the few
addresses of a bench never meet them, and there are demo payments. At the end everything is gone.
"""

import asyncio
import base64
import http
import http.client
import os
import secrets
import shutil
import socket
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Final

from packhouse.bench.model import Options
from packhouse.bench.population import Collector, Filled, fill
from packhouse.bench.programs import ShopProgram
from packhouse.bench.requests import SESSION_COOKIE
from packhouse.bench.servers import Servers
from packhouse.bench.statements import is_superuser
from packhouse.demo.seed import seed_demo_shop
from packhouse.flows.check_laws import list_broken_laws
from packhouse.foundation.checks import Finding
from packhouse.foundation.errors import Outage
from packhouse.house import House, open_house
from packhouse.plumbing.handover import Overrides
from packhouse.plumbing.schema_state import migrate_database
from packhouse.plumbing.settings import SERVE_NEEDS, Settings, load_settings

PACK: Final = "harbour-eight"
"""What is opened: eight physical cards, the dearest opening that the demo shop has."""

READY_SECONDS_MAX: Final = 60.0
RELAY_SECONDS_MAX: Final = 180.0
HOUSE_CONNECTIONS: Final = 4

HIGH_LIMIT: Final = "99999999/1m"

Say = Callable[[str], None]


class StageNotReady(Outage):
    """The shop under test did not get ready, or its relay did not keep up, in bounded time."""

    code = "bench_stage_not_ready"


class Stage:
    """The running shop under test."""

    def __init__(
        self,
        *,
        folder: Path,
        servers: Servers,
        house: House,
        shop_settings: Overrides,
        filled: Filled,
        say: Say,
    ) -> None:
        self.folder = folder
        self.servers = servers
        self.house = house
        self.settings = house.settings
        self.filled = filled
        self._shop_settings = shop_settings
        self._say = say
        self._programs: list[ShopProgram] = []
        self._live_port: int | None = None
        self.laws_not_kept: set[str] = set()
        """Laws that a contender of this run is not made to keep, so that nobody is blamed later."""

    async def list_broken_laws(self) -> list[Finding]:
        """Every law that does not hold, but for those that somebody was let off."""
        broken = await list_broken_laws(self.house)
        return [finding for finding in broken if finding.law not in self.laws_not_kept]

    @property
    def collectors(self) -> Sequence[Collector]:
        """Everybody who can act."""
        return self.filled.collectors

    @property
    def cookies(self) -> Sequence[str]:
        """The Cookie header of each collector, as the shop knows them."""
        return [f"{SESSION_COOKIE}={collector.token}" for collector in self.collectors]

    @property
    def host(self) -> str:
        """Where the shop's web server listens."""
        return self.settings.http_host

    @property
    def port(self) -> int:
        """The port of the shop's web server."""
        return self.settings.http_port

    @property
    def web_pid(self) -> int:
        """The web server's parent process; its workers are the children."""
        return self._pid_of("web")

    @property
    def worker_pid(self) -> int:
        """The process with the relay and the sweep."""
        return self._pid_of("worker")

    def open_live(self) -> int:
        """The port of live streams: the live role's own, started now, or the web's without one."""
        if "live_port" not in Settings.__struct_fields__:
            return self.port
        if self._live_port is None:
            self._live_port = free_port()
            self.start_program(("serve", "live"), live_port=str(self._live_port))
        return self._live_port

    @property
    def database_log(self) -> Path | None:
        """What PostgreSQL writes of itself, when it is ours to read."""
        log = self.folder / "postgres" / "postgres.log"
        return log if self.servers.is_embedded and log.exists() else None

    def start_program(self, arguments: Sequence[str], **overrides: str) -> ShopProgram:
        """Run ``packhouse ARGUMENTS`` beside the shop under further settings, by field name."""
        program = ShopProgram(
            arguments,
            settings={**self._shop_settings, **overrides},
            folder=self.folder,
            name=f"{'-'.join(arguments)}-{len(self._programs)}",
        )
        self._programs.append(program)
        return program

    def stop_program(self, program: ShopProgram) -> None:
        """Stop one that is not needed any more."""
        self._programs.remove(program)
        program.stop()

    def stop_programs(self) -> None:
        """Stop everything that was started here, the last first."""
        while self._programs:
            self._programs.pop().stop()

    async def wait_until_ready(self, port: int | None = None) -> None:
        """Until a web server says that it is ready to sell; the shop's own if no port is given."""
        deadline = time.monotonic() + READY_SECONDS_MAX
        while not await asyncio.to_thread(is_ready, self.host, port or self.port):
            self.require_running()
            if time.monotonic() > deadline:
                raise StageNotReady(f"The shop was not ready after {READY_SECONDS_MAX:.0f} s.")
            await asyncio.sleep(0.05)

    async def wait_for_relay(self) -> None:
        """Until the outbox is empty, so that no turn pays for the one before."""
        begun = time.monotonic()
        said_at = begun
        while waiting := await self.count_waiting_events():
            self.require_running()
            now = time.monotonic()
            if now - begun > RELAY_SECONDS_MAX:
                raise StageNotReady(
                    f"The relay left {waiting:,} events waiting after {RELAY_SECONDS_MAX:.0f} s."
                )
            if now - said_at > 5:
                said_at = now
                self._say(f"Waiting for the relay: {waiting:,} events …")
            await asyncio.sleep(0.05)

    async def count_waiting_events(self) -> int:
        """How many events the relay has not moved on yet."""
        async with self.house.database.connection() as connection:
            return int(await connection.fetchval("SELECT count(*) FROM outbox"))

    def require_running(self) -> None:
        """Raise ``ProgramEnded`` when a program of the shop has ended; keep their logs short."""
        for program in self._programs:
            program.require_running()
            program.keep_log_short()

    def list_programs(self) -> Sequence[ShopProgram]:
        """Everything of the shop that runs."""
        return tuple(self._programs)

    def _pid_of(self, role: str) -> int:
        for program in self._programs:
            if program.name.startswith(f"serve-{role}-"):
                return program.pid
        raise StageNotReady(f"The {role} of the shop does not run.")


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """A folder that servers of another account can reach, removed at the end."""
    folder = Path(tempfile.mkdtemp(prefix="packhouse-bench-"))
    folder.chmod(0o711)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@asynccontextmanager
async def open_stage(
    folder: Path, servers: Servers, options: Options, *, say: Say
) -> AsyncIterator[Stage]:
    """Migrate, fill and open the shop; close it at the end."""
    shop_settings = _shop_settings(folder, servers)
    settings = _load(shop_settings)
    await migrate_database(servers.database_url)
    async with open_house(settings, connections=HOUSE_CONNECTIONS) as house:
        await seed_demo_shop(house, say, with_art=False)
        filled = await _fill(house, options, say)
        stage = Stage(
            folder=folder,
            servers=servers,
            house=house,
            shop_settings=shop_settings,
            filled=filled,
            say=say,
        )
        try:
            stage.start_program(("serve", "worker"))
            stage.start_program(("serve", "web"))
            await stage.wait_until_ready()
            await stage.wait_for_relay()
            await _settle_tables(house)
            yield stage
        finally:
            stage.stop_programs()


async def _fill(house: House, options: Options, say: Say) -> Filled:
    said_at = time.monotonic()

    def tell(made: int) -> None:
        nonlocal said_at
        if time.monotonic() - said_at > 2:
            said_at = time.monotonic()
            say(f"Made {made:,} of {options.collectors:,} collectors …")

    say(f"Making {options.collectors:,} collectors with sessions, credits and cards …")
    filled = await fill(
        house,
        slug=PACK,
        collectors=options.collectors,
        openings_each=options.openings_each,
        recorded_nonce=options.recorded_nonce,
        tell=tell,
    )
    say(f"Wrote {filled.rows:,} rows, {filled.rows_per_second:,.0f} a second.")
    return filled


async def _settle_tables(house: House) -> None:
    """Statistics and visibility maps as autovacuum would leave them, before anything is timed."""
    async with house.database.connection() as connection:
        await connection.execute("SET statement_timeout = 0")
        try:
            await connection.execute("VACUUM (ANALYZE)")
            if await is_superuser(connection):
                await connection.execute("CHECKPOINT")
        finally:
            await connection.execute(
                f"SET statement_timeout = {house.settings.database_statement_timeout_ms}"
            )


def _shop_settings(folder: Path, servers: Servers) -> dict[str, str]:
    limits = {
        name: HIGH_LIMIT for name in Settings.__struct_fields__ if name.startswith("rate_limit_")
    }
    keys = {
        name: base64.b64encode(secrets.token_bytes(32)).decode()
        for name in Settings.__struct_fields__
        if name.endswith("_key")
    }
    return {
        **limits,
        **keys,
        "database_url": servers.database_url,
        "cache_url": servers.cache_url,
        "embedded": "true",
        "payment_provider": "demo",
        "demo_accounts": "true",
        "http_host": "127.0.0.1",
        "http_port": str(free_port()),
        "worker_port": "0",
        "media_directory": str(folder / "media"),
        "log_format": "json",
    }


def _load(shop_settings: Overrides) -> Settings:
    # Nothing else of the environment: another shop's settings are not this one's.
    kept = {name: text for name, text in os.environ.items() if not name.startswith("PACKHOUSE_")}
    loaded = load_settings(
        kept, dotenv_path=Path(os.devnull), overrides=shop_settings, required=SERVE_NEEDS
    )
    return loaded.settings


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
    return port


def is_ready(host: str, port: int) -> bool:
    """Whether ``/health/ready`` answers 200 there."""
    connection = http.client.HTTPConnection(host, port, timeout=5)
    try:
        connection.request("GET", "/health/ready")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
