"""A collector sells cards back: all of them or none, once."""

import asyncio

import pytest

from packhouse.accounts import AccountSuspended
from packhouse.catalog import Card
from packhouse.flows.sell_cards_back import SaleRequest, SellCardsBack, SoldBack, sell_cards_back
from packhouse.foundation.identifiers import UserCardId, new_id
from packhouse.house import House
from packhouse.plumbing.idempotency import IdempotencyKeyReused
from packhouse.vault import CardNotInVault, SellBackClosed, UserCard
from worlds.ember_counter import (
    Person,
    ShopClock,
    balance_of,
    cards_of,
    entries_of,
    kill_at,
    lot_of,
    odds_of,
    open_one,
    outcomes_of,
    places_of,
    publish,
    record_everything,
    relay_all,
    repeat_of,
    restock,
    stock_card,
    suspend,
)

SELL_BACK_MINOR = 60
"""Three quarters of 80."""


@pytest.fixture
async def drawn(house: House, ada: Person, ember: Card) -> list[UserCard]:
    """Three cards in Ada's vault, of which she has 47.00 credits left."""
    await open_one(house, ada, "ember", quantity=3)
    return await cards_of(house, ada)


async def test_cards_sold_back_are_paid_at_the_packs_rate_and_go_to_the_house(
    house: House, ada: Person, ember: Card, drawn: list[UserCard]
) -> None:
    sold = await sell_cards_back(house, selling(ada, drawn[0].id, drawn[1].id))
    assert sold == SoldBack(credited=2 * SELL_BACK_MINOR, balance=4_700 + 2 * SELL_BACK_MINOR)
    assert await balance_of(house, ada) == sold.balance
    assert await places_of(house, ember) == {"on_sale": 37, "vaulted": 1, "house": 2}
    assert [card.state for card in await cards_of(house, ada)] == ["sold", "sold", "vaulted"]
    entries = (await entries_of(house, ada))[-2:]
    assert [(entry.kind, entry.amount) for entry in entries] == [("sell_back", SELL_BACK_MINOR)] * 2
    assert {entry.reference for entry in entries} == {drawn[0].id, drawn[1].id}
    await relay_all(house)


async def test_a_card_named_twice_is_sold_once(
    house: House, ada: Person, drawn: list[UserCard]
) -> None:
    sold = await sell_cards_back(house, selling(ada, drawn[0].id, drawn[0].id))
    assert sold.credited == SELL_BACK_MINOR


async def test_a_digital_card_is_sold_back_without_a_copy(
    house: House, ada: Person, spark: Card
) -> None:
    await open_one(house, ada, "spark")
    (card,) = await cards_of(house, ada)
    assert (await sell_cards_back(house, selling(ada, card.id))).credited == SELL_BACK_MINOR


async def test_a_copy_won_from_a_lot_leaves_the_lot_when_it_is_sold_back(
    house: House, olga: Person, ada: Person
) -> None:
    card = await stock_card(house, olga, "021", copies=2)
    await publish(house, olga, "crate", lot_of({"021": 2}, packs=2))
    await open_one(house, ada, "crate")
    await sell_cards_back(house, selling(ada, (await cards_of(house, ada))[0].id))
    assert await places_of(house, card) == {"on_sale": 1, "house": 1}
    await restock(house, olga, card, 1)
    await publish(house, olga, "single", odds_of("021"))
    await open_one(house, ada, "single")
    assert await places_of(house, card) == {"on_sale": 1, "vaulted": 1}


async def test_a_worthless_card_is_sold_for_nothing_without_an_entry(
    house: House, olga: Person, ada: Person
) -> None:
    await stock_card(house, olga, "051", value=1, copies=1)
    await publish(house, olga, "worthless", odds_of("051"))
    await open_one(house, ada, "worthless")
    (card,) = await cards_of(house, ada)
    entries = await entries_of(house, ada)
    assert (await sell_cards_back(house, selling(ada, card.id))).credited == 0
    assert await entries_of(house, ada) == entries
    assert (await cards_of(house, ada))[0].state == "sold"


async def test_one_card_that_is_not_there_to_sell_keeps_the_others(
    house: House, ada: Person, ben: Person, drawn: list[UserCard], ember: Card
) -> None:
    await sell_cards_back(house, selling(ada, drawn[2].id))
    await open_one(house, ben, "ember")
    (bens,) = await cards_of(house, ben)
    before = await record_everything(house)
    for absent in (drawn[2].id, bens.id, UserCardId(new_id())):
        with pytest.raises(CardNotInVault) as refusal:
            await sell_cards_back(house, selling(ada, drawn[0].id, absent))
        assert refusal.value.fields == {"user_card_ids": [str(absent)]}
    assert await record_everything(house) == before


async def test_the_window_ends_on_its_last_instant(
    house: House, ada: Person, drawn: list[UserCard], clock: ShopClock
) -> None:
    clock.forward(days=7, microseconds=-1)
    await sell_cards_back(house, selling(ada, drawn[0].id))
    clock.forward(microseconds=1)
    before = await record_everything(house)
    with pytest.raises(SellBackClosed):
        await sell_cards_back(house, selling(ada, drawn[1].id))
    assert await record_everything(house) == before


async def test_a_suspended_collector_sells_nothing(
    house: House, ada: Person, drawn: list[UserCard]
) -> None:
    await suspend(house, ada)
    before = await record_everything(house)
    with pytest.raises(AccountSuspended):
        await sell_cards_back(house, selling(ada, drawn[0].id))
    assert await record_everything(house) == before


async def test_the_same_sale_again_is_answered_again_and_paid_once(
    house: House, ada: Person, drawn: list[UserCard]
) -> None:
    sold = await sell_cards_back(house, selling(ada, drawn[0].id, key="once"))
    before = await record_everything(house)
    assert await sell_cards_back(house, selling(ada, drawn[0].id, key="once")) == sold
    with pytest.raises(IdempotencyKeyReused):
        await sell_cards_back(house, selling(ada, drawn[1].id, key="once"))
    assert await record_everything(house) == before


async def test_of_many_sales_of_one_card_at_once_one_is_paid(
    house: House, second_house: House, ada: Person, drawn: list[UserCard]
) -> None:
    results = await asyncio.gather(
        *(
            sell_cards_back((house, second_house)[n % 2], selling(ada, drawn[0].id))
            for n in range(8)
        ),
        return_exceptions=True,
    )
    assert outcomes_of(results, CardNotInVault) == 7
    assert await balance_of(house, ada) == 4_700 + SELL_BACK_MINOR


async def test_the_same_sale_in_many_places_at_once_is_one_sale(
    house: House, second_house: House, ada: Person, drawn: list[UserCard]
) -> None:
    results = await asyncio.gather(
        *(
            sell_cards_back((house, second_house)[n % 2], selling(ada, drawn[0].id, key="once"))
            for n in range(8)
        )
    )
    assert set(results) == {results[0]}
    assert await balance_of(house, ada) == 4_700 + SELL_BACK_MINOR


async def test_selling_and_opening_at_once_loses_no_credits(
    house: House, second_house: House, ada: Person, drawn: list[UserCard]
) -> None:
    await asyncio.gather(
        *(open_one(house, ada, "ember") for _ in range(6)),
        *(sell_cards_back(second_house, selling(ada, card.id)) for card in drawn),
    )
    assert await balance_of(house, ada) == 4_700 - 600 + 3 * SELL_BACK_MINOR


@pytest.mark.parametrize(
    "table",
    ["user_cards", "stock_items", "wallets", "ledger_entries", "outbox", "idempotency_keys"],
)
async def test_a_killed_sale_left_nothing_and_its_repetition_is_paid_once(
    house: House, ada: Person, drawn: list[UserCard], table: str
) -> None:
    before = await record_everything(house)
    await kill_at(house, table, sell_cards_back(house, selling(ada, drawn[0].id, key="once")))
    assert await record_everything(house) == before
    await sell_cards_back(house, selling(ada, drawn[0].id, key="once"))
    assert await balance_of(house, ada) == 4_700 + SELL_BACK_MINOR


def selling(person: Person, *cards: UserCardId, key: str | None = None) -> SellCardsBack:
    request = SaleRequest(user_card_ids=cards)
    return SellCardsBack(
        user_id=person.user_id, request=request, repeat=repeat_of(person, request, key)
    )
