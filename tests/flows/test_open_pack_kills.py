"""The server is killed in the middle of an opening: all of it happened, or nothing."""

import asyncio

import pytest

from packhouse.catalog import Card
from packhouse.flows.open_pack import open_pack
from packhouse.house import House
from worlds.ember_counter import (
    PRICE_MINOR,
    Person,
    balance_of,
    cards_of,
    kill_at,
    lot_of,
    odds_of,
    open_one,
    opening,
    places_of,
    publish,
    pulls_of,
    record_everything,
    relay_all,
    stock_card,
    welcome,
)

TABLES_OF_AN_OPENING = (
    "stock_items",
    "wallets",
    "ledger_entries",
    "idempotency_keys",
    "openings",
    "user_cards",
    "outbox",
    "seed_pairs",
)


@pytest.mark.parametrize("table", TABLES_OF_AN_OPENING)
async def test_a_killed_opening_left_nothing_and_its_repetition_opens_once(
    house: House, ada: Person, ember: Card, table: str
) -> None:
    before = await record_everything(house)
    await kill_at(house, table, open_pack(house, opening(ada, "ember", key="once", quantity=2)))
    assert await record_everything(house) == before
    opened = await open_pack(house, opening(ada, "ember", key="once", quantity=2))
    assert await open_pack(house, opening(ada, "ember", key="once", quantity=2)) == opened
    assert await balance_of(house, ada) == 5_000 - 2 * PRICE_MINOR
    assert await places_of(house, ember) == {"on_sale": 38, "vaulted": 2}


@pytest.mark.parametrize("table", ["lot_items", "lots", "openings"])
async def test_a_killed_draw_of_a_lot_keeps_its_number_for_the_next(
    house: House, olga: Person, ada: Person, ben: Person, table: str
) -> None:
    card = await stock_card(house, olga, "021", copies=2)
    await publish(house, olga, "crate", lot_of({"021": 2}, packs=2))
    before = await record_everything(house)
    await kill_at(house, table, open_pack(house, opening(ada, "crate", key="once")))
    assert await record_everything(house) == before
    await open_one(house, ben, "crate")
    await open_pack(house, opening(ada, "crate", key="once"))
    async with house.database.connection() as connection:
        draws = await connection.fetch("SELECT draw FROM lot_items ORDER BY draw")
    assert [row["draw"] for row in draws] == [0, 1]
    assert await places_of(house, card) == {"vaulted": 2}


async def test_a_killed_payout_is_paid_once(house: House, olga: Person, ada: Person) -> None:
    await stock_card(house, olga, "031", copies=1)
    await publish(house, olga, "ember", odds_of("031"))
    await open_one(house, await welcome(house, "early", credits_minor=PRICE_MINOR), "ember")
    await kill_at(house, "pack_pauses", open_pack(house, opening(ada, "ember", key="once")))
    opened = await open_pack(house, opening(ada, "ember", key="once"))
    assert opened.openings[0].cards[0].paid_out
    assert await balance_of(house, ada) == opened.balance


async def test_an_opening_that_nobody_waits_for_any_more_is_whole_or_nothing(
    house: House, ada: Person, ember: Card
) -> None:
    await asyncio.gather(
        *(cancel_soon(house, ada, key=f"key-{n}", after_seconds=n / 1_000) for n in range(12))
    )
    await house.lanes.finish()
    cards = await cards_of(house, ada)
    assert await balance_of(house, ada) == 5_000 - PRICE_MINOR * len(cards)
    assert await places_of(house, ember) == {
        place: copies
        for place, copies in (("on_sale", 40 - len(cards)), ("vaulted", len(cards)))
        if copies
    }
    await relay_all(house)
    assert len(await pulls_of(house)) == len(cards)


async def cancel_soon(house: House, person: Person, *, key: str, after_seconds: float) -> None:
    task = asyncio.create_task(open_pack(house, opening(person, "ember", key=key)))
    await asyncio.wait([task], timeout=after_seconds)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
