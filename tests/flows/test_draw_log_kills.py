"""Relay and sequencer are killed at every step: each opening is in the log once, in order."""

import asyncio
import random
from itertools import pairwise

import pytest

from packhouse import draws
from packhouse.catalog import Card
from packhouse.flows.relay_events import relay_events
from packhouse.flows.rotate_seed import rotate_seed
from packhouse.flows.sequence_log import sequence_log
from packhouse.foundation.errors import Outage
from packhouse.foundation.identifiers import OpeningId
from packhouse.house import House
from worlds.ember_counter import (
    PRICE_MINOR,
    Person,
    kill_at,
    lot_of,
    open_one,
    publish,
    pulls_of,
    record_everything,
    relay_all,
    stock_card,
    welcome_all,
)
from worlds.kept_log import (
    list_log,
    openings_in,
    require_every_checkpoint_to_be_a_beginning,
    sequence_all,
)

TABLES_OF_A_RELAY = (
    "log_leaves",
    "receipts",
    "global_feed",
    "tier_counts",
    "lot_items",
    "house_accounts",
    "house_entries",
    "outbox",
)
TABLES_OF_A_SEQUENCER = ("log_tiles", "log_checkpoints")

ADVISORY_LOCKS = (1380273217, 1380273218)
"""The relay's and the sequencer's."""

KILLS = 20


@pytest.mark.parametrize("table", TABLES_OF_A_RELAY)
async def test_a_killed_relay_logged_nothing_and_the_next_logs_everything_once(
    house: House, olga: Person, ada: Person, ember: Card, table: str
) -> None:
    await stock_card(house, olga, "051", copies=2)
    await publish(house, olga, "crate", lot_of({"051": 2}, packs=2))
    await relay_all(house)
    opened = [await open_one(house, ada, slug) for slug in ("ember", "crate", "ember", "crate")]
    before = await record_everything(house)
    await kill_at(house, table, relay_events(house))
    assert await record_everything(house) == before
    await relay_all(house)
    logged = await openings_in(house)
    assert logged == [str(each.openings[0].id) for each in opened]
    await require_the_log_to_be_whole(house)


@pytest.mark.parametrize("table", TABLES_OF_A_SEQUENCER)
async def test_whatever_is_killed_an_opening_between_two_kills_is_logged_and_signed_once(
    house: House, ada: Person, ember: Card, table: str
) -> None:
    for table_of_relay in ("log_leaves", "outbox"):
        await open_one(house, ada, "ember", quantity=2)
        await kill_at(house, table_of_relay, relay_events(house))
        await relay_all(house)
        await kill_at(house, table, sequence_log(house))
        await open_one(house, ada, "ember")
        await relay_all(house)
        await sequence_all(house)
    sizes = await require_every_checkpoint_to_be_a_beginning(house)
    assert sizes[-1] == len(await list_log(house))
    assert len(await openings_in(house)) == 6
    await require_the_log_to_be_whole(house)


async def test_a_shop_whose_relays_and_sequencers_are_killed_at_random_has_a_whole_log(
    house: House, second_house: House, olga: Person, ember: Card
) -> None:
    chance = random.Random(20_261_122)  # noqa: S311 - decides nothing but whom to kill
    await stock_card(house, olga, "052", copies=40)
    await publish(house, olga, "crate", lot_of({"052": 40}, packs=40))
    crowd = await welcome_all(house, 4, credits_minor=12 * PRICE_MINOR)
    done = asyncio.Event()
    workers = [
        asyncio.create_task(work_until(done, second_house, step))
        for step in (relay_events, sequence_log, relay_events, sequence_log)
    ]
    killing = asyncio.create_task(kill_workers(house, chance))
    opened = await asyncio.gather(
        *(
            open_one(house, person, "crate" if n % 2 else "ember")
            for person in crowd
            for n in range(10)
        )
    )
    for person in crowd[:2]:
        await rotate_seed(house, person.user_id)
    await killing
    done.set()
    await asyncio.gather(*workers)
    await relay_all(house)
    await sequence_all(house)
    logged = await openings_in(house)
    assert sorted(logged) == sorted(str(each.openings[0].id) for each in opened)
    await require_the_log_to_be_whole(house)
    sizes = await require_every_checkpoint_to_be_a_beginning(house)
    assert sizes[-1] == len(await list_log(house))


async def work_until(done: asyncio.Event, house: House, step: object) -> None:
    """Like a worker's loop: an outage is waited out."""
    assert callable(step)
    while not done.is_set():
        try:
            await step(house)
        except Outage:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0)


async def kill_workers(house: House, chance: random.Random) -> None:
    """End a backend that is just moving the log on, so often."""
    killed = 0
    while killed < KILLS:
        await asyncio.sleep(chance.uniform(0.001, 0.01))
        async with house.database.connection() as connection:
            killed += await connection.fetchval(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_locks l"
                " JOIN pg_database d ON d.oid = l.database AND d.datname = current_database()"
                " WHERE l.locktype = 'advisory' AND l.objid = $1 AND l.granted",
                chance.choice(ADVISORY_LOCKS),
            )


async def require_the_log_to_be_whole(house: House) -> None:
    """Every opening once, where its receipt says, and those of a user key or a lot in order."""
    leaves = await list_log(house)
    openings = {
        leaf["opening"]: position for position, leaf in enumerate(leaves) if "opening" in leaf
    }
    assert len(openings) == len(await openings_in(house))
    assert openings.keys() == {str(pull.opening_id) for pull in await pulls_of(house)}
    async with house.database.connection() as connection:
        kept = await connection.fetchval("SELECT count(*) FROM openings")
        assert kept == len(openings)
        for opening, position in openings.items():
            assert await draws.find_log_position(connection, OpeningId(opening)) == position
    for line in ("nonce", "draw"):
        owner = "user_key" if line == "nonce" else "manifest_root"
        by_owner: dict[str, list[int]] = {}
        for leaf in leaves:
            if line in leaf:
                by_owner.setdefault(leaf[owner], []).append(leaf[line])
        for numbers in by_owner.values():
            assert numbers[0] == 0
            assert all(later == earlier + 1 for earlier, later in pairwise(numbers))
