# ruff: noqa: INP001, T201 - a script beside the product, no part of a package
"""What borrowing a connection costs: our pool beside asyncpg's own, in one run and in turns.

    .venv/bin/python bench/pool.py

Each reads one row by its key, over and over, by so many tasks at a time on ten connections: the
most that the pool can matter for. The stock pool is measured with its reset query and, as the shop
ran it before, with that query replaced by nothing.
"""

import asyncio
import shutil
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from statistics import median

import asyncpg
import uvloop

from packhouse.plumbing.embedded import start_postgres
from packhouse.plumbing.postgres import open_database

CONNECTIONS = 10
READERS = (1, 10, 64)
SECONDS = 1.0
ROUNDS = 5
QUERY = "SELECT name FROM shelf WHERE id = $1"


async def nothing(_connection: object) -> None:
    """In place of the reset query."""


async def reads_a_second(read: Callable[[], Awaitable[object]], readers: int) -> float:
    """How many reads ``readers`` tasks get done in a second."""
    until = time.perf_counter() + SECONDS
    done = 0

    async def go_on() -> None:
        nonlocal done
        while time.perf_counter() < until:
            await read()
            done += 1

    begun = time.perf_counter()
    await asyncio.gather(*(go_on() for _ in range(readers)))
    return done / (time.perf_counter() - begun)


async def measure(url: str) -> None:
    """Print the medians of all rounds, and the ratios."""
    async with (
        open_database(
            url, pool_size=CONNECTIONS, statement_timeout_ms=10_000, connect_timeout_seconds=5
        ) as ours,
        asyncpg.create_pool(url, min_size=2, max_size=CONNECTIONS) as stock,
        asyncpg.create_pool(url, min_size=2, max_size=CONNECTIONS, reset=nothing) as bare,
    ):

        async def read_ours() -> object:
            async with ours.connection() as connection:
                return await connection.fetchrow(QUERY, 7)

        async def read_stock() -> object:
            async with stock.acquire() as connection:
                return await connection.fetchrow(QUERY, 7)

        async def read_bare() -> object:
            async with bare.acquire() as connection:
                return await connection.fetchrow(QUERY, 7)

        contenders = {"ours": read_ours, "stock": read_stock, "stock, no reset": read_bare}
        for readers in READERS:
            rates: dict[str, list[float]] = {name: [] for name in contenders}
            for _ in range(ROUNDS):
                for name, read in contenders.items():
                    rates[name].append(await reads_a_second(read, readers))
            middle = {name: median(each) for name, each in rates.items()}
            told = ", ".join(f"{name} {rate:,.0f}/s" for name, rate in middle.items())
            ratios = ", ".join(
                f"{middle['ours'] / rate:.2f} times {name}"
                for name, rate in middle.items()
                if name != "ours"
            )
            print(f"{readers:3} readers: {told}; ours is {ratios}")


async def run(url: str) -> None:
    """Make the table and measure."""
    connection = await asyncpg.connect(url)
    await connection.execute(
        "CREATE TABLE shelf (id integer PRIMARY KEY, name text);"
        "INSERT INTO shelf SELECT n, 'card ' || n FROM generate_series(1, 1000) AS n"
    )
    await connection.close()
    await measure(url)


def main() -> None:
    """On a PostgreSQL of its own in a temporary folder."""
    folder = Path(tempfile.mkdtemp(prefix="packhouse-pool-"))
    folder.chmod(0o711)
    server = start_postgres(folder / "postgres", announce=print)
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(run(server.url))
    finally:
        server.stop()
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
