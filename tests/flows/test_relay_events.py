"""The relay moves committed events on: in order, without gaps, each once, whoever is killed."""

import asyncio
from itertools import pairwise

import msgspec
import pytest

from packhouse import draws, wallet
from packhouse.catalog import Card
from packhouse.draws import Receipt
from packhouse.flows.relay_events import Relayed, relay_events
from packhouse.flows.sell_cards_back import SaleRequest, SellCardsBack, sell_cards_back
from packhouse.foundation.errors import Breach
from packhouse.house import House
from packhouse.plumbing.outbox import claim_relay
from worlds.ember_counter import (
    PRICE_MINOR,
    Person,
    cards_of,
    kill_at,
    open_one,
    pulls_of,
    record_everything,
    relay_all,
    repeat_of,
    wait_for_a_lock,
    welcome_all,
)


async def test_nothing_to_relay_is_nothing_done(house: House) -> None:
    assert await relay_events(house) == Relayed(events=0, pulls=0, last_sequence=None)


async def test_events_are_moved_once_with_pulls_numbered_from_one(
    house: House, ada: Person, ben: Person, ember: Card
) -> None:
    await relay_all(house)
    await open_one(house, ada, "ember", quantity=3)
    await open_one(house, ben, "ember", quantity=2)
    assert await relay_events(house) == Relayed(events=5, pulls=5, last_sequence=5)
    assert await relay_events(house) == Relayed(events=0, pulls=0, last_sequence=None)
    assert [pull.sequence for pull in await pulls_of(house)] == [1, 2, 3, 4, 5]
    await open_one(house, ben, "ember")
    assert await relay_events(house) == Relayed(events=1, pulls=1, last_sequence=6)


async def test_the_houses_accounts_are_the_other_side_of_every_wallet(
    house: House, ada: Person, ember: Card
) -> None:
    await open_one(house, ada, "ember", quantity=2)
    sale = SaleRequest(user_card_ids=tuple(card.id for card in await cards_of(house, ada)))
    await sell_cards_back(house, SellCardsBack(ada.user_id, sale, repeat_of(ada, sale)))
    await relay_all(house)
    async with house.database.connection() as connection:
        accounts = await wallet.list_house_accounts(connection)
    assert accounts == {"payments": -5_000, "pack_sales": 2 * PRICE_MINOR, "sell_backs": -120}


async def test_what_is_not_committed_is_not_seen(house: House, ada: Person, ember: Card) -> None:
    await relay_all(house)
    async with house.database.transaction() as rival:
        # Holds the opening back just before its last write.
        await rival.execute("LOCK TABLE seed_pairs IN SHARE MODE")
        opening = asyncio.create_task(open_one(house, ada, "ember"))
        await wait_for_a_lock(house)
        assert await relay_events(house) == Relayed(events=0, pulls=0, last_sequence=None)
        assert await pulls_of(house) == []
    opened = (await opening).openings[0]
    await relay_all(house)
    assert [pull.opening_id for pull in await pulls_of(house)] == [opened.id]


async def test_one_collectors_pulls_come_in_the_order_of_the_wallet(
    house: House, second_house: House, ember: Card
) -> None:
    crowd = await welcome_all(house, 6, credits_minor=8 * PRICE_MINOR)
    buying = asyncio.gather(
        *(
            open_one((house, second_house)[n % 2], person, "ember")
            for person in crowd
            for n in range(6)
        )
    )
    while not buying.done():
        await relay_events(second_house)
    await buying
    await relay_all(house)
    pulls = await pulls_of(house)
    assert [pull.sequence for pull in pulls] == list(range(1, 37))
    async with house.database.connection() as connection:
        for person in crowd:
            mine = [pull.opening_id for pull in pulls if pull.username == person.username]
            kept = await draws.list_opening_receipts(
                connection, [(person.user_id, opening_id) for opening_id in mine]
            )
            receipts = {receipt.id: receipt.receipt for receipt, _ in kept}
            nonces = [nonce_in(receipts[opening_id]) for opening_id in mine]
            assert all(earlier < later for earlier, later in pairwise(nonces))


async def test_of_relays_at_once_one_works_and_the_others_leave_it(
    house: House, second_house: House, ada: Person, ember: Card
) -> None:
    await relay_all(house)
    await open_one(house, ada, "ember", quantity=10)
    async with house.database.transaction() as connection:
        assert await claim_relay(connection)
        assert await relay_events(second_house) is None
    results = await asyncio.gather(*(relay_events((house, second_house)[n % 2]) for n in range(8)))
    assert sum(result.events for result in results if result is not None) == 10
    assert [pull.sequence for pull in await pulls_of(house)] == list(range(1, 11))


@pytest.mark.parametrize(
    "table", ["receipts", "global_feed", "house_accounts", "house_entries", "outbox"]
)
async def test_a_killed_relay_moved_nothing_and_the_next_moves_all(
    house: House, ada: Person, ember: Card, table: str
) -> None:
    await relay_all(house)
    await open_one(house, ada, "ember", quantity=3)
    before = await record_everything(house)
    await kill_at(house, table, relay_events(house))
    assert await record_everything(house) == before
    assert await relay_events(house) == Relayed(events=3, pulls=3, last_sequence=3)


async def test_an_event_that_this_version_does_not_know_waits_for_the_one_that_does(
    house: House, ada: Person, ember: Card
) -> None:
    await relay_all(house)
    await open_one(house, ada, "ember")
    await rename_event(house, before="pack.opened", after="pack.folded")
    before = await record_everything(house)
    with pytest.raises(Breach, match=r"pack\.folded v1"):
        await relay_events(house)
    assert await record_everything(house) == before
    await rename_event(house, before="pack.folded", after="pack.opened")
    assert await relay_events(house) == Relayed(events=1, pulls=1, last_sequence=1)


async def test_a_collector_without_a_name_in_the_feed_is_not_named(
    house: House, ada: Person, ember: Card
) -> None:
    async with house.database.transaction() as connection:
        await connection.execute("UPDATE users SET is_anonymous = true WHERE id = $1", ada.user_id)
    await open_one(house, ada, "ember")
    await relay_all(house)
    assert [pull.username for pull in await pulls_of(house)] == ["Anonymous"]


def nonce_in(receipt: str) -> int:
    nonce = msgspec.json.decode(receipt, type=Receipt).proof.nonce
    assert nonce is not None
    return nonce


async def rename_event(house: House, *, before: str, after: str) -> None:
    async with house.database.transaction() as connection:
        await connection.execute("UPDATE outbox SET kind = $2 WHERE kind = $1", before, after)
