# ruff: noqa: INP001, T201 - a script beside the product, no part of a package
"""What a replica takes off the primary, and what a read pays for it: in one run and in turns.

    .venv/bin/python bench/replica_reads.py

Pages of vaults are read from the primary alone, and from one replica by the shop's own way: so many
tasks at a time, while somebody writes or nobody does. Both servers and this program share the same
cores, so what counts is the primary's processor time for each read, and how long a read takes.
"""

import asyncio
import os
import shutil
import tempfile
import time
from contextlib import suppress
from itertools import count
from pathlib import Path
from statistics import median

import msgspec
import uvloop

from packhouse.bench.bulk import load_bulk, settle_bulk
from packhouse.bench.bulk_shop import BulkShop
from packhouse.bench.processor import processor_seconds_of
from packhouse.foundation.identifiers import UserId
from packhouse.plumbing.embedded import EmbeddedServer, start_postgres, start_standby
from packhouse.plumbing.schema_state import migrate_database
from packhouse.plumbing.postgres import Database
from packhouse.plumbing.replicas import ReplicatedDatabase, open_databases
from packhouse.vault import VaultFilter, list_vault_page

SHOP = BulkShop(user_cards=80_000)
READERS = (1, 16, 64)
WRITES_A_SECOND = (0, 100)
SECONDS = 2.0
ROUNDS = 5
PAGE = 20


class Turn(msgspec.Struct):
    """What one turn showed; times in microseconds."""

    reads_a_second: float
    median_us: float
    p99_us: float
    primary_us: float
    replica_us: float


async def turn(
    database: Database, servers: dict[str, EmbeddedServer], *, readers: int, writes: int
) -> Turn:
    """Read for a while with so many tasks."""
    took: list[float] = []
    numbers = count()
    until = time.perf_counter() + SECONDS

    async def read() -> None:
        while (begun := time.perf_counter()) < until:
            user = UserId(SHOP.user_id(1 + next(numbers) * 7919 % (SHOP.users - 1)))
            async with database.reading() as connection:
                await list_vault_page(
                    connection, user_id=user, wanted=VaultFilter(), after=None, limit=PAGE
                )
            took.append(time.perf_counter() - begun)

    async def write() -> None:
        while writes:
            async with database.transaction() as connection:
                await connection.execute("INSERT INTO noise VALUES (repeat('x', 2000))")
            await asyncio.sleep(1 / writes)

    pids = {name: server.pid for name, server in servers.items()}
    writing = asyncio.create_task(write())
    before, begun = processor_seconds_of(pids), time.perf_counter()
    await asyncio.gather(*(read() for _ in range(readers)))
    after, ended = processor_seconds_of(pids), time.perf_counter()
    writing.cancel()
    with suppress(asyncio.CancelledError):
        await writing
    took.sort()
    each = 1_000_000 / len(took)
    return Turn(
        reads_a_second=len(took) / (ended - begun),
        median_us=took[len(took) // 2] * 1_000_000,
        p99_us=took[len(took) * 99 // 100] * 1_000_000,
        primary_us=(after["primary"] - before["primary"]) * each,
        replica_us=(after["replica"] - before["replica"]) * each,
    )


async def measure(servers: dict[str, EmbeddedServer]) -> None:
    """Print the medians of all rounds."""
    options = {"statement_timeout_ms": 10_000, "connect_timeout_seconds": 5}
    url, replica_url = servers["primary"].url, servers["replica"].url
    async with (
        open_databases(url, [], pool_size=10, replica_lag_ms_max=100, **options) as alone,
        open_databases(
            url, [replica_url], pool_size=10, replica_lag_ms_max=100, **options
        ) as shared,
    ):
        assert isinstance(shared, ReplicatedDatabase)
        while shared.list_replicas()[0].state != "in_rotation":
            await asyncio.sleep(0.05)
        for writes in WRITES_A_SECOND:
            for readers in READERS:
                turns: dict[str, list[Turn]] = {"primary alone": [], "with a replica": []}
                shared.replicas.reads.clear()
                for _ in range(ROUNDS):
                    for name, database in (("primary alone", alone), ("with a replica", shared)):
                        turns[name].append(
                            await turn(database, servers, readers=readers, writes=writes)
                        )
                print(f"{readers} readers, {writes} writes a second; {dict(shared.replicas.reads)}")
                for name, seen in turns.items():
                    told = "  ".join(
                        f"{field} {median(getattr(each, field) for each in seen):,.0f}"
                        for field in Turn.__struct_fields__
                    )
                    print(f"  {name:15} {told}")


async def fill(url: str) -> None:
    """Make the shop."""
    await migrate_database(url)
    async with (
        open_databases(
            url,
            [],
            pool_size=2,
            replica_lag_ms_max=100,
            statement_timeout_ms=600_000,
            connect_timeout_seconds=5,
        ) as database,
        database.connection() as connection,
        database.connection() as another,
    ):
        await load_bulk((connection, another), SHOP)
        await settle_bulk(connection)
        await connection.execute("CREATE TABLE noise (text text)")


def main() -> None:
    """On servers of its own in a temporary folder."""
    folder = Path(tempfile.mkdtemp(prefix="packhouse-replica-"))
    folder.chmod(0o711)
    print(f"{os.cpu_count()} cores")
    servers: dict[str, EmbeddedServer] = {}
    try:
        servers["primary"] = start_postgres(folder / "primary", announce=print)
        asyncio.run(fill(servers["primary"].url))
        servers["replica"] = start_standby(
            folder / "replica", primary_url=servers["primary"].url, announce=print
        )
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(measure(servers))
    finally:
        for server in reversed(servers.values()):
            server.stop()
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
