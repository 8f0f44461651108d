"""The servers under the shop: embedded ones with production's durability, or those one names.

With PACKHOUSE_DATABASE_URL the bench makes a database of its own on that server, whose role must be
allowed to, and drops it at the end: nothing of a real shop is ever touched. Durability is checked
there, not assumed.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit, urlunsplit

import msgspec

from packhouse.foundation.errors import Outage
from packhouse.plumbing.embedded import start_postgres, start_valkey
from packhouse.plumbing.embedded.places import Announce
from packhouse.plumbing.postgres import Connection, open_database
from packhouse.plumbing.settings import Settings

DURABLE: Final = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}
"""What every figure is measured with."""

POSTGRES_SETTINGS: Final = {
    **DURABLE,
    "max_connections": "320",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "15min",
    "shared_buffers": "512MB",
    "pg_stat_statements.max": "10000",
    "pg_stat_statements.track_utility": "off",
}
"""Beyond the embedded defaults: room for 256 clients of pgbench, and a checkpoint now and then."""


class NotDurable(Outage):
    """The named server would answer before a commit is on its disk, so its figures mean nothing."""

    code = "bench_not_durable"


class Servers(msgspec.Struct, frozen=True):
    """Where PostgreSQL and Valkey are; the URLs hold passwords."""

    database_url: str
    cache_url: str
    is_embedded: bool


@contextmanager
def bench_servers(folder: Path, settings: Settings, *, announce: Announce) -> Iterator[Servers]:
    """Start or find the servers, in the main thread, and clean up at the end."""
    with bench_postgres(folder, settings, announce=announce) as (database_url, is_embedded):
        if settings.cache_url is not None:
            yield Servers(database_url, settings.cache_url.reveal(), is_embedded)
            return
        valkey = start_valkey(folder / "valkey", announce=announce, max_memory_mib=256)
        try:
            yield Servers(database_url, valkey.url, is_embedded)
        finally:
            valkey.stop()


@contextmanager
def bench_postgres(
    folder: Path, settings: Settings, *, announce: Announce
) -> Iterator[tuple[str, bool]]:
    """The URL of a database of our own, and whether its server is embedded."""
    if settings.database_url is None:
        server = start_postgres(folder / "postgres", announce=announce, settings=POSTGRES_SETTINGS)
        try:
            yield server.url, True
        finally:
            server.stop()
        return
    named = settings.database_url.reveal()
    database = f"packhouse_bench_{secrets.token_hex(4)}"
    announce(f"Creating the database {database} on the server of PACKHOUSE_DATABASE_URL …")
    asyncio.run(_create_database(named, database))
    try:
        yield urlunsplit(urlsplit(named)._replace(path=f"/{database}")), False
    finally:
        asyncio.run(_run(named, f"DROP DATABASE IF EXISTS {database} WITH (FORCE)"))


@asynccontextmanager
async def further_database(servers: Servers) -> AsyncIterator[str]:
    """The URL of one more empty database on the bench's server, dropped at the end."""
    database = f"packhouse_bench_{secrets.token_hex(4)}"
    await _create_database(servers.database_url, database)
    try:
        yield urlunsplit(urlsplit(servers.database_url)._replace(path=f"/{database}"))
    finally:
        await _run(servers.database_url, f"DROP DATABASE IF EXISTS {database} WITH (FORCE)")


async def _create_database(url: str, database: str) -> None:
    async with _connection(url) as connection:
        for name, wanted in DURABLE.items():
            found = await connection.fetchval("SELECT current_setting($1)", name)
            if found not in {wanted, "remote_apply", "remote_write", "local"}:
                raise NotDurable(
                    f"The server of PACKHOUSE_DATABASE_URL has {name} = {found}; the bench measures"
                    " durable commits only. Set it to on."
                )
        await connection.execute(f"CREATE DATABASE {database}")


async def _run(url: str, statement: str) -> None:
    async with _connection(url) as connection:
        await connection.execute(statement)


@asynccontextmanager
async def _connection(url: str) -> AsyncIterator[Connection]:
    async with (
        open_database(
            url, pool_size=1, statement_timeout_ms=60_000, connect_timeout_seconds=10
        ) as database,
        database.connection() as connection,
    ):
        yield connection
