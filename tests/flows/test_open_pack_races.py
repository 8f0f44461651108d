"""Many collectors open packs at once: nothing is sold twice, nobody pays for nothing."""

import asyncio
from collections import Counter

import pytest

from packhouse import catalog
from packhouse.accounts import StaffCannotOpenPacks
from packhouse.catalog import Card
from packhouse.draws import SoldOut
from packhouse.flows.announcements import stock_added
from packhouse.flows.open_pack import open_pack
from packhouse.flows.rotate_seed import rotate_seed
from packhouse.flows.settle_openings import OpenedPacks
from packhouse.house import House
from packhouse.plumbing.idempotency import IdempotencyKeyReused
from packhouse.plumbing.outbox import insert_events
from packhouse.wallet import InsufficientCredits
from worlds.ember_counter import (
    PRICE_MINOR,
    VALUE_MINOR,
    Person,
    balance_of,
    cards_of,
    is_paused,
    lot_of,
    odds_of,
    open_one,
    opening,
    outcomes_of,
    places_of,
    publish,
    pulls_of,
    relay_all,
    restock,
    stock_card,
    wait_for_a_lock,
    welcome,
    welcome_all,
)

CLIENTS = 64
COPIES = 10


async def test_64_clients_on_a_lot_with_10_packs_left_are_10_winners_and_54_sold_out(
    house: House, second_house: House, olga: Person
) -> None:
    card = await stock_card(house, olga, "021", copies=COPIES)
    prize = await stock_card(house, olga, "022", tier="SS", value=9_000, copies=1)
    draft = lot_of({"021": COPIES}, packs=COPIES, last_one="022")
    await publish(house, olga, "crate", draft)
    crowd = await welcome_all(house, CLIENTS, credits_minor=PRICE_MINOR)
    results = await asyncio.gather(
        *(
            open_one((house, second_house)[n % 2], person, "crate")
            for n, person in enumerate(crowd)
        ),
        return_exceptions=True,
    )
    opened = [result for result in results if isinstance(result, OpenedPacks)]
    assert (len(opened), outcomes_of(results, SoldOut)) == (COPIES, CLIENTS - COPIES)
    balances = [await balance_of(house, person) for person in crowd]
    assert Counter(balances) == {0: COPIES, PRICE_MINOR: CLIENTS - COPIES}
    last = [each for each in opened if each.openings[0].cards[-1].card.id == prize.id]
    assert [len(each.openings[0].cards) for each in last] == [2]
    assert await places_of(house, card) == {"vaulted": COPIES}
    assert await places_of(house, prize) == {"vaulted": 1}
    await relay_all(house)
    assert len(await pulls_of(house)) == COPIES + 1


async def test_64_clients_on_the_last_10_copies_of_an_odds_pack_never_share_a_copy(
    house: House, second_house: House, olga: Person
) -> None:
    card = await stock_card(house, olga, "031", copies=COPIES + 5, place="house")
    await restock(house, olga, card, COPIES)
    await publish(house, olga, "scarce", odds_of("031"))
    crowd = await welcome_all(house, CLIENTS, credits_minor=PRICE_MINOR)
    results = await asyncio.gather(
        *(
            open_one((house, second_house)[n % 2], person, "scarce")
            for n, person in enumerate(crowd)
        ),
        return_exceptions=True,
    )
    refused = outcomes_of(results, SoldOut)
    opened = [result for result in results if isinstance(result, OpenedPacks)]
    assert len(opened) + refused == CLIENTS
    cards = [each.openings[0].cards[0] for each in opened]
    assert sum(not drawn.paid_out for drawn in cards) == COPIES
    balances = Counter([await balance_of(house, person) for person in crowd])
    expected = {0: COPIES, VALUE_MINOR: len(opened) - COPIES, PRICE_MINOR: refused}
    assert balances == {balance: count for balance, count in expected.items() if count}
    owned = [
        kept.stock_item_id
        for person in crowd
        for kept in await cards_of(house, person)
        if kept.stock_item_id is not None
    ]
    assert len(owned) == len(set(owned)) == COPIES
    assert await places_of(house, card) == {"vaulted": COPIES, "house": 5}
    assert await is_paused(house, "scarce")
    with pytest.raises(SoldOut):
        await open_one(house, await welcome(house, "late", credits_minor=PRICE_MINOR), "scarce")
    await restock(house, olga, card, 5)
    after = await welcome(house, "after", credits_minor=PRICE_MINOR)
    assert not (await open_one(house, after, "scarce")).openings[0].cards[0].paid_out


async def test_a_copy_that_a_failed_opening_lets_go_is_handed_out(
    house: House, olga: Person, ada: Person
) -> None:
    card = await stock_card(house, olga, "031", copies=1)
    await publish(house, olga, "scarce", odds_of("031"))
    async with house.database.transaction() as connection:
        held = await connection.fetchval("SELECT id FROM stock_items FOR UPDATE")
        task = asyncio.create_task(open_one(house, ada, "scarce"))
        await wait_for_a_lock(house)
    assert not (await task).openings[0].cards[0].paid_out
    assert [kept.stock_item_id for kept in await cards_of(house, ada)] == [held]
    assert await places_of(house, card) == {"vaulted": 1}


async def test_a_pack_restocked_while_its_last_card_is_paid_out_does_not_rest(
    house: House, olga: Person, ada: Person
) -> None:
    card = await stock_card(house, olga, "031", copies=2, place="house")
    await restock(house, olga, card, 1)
    await publish(house, olga, "scarce", odds_of("031"))
    await open_one(house, ada, "scarce")
    async with house.database.transaction() as connection:
        await connection.execute("UPDATE stock_items SET place = 'on_sale' WHERE place = 'house'")
        await insert_events(connection, stock_added({card.id: 1}, now=house.clock()))
        await catalog.lock_cards(connection, [card.id])
        task = asyncio.create_task(open_one(house, ada, "scarce"))
        await wait_for_a_lock(house)
        await catalog.delete_pack_pauses_for_cards(connection, [card.id])
    assert (await task).openings[0].cards[0].paid_out
    assert not await is_paused(house, "scarce")


@pytest.mark.parametrize("slug", ["ember", "spark"])
async def test_one_collector_in_16_places_at_once_pays_each_pack_once(
    house: House, second_house: House, ada: Person, ember: Card, spark: Card, slug: str
) -> None:
    results = await asyncio.gather(
        *(open_one((house, second_house)[n % 2], ada, slug) for n in range(16))
    )
    nonces = [result.openings[0].proof.nonce for result in results]
    assert sorted(nonces, key=str) == sorted(range(16), key=str)
    assert await balance_of(house, ada) == 5_000 - 16 * PRICE_MINOR
    assert len(await cards_of(house, ada)) == 16


async def test_one_collector_never_spends_the_same_credits_twice(
    house: House, second_house: House, ember: Card
) -> None:
    cleo = await welcome(house, "cleo", credits_minor=3 * PRICE_MINOR)
    results = await asyncio.gather(
        *(open_one((house, second_house)[n % 2], cleo, "ember") for n in range(8)),
        return_exceptions=True,
    )
    assert outcomes_of(results, InsufficientCredits) == 5
    assert await balance_of(house, cleo) == 0


@pytest.mark.parametrize("slug", ["ember", "crate"])
async def test_one_request_sent_16_times_at_once_opens_once(
    house: House, second_house: House, olga: Person, ada: Person, ember: Card, slug: str
) -> None:
    await stock_card(house, olga, "021", copies=12)
    await publish(house, olga, "crate", lot_of({"021": 12}, packs=12))
    results = await asyncio.gather(
        *(
            open_pack((house, second_house)[n % 2], opening(ada, slug, key="once"))
            for n in range(16)
        )
    )
    assert all(result == results[0] for result in results)
    assert await balance_of(house, ada) == 5_000 - PRICE_MINOR
    assert len(await cards_of(house, ada)) == 1


async def test_of_two_requests_with_one_key_at_once_one_is_refused(
    house: House, second_house: House, ada: Person, ember: Card
) -> None:
    results = await asyncio.gather(
        open_pack(house, opening(ada, "ember", key="once")),
        open_pack(second_house, opening(ada, "ember", key="once", quantity=2)),
        return_exceptions=True,
    )
    assert outcomes_of(results, IdempotencyKeyReused) == 1
    assert outcomes_of(results, Exception) == 1


async def test_a_bad_opening_fails_no_other(
    house: House, olga: Person, ada: Person, ben: Person, ember: Card
) -> None:
    cleo = await welcome(house, "cleo")
    results = await asyncio.gather(
        open_one(house, ada, "ember"),
        open_one(house, cleo, "ember"),
        open_one(house, olga, "ember"),
        open_one(house, ben, "ember", quantity=3),
        return_exceptions=True,
    )
    assert [type(result) for result in results] == [
        OpenedPacks,
        InsufficientCredits,
        StaffCannotOpenPacks,
        OpenedPacks,
    ]


async def test_no_opening_is_decided_under_a_seed_that_is_already_public(
    house: House, second_house: House, ada: Person, spark: Card
) -> None:
    opened, rotated = await asyncio.gather(
        asyncio.gather(*(open_one(house, ada, "spark") for _ in range(12))),
        asyncio.gather(*(rotate_seed(second_house, ada.user_id) for _ in range(4))),
    )
    proofs = [each.openings[0].proof for each in opened]
    for pair in [each.revealed for each in rotated]:
        nonces = {p.nonce for p in proofs if p.commitment == pair.commitment.hex()}
        assert nonces == set(range(pair.openings or 0))


async def test_packs_of_many_cards_in_any_order_never_block_each_other_for_good(
    house: House, second_house: House, olga: Person
) -> None:
    numbers = ("041", "042", "043", "044")
    cards = [await stock_card(house, olga, number, copies=12) for number in numbers]
    await publish(house, olga, "mixed", odds_of(*numbers, count=4))
    crowd = await welcome_all(house, 16, credits_minor=PRICE_MINOR)
    results = await asyncio.gather(
        *(
            open_one((house, second_house)[n % 2], person, "mixed")
            for n, person in enumerate(crowd)
        ),
        return_exceptions=True,
    )
    opened = [result for result in results if isinstance(result, OpenedPacks)]
    assert len(opened) + outcomes_of(results, SoldOut) == len(crowd)
    handed_out = sum(not card.paid_out for each in opened for card in each.openings[0].cards)
    vaulted = [(await places_of(house, card)).get("vaulted", 0) for card in cards]
    assert sum(vaulted) == handed_out
