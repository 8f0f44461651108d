"""The pool of connections: bounded, in order, and nothing dirty is ever lent to the next."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import asyncpg
import pytest

from packhouse.plumbing.postgres import (
    Connection,
    Database,
    DatabaseBusy,
    DatabaseUnavailable,
    open_database,
)

NOT_LONG = 20.0


@asynccontextmanager
async def pool_of(
    url: str, size: int, *, waiting_max: int = 100, wait_seconds_max: float = NOT_LONG
) -> AsyncIterator[Database]:
    async with open_database(
        url,
        pool_size=size,
        statement_timeout_ms=20_000,
        connect_timeout_seconds=5,
        waiting_max=waiting_max,
        wait_seconds_max=wait_seconds_max,
    ) as database:
        yield database


async def ask(database: Database, query: str = "SELECT pg_backend_pid()") -> int:
    async with database.connection() as connection:
        return int(await connection.fetchval(query))


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(NOT_LONG):
        while not await holds():  # noqa: ASYNC110 - PostgreSQL sets no event of ours
            await asyncio.sleep(0.01)


async def standing_in_line(database: Database, count: int) -> None:
    async def is_so() -> bool:
        return database._pool.waiting == count

    await until(is_so)


async def backends_of(url: str) -> list[int]:
    """The other sessions on the database, by their process ids."""
    connection = await asyncpg.connect(url)
    rows = await connection.fetch(
        "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
        " AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
    )
    await connection.close()
    return [row["pid"] for row in rows]


async def test_there_are_never_more_connections_than_the_pool_is_large(database_url: str) -> None:
    async with pool_of(database_url, 3) as database:
        used = await asyncio.gather(
            *(ask(database, "SELECT pg_backend_pid() FROM pg_sleep(0.01)") for _ in range(40))
        )
        assert len(set(used)) == 3
        assert sorted(await backends_of(database_url)) == sorted(set(used))


async def test_a_connection_is_opened_only_when_none_lies_idle(database_url: str) -> None:
    async with pool_of(database_url, 10) as database:
        assert len({await ask(database) for _ in range(20)}) == 1
        assert len(await backends_of(database_url)) == 2


async def test_who_came_first_is_served_first(database_url: str) -> None:
    served: list[int] = []

    async def wait(number: int) -> None:
        async with database.connection():
            served.append(number)

    async with pool_of(database_url, 1) as database:
        async with database.connection():
            tasks = []
            for number in range(5):
                tasks.append(asyncio.create_task(wait(number)))
                await standing_in_line(database, number + 1)
        await asyncio.gather(*tasks)
    assert served == list(range(5))


async def test_who_works_for_many_goes_ahead_even_of_a_full_line(database_url: str) -> None:
    served: list[str] = []

    async def wait(name: str, *, ahead: bool) -> None:
        async with database.connection(ahead=ahead):
            served.append(name)

    async with pool_of(database_url, 1, waiting_max=1) as database:
        async with database.connection():
            reader = asyncio.create_task(wait("reader", ahead=False))
            await standing_in_line(database, 1)
            lane = asyncio.create_task(wait("lane", ahead=True))
            await standing_in_line(database, 2)
        await asyncio.gather(reader, lane)
    assert served == ["lane", "reader"]


async def test_who_finds_the_line_full_is_told_at_once_and_those_in_it_are_served(
    database_url: str,
) -> None:
    async with pool_of(database_url, 1, waiting_max=2) as database:
        async with database.connection():
            patient = [asyncio.create_task(ask(database)) for _ in range(2)]
            await standing_in_line(database, 2)
            with pytest.raises(DatabaseBusy):
                await ask(database)
        assert len(set(await asyncio.gather(*patient))) == 1
        assert await ask(database)


async def test_nobody_waits_longer_than_one_may(database_url: str) -> None:
    async with pool_of(database_url, 1, wait_seconds_max=0.05) as database:
        async with database.connection():
            with pytest.raises(DatabaseBusy):
                await ask(database)
        assert database._pool.waiting == 0
        assert await ask(database)


async def test_who_gives_up_waiting_leaves_the_line_to_the_others(database_url: str) -> None:
    async with pool_of(database_url, 1) as database:
        async with database.connection():
            leaving = asyncio.create_task(ask(database))
            staying = asyncio.create_task(ask(database))
            await standing_in_line(database, 2)
            leaving.cancel()
            await standing_in_line(database, 1)
        assert await staying
        with pytest.raises(asyncio.CancelledError):
            await leaving


async def test_a_connection_handed_to_somebody_who_is_just_leaving_goes_to_the_next(
    database_url: str,
) -> None:
    async with pool_of(database_url, 1) as database:
        lent = database.connection()
        await lent.__aenter__()
        leaving = asyncio.create_task(ask(database))
        staying = asyncio.create_task(ask(database))
        await standing_in_line(database, 2)
        # In this order and without a pause between them: it has the connection when it is told.
        await lent.__aexit__(None, None, None)
        leaving.cancel()
        assert await staying
        with pytest.raises(asyncio.CancelledError):
            await leaving
        assert await ask(database)


async def test_a_cancelled_query_is_ended_and_nobody_inherits_its_connection(
    database_url: str,
) -> None:
    async with pool_of(database_url, 1) as database:
        before = await ask(database)
        slow = asyncio.create_task(ask(database, "SELECT 1 FROM pg_sleep(60)"))
        await asyncio.sleep(0.1)
        slow.cancel()
        with pytest.raises(asyncio.CancelledError):
            await slow
        assert await ask(database) != before
        assert len(await backends_of(database_url)) == 1


async def test_a_cancelled_transaction_leaves_no_row_and_no_lock(database_url: str) -> None:
    async def write(seconds: float) -> None:
        async with database.transaction() as connection:
            await connection.execute("INSERT INTO shelf VALUES (1)")
            await connection.execute(f"SELECT pg_sleep({seconds})")

    async with pool_of(database_url, 2) as database:
        async with database.connection() as connection:
            await connection.execute("CREATE TABLE shelf (id integer PRIMARY KEY)")
        for pause in (0.0, 0.001, 0.01, 0.1):
            task = asyncio.create_task(write(60))
            await asyncio.wait([task], timeout=pause)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            assert await ask(database, "SELECT count(*) FROM shelf") == 0
        await write(0)
        assert await ask(database, "SELECT count(*) FROM shelf") == 1


async def test_many_cancellations_at_any_moment_leave_a_whole_pool(database_url: str) -> None:
    async with pool_of(database_url, 4) as database:
        tasks = [
            asyncio.create_task(ask(database, "SELECT 1 FROM pg_sleep(0.005)")) for _ in range(60)
        ]
        for number, task in enumerate(tasks):
            if number % 3:
                await asyncio.sleep(0.001)
                task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        used = await asyncio.gather(
            *(ask(database, "SELECT pg_backend_pid() FROM pg_sleep(0.05)") for _ in range(8))
        )
        assert len(set(used)) == 4
        assert len(await backends_of(database_url)) == 4


async def test_a_transaction_that_was_left_open_is_rolled_back(database_url: str) -> None:
    async with pool_of(database_url, 1) as database:
        async with database.connection() as connection:
            await connection.execute("CREATE TABLE shelf (id integer)")
        async with database.connection() as connection:
            await connection.execute("BEGIN; INSERT INTO shelf VALUES (1)")
        assert await ask(database, "SELECT count(*) FROM shelf") == 0


async def test_what_a_refusal_ended_is_lent_again(database_url: str) -> None:
    async with pool_of(database_url, 1) as database:
        before = await ask(database)
        with pytest.raises(ZeroDivisionError):
            async with database.transaction():
                raise ZeroDivisionError
        with pytest.raises(asyncpg.UndefinedTableError):
            await ask(database, "SELECT 1 FROM nowhere")
        assert await ask(database) == before


async def test_killed_connections_are_replaced(database_url: str) -> None:
    async with pool_of(database_url, 3) as database:
        await asyncio.gather(*(ask(database, "SELECT 1 FROM pg_sleep(0.02)") for _ in range(3)))
        victims = await backends_of(database_url)
        assert len(victims) == 3
        admin = await asyncpg.connect(database_url)
        await admin.executemany("SELECT pg_terminate_backend($1)", [(pid,) for pid in victims])
        await admin.close()

        async def is_well() -> bool:
            with suppress(DatabaseUnavailable):
                return await ask(database) not in victims
            return False

        await until(is_well)
        used = await asyncio.gather(
            *(ask(database, "SELECT pg_backend_pid() FROM pg_sleep(0.05)") for _ in range(6))
        )
        assert len(set(used)) == 3


async def test_a_connection_killed_under_its_borrower_is_an_outage_and_frees_its_place(
    database_url: str,
) -> None:
    async def die(connection: Connection) -> None:
        await connection.execute("SELECT pg_terminate_backend(pg_backend_pid())")

    async with pool_of(database_url, 1) as database:
        for _ in range(3):
            with pytest.raises(DatabaseUnavailable):
                async with database.connection() as connection:
                    await die(connection)
        assert await ask(database)


async def test_a_refused_connection_does_not_cost_the_pool_a_place(database_url: str) -> None:
    place, name = database_url.rsplit("/", 1)
    admin = await asyncpg.connect(f"{place}/postgres")
    async with (
        pool_of(database_url, 3) as database,
        database.connection(),
        database.connection(),
    ):
        await admin.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        for _ in range(5):
            with pytest.raises(asyncpg.ObjectNotInPrerequisiteStateError):
                await ask(database)
        await admin.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
        assert await ask(database)
    await admin.close()


async def test_closing_waits_for_what_is_lent_and_lends_no_more(database_url: str) -> None:
    async with pool_of(database_url, 2) as database:
        async with database.connection() as connection:
            closing = asyncio.create_task(database.close())
            await asyncio.sleep(0.05)
            with pytest.raises(DatabaseUnavailable):
                await ask(database)
            assert await connection.fetchval("SELECT 1") == 1
            assert not closing.done()
        await closing
    assert await backends_of(database_url) == []


async def test_a_database_that_is_away_is_told_when_the_pool_is_opened(database_url: str) -> None:
    with pytest.raises(DatabaseUnavailable):
        async with pool_of("postgresql://nobody@127.0.0.1:1/nothing", 2):
            pass
