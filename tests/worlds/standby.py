"""A real streaming replica: the primary's cluster copied by ``pg_basebackup``, then following it.

Servers of their own, apart from those of the other tests: they are paused, frozen, killed and
promoted.
"""

import asyncio
import os
import shutil
import signal
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any, Final, cast
from urllib.parse import urlsplit

import asyncpg

from packhouse.plumbing.embedded import EmbeddedServer, start_postgres, start_standby
from packhouse.plumbing.migrations import migrate
from packhouse.plumbing.postgres import Database
from packhouse.plumbing.replicas import ReplicatedDatabase, open_databases

QUICK: Final[Mapping[str, str]] = {
    # Nothing here has to survive the machine. Commits still are in the log before their answer.
    "fsync": "off",
    "full_page_writes": "off",
    "shared_buffers": "32MB",
}
PATIENCE_SECONDS: Final = 30.0
ASLEEP_ON_A_REPLICA: Final = (
    "SELECT CASE WHEN pg_is_in_recovery() THEN pg_sleep(60)::text ELSE 'the primary' END FROM held"
)
"""What only ever the primary answers: one row of a table that is locked for as long."""

_numbers = count(1)


class Server:
    """A server of PostgreSQL in a folder of its own; it keeps its address when it starts again."""

    def __init__(self, launch: Callable[[], EmbeddedServer]) -> None:
        self._launch = launch
        self._frozen: Sequence[int] = ()
        self.running = launch()

    def start(self) -> None:
        """Start it again after it was killed."""
        self.running = self._launch()

    @property
    def url(self) -> str:
        return self.running.url

    def url_of(self, database: str) -> str:
        return self.url.rsplit("/", 1)[0] + f"/{database}"

    def kill(self) -> None:
        """End it as a power cut would, its backends with it."""
        everyone = self._list_everyone()
        _send(signal.SIGKILL, everyone)
        self.running.stop()
        while any(Path(f"/proc/{pid}").exists() for pid in everyone):
            time.sleep(0.01)

    def freeze(self) -> None:
        """Let it do nothing any more, not even say goodbye."""
        self._frozen = self._list_everyone()
        _send(signal.SIGSTOP, self._frozen)

    def thaw(self) -> None:
        _send(signal.SIGCONT, self._frozen)
        self._frozen = ()

    def _list_everyone(self) -> list[int]:
        pid = self.running.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return [pid, *map(int, children)]

    def stop(self) -> None:
        self.thaw()
        self.running.stop()

    async def ask(self, statement: str, database: str = "packhouse") -> Any:  # noqa: ANN401 - any column
        """The first value of a statement, asked past the shop."""
        connection = await asyncpg.connect(self.url_of(database))
        try:
            return await connection.fetchval(statement)
        finally:
            await connection.close()

    async def pause_replay(self) -> None:
        """Receive what the primary writes, and show none of it."""
        await self.ask("SELECT pg_wal_replay_pause()")
        while await self.ask("SELECT pg_get_wal_replay_pause_state()") != "paused":
            pass

    async def resume_replay(self) -> None:
        await self.ask("SELECT pg_wal_replay_resume()")

    async def promote(self) -> None:
        """Make it a primary of its own."""
        assert await self.ask("SELECT pg_promote()")

    async def follow(self, primary: "Server") -> None:
        """Make it a replica of another primary than it was."""
        await self.ask(f"ALTER SYSTEM SET primary_conninfo = '{_conninfo(primary.url)}'")
        await self.ask("SELECT pg_reload_conf()")


class Primary(Server):
    """A primary with a migrated database to copy, and replicas made of it."""

    def __init__(self, directory: Path) -> None:
        super().__init__(
            partial(start_postgres, directory / "primary", announce=_quietly, settings=QUICK)
        )
        self._root = directory

    async def migrate(self) -> None:
        """Make its database one that ``make_shop_url`` copies."""
        connection = await asyncpg.connect(self.url)
        await migrate(connection)
        await connection.close()

    async def make_shop_url(self) -> str:
        """Where a new migrated database is."""
        name = f"shop_{next(_numbers)}"
        await self.ask(f"CREATE DATABASE {name} TEMPLATE packhouse STRATEGY wal_log", "postgres")
        return self.url_of(name)

    @contextmanager
    def replica(self) -> Iterator[Server]:
        """A new replica, following."""
        directory = self._root / f"replica-{next(_numbers)}"
        replica = Server(
            partial(
                start_standby,
                directory,
                primary_url=self.url,
                announce=_quietly,
                settings=QUICK,
            )
        )
        try:
            yield replica
        finally:
            replica.stop()


@contextmanager
def running_primary() -> Iterator[Primary]:
    # Not below pytest's own folder: root's PostgreSQL runs as an account that cannot enter there.
    folder = Path(tempfile.mkdtemp(prefix="packhouse-replicas-"))
    folder.chmod(0o711)
    primary = Primary(folder)
    try:
        yield primary
    finally:
        primary.stop()
        shutil.rmtree(folder)


@asynccontextmanager
async def opened(
    primary: Server,
    *replicas: Server,
    is_awaited: bool = True,
    lag_ms_max: int = 1000,
    pool_size: int = 4,
    statement_timeout_ms: int = 120_000,
    account: str | None = None,
    replica_database: str = "packhouse",
    replica_port: int | None = None,
) -> AsyncIterator[ReplicatedDatabase]:
    """The shop's way to these servers; all replicas are read from, where that is awaited."""

    def url_of(server: Server, database: str = "packhouse", port: int | None = None) -> str:
        parts = urlsplit(server.url_of(database))
        who = f"{parts.username}:{parts.password}" if account is None else f"{account}:{account}"
        return parts._replace(netloc=f"{who}@127.0.0.1:{port or parts.port}").geturl()

    async with open_databases(
        url_of(primary),
        [url_of(replica, replica_database, replica_port) for replica in replicas],
        pool_size=pool_size,
        replica_lag_ms_max=lag_ms_max,
        statement_timeout_ms=statement_timeout_ms,
        connect_timeout_seconds=5,
    ) as database:
        if is_awaited:
            await until(lambda: states(database) == ["in_rotation"] * len(replicas))
        yield cast("ReplicatedDatabase", database)


async def ask(database: Database, query: str) -> object:
    async with database.reading() as connection:
        return await connection.fetchval(query)


async def asleep_on_a_replica(
    database: ReplicatedDatabase, replica: Server
) -> "asyncio.Task[object]":
    """A read that a replica has begun to answer, and will not end."""
    reading = asyncio.create_task(ask(database, ASLEEP_ON_A_REPLICA))
    while not await replica.ask(
        "SELECT count(*) FROM pg_stat_activity WHERE query ~ '^SELECT CAS'"
    ):
        assert not reading.done()
    return reading


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not holds():  # noqa: ASYNC110 - what servers do sets no event of ours
            await asyncio.sleep(0.01)


def states(database: Database) -> list[str]:
    """How the shop sees each replica."""
    if not isinstance(database, ReplicatedDatabase):
        return []
    return [replica.state for replica in database.replicas.replicas]


def _send(wanted: signal.Signals, pids: Sequence[int]) -> None:
    for pid in pids:
        # Some backends may have been just about to end.
        with suppress(ProcessLookupError):
            os.kill(pid, wanted)


def _conninfo(url: str) -> str:
    parts = urlsplit(url)
    return (
        f"host={parts.hostname} port={parts.port} user={parts.username} password={parts.password}"
    )


def _quietly(_: str) -> None:
    """Say nothing of the servers' start."""
