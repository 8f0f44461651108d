"""Counts of what came out, and what the public knows to be left of a lot."""

import asyncio
from collections.abc import Mapping

from packhouse import draws
from packhouse.draws import LotNow, TierCell
from packhouse.foundation.identifiers import LotId
from packhouse.foundation.tiers import TIERS
from packhouse.house import House
from packhouse.plumbing.postgres import Database
from worlds.veil_shop import open_veil_shop

HASH = b"h" * 32
CELLS = [TierCell(HASH, "Layout", "Slot", tier) for tier in TIERS]


async def count(database: Database, counts: Mapping[TierCell, int]) -> None:
    async with database.transaction() as connection:
        await draws.add_tier_counts(connection, counts)


async def counted(database: Database) -> Mapping[TierCell, int]:
    async with database.connection() as connection:
        return (await draws.list_tier_counts(connection, [HASH])).get(HASH, {})


async def test_counts_add_up(database: Database) -> None:
    await count(database, {CELLS[0]: 3, CELLS[1]: 1})
    await count(database, {CELLS[0]: 2})
    assert await counted(database) == {CELLS[0]: 5, CELLS[1]: 1}


async def test_two_who_count_the_same_cells_in_opposite_orders_both_count(
    database: Database,
) -> None:
    forwards = dict.fromkeys(CELLS, 1)
    backwards = dict.fromkeys(reversed(CELLS), 1)
    await asyncio.gather(
        *(count(database, counts) for _ in range(10) for counts in (forwards, backwards))
    )
    assert await counted(database) == dict.fromkeys(CELLS, 20)


async def draw(house: House, *numbers: int) -> LotNow:
    """Take the lot's first items by these draws and publish them; gives what is left."""
    pack = await house.packs.get_pack(house.database, "veil-lot")
    assert pack.lot_id is not None
    lot_id: LotId = pack.lot_id
    async with house.database.transaction() as connection:
        await connection.execute(
            "UPDATE lot_items SET draw = position WHERE lot_id = $1 AND NOT is_last_one", lot_id
        )
        await draws.mark_lot_items_published(connection, [(lot_id, number) for number in numbers])
        return await draws.find_lot_now(connection, lot_id)


async def test_an_item_leaves_the_public_view_with_its_own_draw(house: House) -> None:
    await open_veil_shop(house)
    left = await draw(house, 0, 5, 7)
    assert sum(prize.listed - prize.unpulled for prize in left.prizes) == 3
    assert [prize.unpulled for prize in left.prizes if prize.is_last_one] == [1]
    assert all(prize.remaining == 0 for prize in left.prizes if not prize.is_last_one)


async def test_the_last_one_prize_leaves_with_the_last_draw(house: House) -> None:
    await open_veil_shop(house)
    left = await draw(house, 39)
    assert [prize.unpulled for prize in left.prizes if prize.is_last_one] == [0]
    assert sum(prize.listed - prize.unpulled for prize in left.prizes) == 2


async def test_digital_cards_alone_are_counted_as_none(database: Database) -> None:
    async with database.connection() as connection:
        now = await draws.count_copies_now(connection, [])
    assert (now.sequence, now.copies) == (0, {})
