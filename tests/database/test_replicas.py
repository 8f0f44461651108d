"""Reads from real streaming replicas: never behind what was answered, whatever happens to them."""

import asyncio
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from packhouse.plumbing.postgres import Database, DatabaseUnavailable, open_database
from packhouse.plumbing.wal import PrimaryWal
from worlds.forwarding import line_to
from worlds.standby import (
    Primary,
    Server,
    ask,
    asleep_on_a_replica,
    opened,
    running_primary,
    states,
    until,
)


@pytest.fixture(scope="module")
def primary() -> Iterator[Primary]:
    with running_primary() as running:
        asyncio.run(running.ask("CREATE TABLE notes (text text)"))
        asyncio.run(running.ask("CREATE TABLE held AS SELECT 1 AS one"))
        yield running


@pytest.fixture(scope="module")
def replica(primary: Primary) -> Iterator[Server]:
    """One that is paused at the worst; what ends a replica makes its own."""
    with primary.replica() as running:
        yield running


async def write(database: Database, text: str) -> None:
    async with database.transaction() as connection:
        await connection.execute("INSERT INTO notes VALUES ($1)", text)


async def find(database: Database, text: str) -> bool:
    async with database.reading() as connection:
        return bool(await connection.fetchval("SELECT count(*) FROM notes WHERE text = $1", text))


async def is_from_replica(database: Database) -> bool:
    return bool(await ask(database, "SELECT pg_is_in_recovery()"))


async def test_reads_are_answered_by_a_replica(primary: Primary, replica: Server) -> None:
    async with opened(primary, replica) as database:
        assert await is_from_replica(database)
        async with database.reading() as connection:
            row = await connection.fetchrow("SELECT pg_is_in_recovery() AS is_in_recovery")
            rows = await connection.fetch("SELECT pg_is_in_recovery() AS is_in_recovery")
        assert row is not None
        assert row["is_in_recovery"]
        assert rows == [row]


async def test_replicas_take_turns(primary: Primary, replica: Server) -> None:
    with primary.replica() as another:
        async with opened(primary, replica, another) as database:
            ports = [await ask(database, "SELECT inet_server_port()") for _ in range(4)]
    assert set(ports) == {replica.running.port, another.running.port}
    assert ports[:2] == ports[2:]


async def test_without_a_replica_reads_borrow_what_writes_borrow(primary: Primary) -> None:
    async with opened(primary) as database:
        assert type(database) is Database
        async with database.reading() as reading:
            pass
        async with database.connection() as connection:
            assert reading is connection


async def test_every_write_that_was_answered_is_read(primary: Primary, replica: Server) -> None:
    async def write_and_read(user: int) -> None:
        for number in range(40):
            await write(database, f"{user} wrote {number}")
            assert await find(database, f"{user} wrote {number}")

    async with opened(primary, replica) as database:
        await asyncio.gather(*map(write_and_read, range(8)))
        assert database.replicas.reads["replica"] > 0


async def test_a_position_that_was_asked_for_before_a_write_is_not_shared_after_it(
    primary: Primary,
) -> None:
    url = urlsplit(primary.url)
    async with (
        line_to(primary.running.port) as line,
        open_database(
            url._replace(netloc=url.netloc.replace(str(url.port), str(line.port))).geturl(),
            pool_size=2,
            statement_timeout_ms=20_000,
            connect_timeout_seconds=5,
        ) as database,
    ):
        wal = PrimaryWal(database)
        # From now on the question is prepared, and its answer is all that comes.
        await wal.find_position()
        line.hold()
        before = asyncio.create_task(wal.find_position())
        await line.held.wait()
        await primary.ask("INSERT INTO notes VALUES ('written meanwhile')")
        written = await primary.ask("SELECT pg_current_wal_flush_lsn()")
        after = asyncio.create_task(wal.find_position())
        await asyncio.sleep(0)
        line.release()
        assert (await before).reached < written
        assert (await after).reached >= written


async def test_a_write_is_read_through_another_process_while_the_replica_shows_none_of_it(
    primary: Primary, replica: Server
) -> None:
    async with (
        opened(primary, replica, lag_ms_max=100) as here,
        opened(primary, replica, lag_ms_max=100) as there,
    ):
        await replica.pause_replay()
        await write(here, "from here")
        assert await find(there, "from here")
        assert there.replicas.reads["replica"] == 0
        await replica.resume_replay()


async def test_a_replica_that_lags_leaves_the_rotation_and_returns_by_itself(
    primary: Primary, replica: Server
) -> None:
    async with opened(primary, replica, lag_ms_max=50) as database:
        (followed,) = database.replicas.replicas
        await replica.pause_replay()
        await write(database, "unseen there")
        await until(lambda: states(database) == ["behind"])
        assert not await is_from_replica(database)
        await until(lambda: followed.lag_seconds > 0.5)
        assert (followed.lag_bytes or 0) > 0
        await replica.resume_replay()
        await until(lambda: states(database) == ["in_rotation"])
        assert await is_from_replica(database)
        await until(lambda: followed.lag_seconds == 0)


async def test_a_paused_replica_that_misses_nothing_is_read_from(
    primary: Primary, replica: Server
) -> None:
    async with opened(primary, replica) as database:
        await until(lambda: database.replicas.replicas[0].lag_bytes == 0)
        await replica.pause_replay()
        assert await find(database, "never written") is False
        await replica.resume_replay()


async def test_a_read_that_recovery_ends_is_answered_by_the_primary(
    primary: Primary, replica: Server
) -> None:
    await replica.ask("ALTER SYSTEM SET max_standby_streaming_delay = 0")
    await replica.ask("SELECT pg_reload_conf()")
    async with opened(primary, replica) as database:
        reading = await asleep_on_a_replica(database, replica)
        # Its lock ends whatever reads the table on a replica that must not wait.
        await primary.ask("ALTER TABLE held ADD COLUMN another int")
        assert await reading == "the primary"
        assert database.replicas.reads["failed"] == 1


async def test_a_question_that_is_wrong_is_told_so_by_the_replica(
    primary: Primary, replica: Server
) -> None:
    async with opened(primary, replica) as database:
        with pytest.raises(Exception, match="division by zero"):
            await ask(database, "SELECT 1 / 0")
        assert database.replicas.reads["failed"] == 0
        assert await is_from_replica(database)


async def test_a_read_that_takes_too_long_is_not_asked_again(
    primary: Primary, replica: Server
) -> None:
    async with opened(primary, replica, statement_timeout_ms=100) as database:
        with pytest.raises(DatabaseUnavailable):
            await ask(database, "SELECT pg_sleep(60)")
        assert database.replicas.reads["failed"] == 0


async def test_who_stops_reading_half_way_leaves_no_connection_behind(
    primary: Primary, replica: Server
) -> None:
    async with opened(primary, replica) as database:
        for _ in range(8):
            reading = await asleep_on_a_replica(database, replica)
            reading.cancel()
            await asyncio.wait([reading])
        assert await is_from_replica(database)


async def test_no_more_connections_go_to_a_replica_than_to_the_primary(
    primary: Primary, replica: Server
) -> None:
    async with opened(primary, replica, pool_size=3) as database:
        await asyncio.gather(*(is_from_replica(database) for _ in range(50)))
        shop = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'packhouse'"
        assert await replica.ask(shop) == 3
