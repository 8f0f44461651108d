"""Replicas that are none any more: promoted, on another timeline, of another shop, of several."""

import asyncio
from collections.abc import Iterator

import pytest

from packhouse.foundation.limits import REPLICA_LOOK_SECONDS
from worlds.forwarding import line_to
from worlds.standby import Primary, Server, opened, running_primary, states, until

pytestmark = pytest.mark.scale

SEVERAL_LOOKS = 4
WHERE = "SELECT inet_server_port()"


@pytest.fixture
def primary() -> Iterator[Primary]:
    with running_primary() as running:
        asyncio.run(running.ask("CREATE TABLE notes (text text)"))
        yield running


async def test_a_promoted_replica_is_read_from_no_more(primary: Primary) -> None:
    with primary.replica() as replica:
        async with opened(primary, replica) as database:
            await replica.promote()
            await until(lambda: states(database) == ["promoted"])
            await replica.ask("INSERT INTO notes VALUES ('of another history')")
            for _ in range(SEVERAL_LOOKS):
                async with database.reading() as connection:
                    assert await connection.fetch("SELECT text FROM notes") == []
                await asyncio.sleep(REPLICA_LOOK_SECONDS)
            await primary.ask("INSERT INTO notes VALUES ('of ours')")
            async with database.reading() as connection:
                assert await connection.fetchval("SELECT text FROM notes") == "of ours"
            assert states(database) == ["promoted"]


@pytest.mark.parametrize("account", [None, "shop"])
async def test_after_a_failover_a_replica_is_read_from_when_it_follows_the_new_primary(
    primary: Primary, account: str | None
) -> None:
    if account is not None:
        await primary.ask(f"CREATE ROLE {account} LOGIN PASSWORD '{account}'")
        await primary.ask(f"GRANT ALL ON notes TO {account}")
        await primary.ask(f"GRANT pg_read_all_stats TO {account}")
    with primary.replica() as heir, primary.replica() as left:
        primary.kill()
        await heir.promote()
        async with opened(heir, left, account=account, is_awaited=False) as database:
            await until(lambda: states(database) == ["diverged"])
            await left.follow(heir)
            await until(lambda: states(database) == ["in_rotation"])
            async with database.transaction() as connection:
                await connection.execute("INSERT INTO notes VALUES ('after the failover')")
            async with database.reading() as connection:
                assert await connection.fetchval(WHERE) == left.running.port
                assert await connection.fetchval("SELECT text FROM notes") == "after the failover"
        primary.start()


async def test_a_replica_that_is_ahead_of_the_new_primary_is_never_read_from(
    primary: Primary,
) -> None:
    with primary.replica() as heir, primary.replica() as ahead:
        heir.kill()
        # Far more than the new primary will have written when it is asked where it is.
        await primary.ask(
            "INSERT INTO notes SELECT repeat('lost', 1000) FROM generate_series(1, 500)"
        )
        await until_replayed(primary, ahead)
        primary.kill()
        heir.start()
        await heir.promote()
        async with opened(heir, ahead, is_awaited=False) as database:
            await until(lambda: states(database) == ["diverged"])
            async with database.transaction() as connection:
                await connection.execute("INSERT INTO notes VALUES ('kept')")
            for _ in range(SEVERAL_LOOKS):
                async with database.reading() as connection:
                    assert await connection.fetchval("SELECT min(text) FROM notes") == "kept"
                await asyncio.sleep(REPLICA_LOOK_SECONDS)
            assert states(database) == ["diverged"]
        primary.start()


async def test_who_may_not_see_the_timeline_waits_for_a_checkpoint_of_the_replica(
    primary: Primary,
) -> None:
    await primary.ask("CREATE ROLE plain LOGIN PASSWORD 'plain'")
    with primary.replica() as heir, primary.replica() as left:
        primary.kill()
        await heir.promote()
        await left.follow(heir)
        async with opened(heir, left, account="plain", is_awaited=False) as database:
            await heir.ask("CHECKPOINT")
            await until(lambda: states(database) == ["diverged"])
            # A restartpoint: its control file knows the timeline from now on.
            await until_replayed(heir, left)
            await left.ask("CHECKPOINT")
            await until(lambda: states(database) == ["in_rotation"])
        primary.start()


async def test_another_database_is_no_replica(primary: Primary) -> None:
    with primary.replica() as replica:
        async with opened(
            primary, replica, replica_database="postgres", is_awaited=False
        ) as database:
            await until(lambda: states(database) == ["unrelated"])
            async with database.reading() as connection:
                assert await connection.fetchval(WHERE) == primary.running.port


async def test_another_cluster_is_no_replica(primary: Primary) -> None:
    with (
        running_primary() as stranger,
        stranger.replica() as replica,
    ):
        async with opened(primary, replica, is_awaited=False) as database:
            await until(lambda: states(database) == ["unrelated"])
            async with database.reading() as connection:
                assert await connection.fetchval(WHERE) == primary.running.port


async def test_an_address_of_several_servers_is_read_from_at_none_but_the_one_that_is_known(
    primary: Primary,
) -> None:
    with primary.replica() as known, primary.replica() as other:
        await other.pause_replay()
        async with (
            line_to(known.running.port, other.running.port) as line,
            opened(primary, known, replica_port=line.port, pool_size=5) as database,
        ):
            await primary.ask("INSERT INTO notes VALUES ('seen by one')")
            for _ in range(8):
                async with database.reading() as connection:
                    assert await connection.fetchval("SELECT text FROM notes") == "seen by one"
        await other.resume_replay()


async def until_replayed(primary: Server, replica: Server) -> None:
    reached = await primary.ask("SELECT pg_current_wal_flush_lsn()")
    async with asyncio.timeout(30):
        while await replica.ask("SELECT pg_last_wal_replay_lsn()") < reached:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
