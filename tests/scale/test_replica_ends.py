"""Replicas and primaries that die, freeze and come back, while somebody reads."""

import asyncio
from collections.abc import Iterator
from contextlib import suppress

import pytest

from packhouse.plumbing.postgres import DatabaseBusy, DatabaseUnavailable
from worlds.standby import (
    Primary,
    ask,
    asleep_on_a_replica,
    opened,
    running_primary,
    states,
    until,
)

pytestmark = pytest.mark.scale

IS_A_REPLICA = "SELECT pg_is_in_recovery()"


@pytest.fixture
def primary() -> Iterator[Primary]:
    with running_primary() as running:
        asyncio.run(running.ask("CREATE TABLE held AS SELECT 1 AS one"))
        yield running


async def test_a_read_that_its_replica_dies_of_is_answered_by_the_primary(primary: Primary) -> None:
    with primary.replica() as mortal:
        async with opened(primary, mortal) as database:
            reading = await asleep_on_a_replica(database, mortal)
            mortal.kill()
            assert await reading == "the primary"
            await until(lambda: states(database) == ["away"])
            assert not await ask(database, IS_A_REPLICA)
            mortal.start()
            await until(lambda: states(database) == ["in_rotation"])
            assert await ask(database, IS_A_REPLICA)


async def test_what_follows_a_failed_read_is_answered_by_the_primary_as_well(
    primary: Primary,
) -> None:
    with primary.replica() as mortal:
        async with opened(primary, mortal) as database, database.reading() as connection:
            assert await connection.fetchval(IS_A_REPLICA)
            mortal.kill()
            assert not await connection.fetchval(IS_A_REPLICA)
            assert not await connection.fetchval(IS_A_REPLICA)
            mortal.start()


async def test_a_frozen_replica_holds_no_read_up_for_long(primary: Primary) -> None:
    with primary.replica() as mortal:
        async with opened(primary, mortal) as database:
            reading = await asleep_on_a_replica(database, mortal)
            mortal.freeze()
            assert await reading == "the primary"
            assert states(database) == ["away"]
            assert await ask(database, IS_A_REPLICA) is False
            mortal.thaw()
            await until(lambda: states(database) == ["in_rotation"])


async def test_without_its_primary_nothing_is_read() -> None:
    with running_primary() as mortal, mortal.replica() as left:
        async with opened(mortal, left) as database:
            mortal.kill()
            with pytest.raises(DatabaseUnavailable):
                await ask(database, "SELECT 1")
            mortal.start()
            # The first may still hear of an attempt that was made before.
            with suppress(DatabaseUnavailable):
                await ask(database, "SELECT 1")
            assert await ask(database, "SELECT 1") == 1
            await until(lambda: states(database) == ["in_rotation"])


async def test_a_replica_may_come_later(primary: Primary) -> None:
    with primary.replica() as late:
        late.kill()
        async with opened(primary, late, is_awaited=False) as database:
            assert not await ask(database, IS_A_REPLICA)
            late.start()
            await until(lambda: states(database) == ["in_rotation"])
            assert await ask(database, IS_A_REPLICA)


async def test_who_finds_neither_replica_nor_primary_is_told_and_leaves_nothing_behind(
    primary: Primary,
) -> None:
    with primary.replica() as mortal:
        async with opened(primary, mortal, pool_size=2) as database:
            async with database.reading() as reading, database.connection(), database.connection():
                mortal.kill()
                with pytest.raises(DatabaseBusy):
                    await reading.fetchval(IS_A_REPLICA)
            assert await ask(database, IS_A_REPLICA) is False
            mortal.start()
            await until(lambda: states(database) == ["in_rotation"])
