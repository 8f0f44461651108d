"""A collector has cards shipped: quoted, paid and reserved in one step, once."""

import asyncio

import msgspec
import pytest

from packhouse import shipping
from packhouse.accounts import AccountSuspended
from packhouse.catalog import Card
from packhouse.flows.request_shipping import (
    QuoteShipping,
    RequestShipping,
    ShippingOrder,
    quote_shipping,
    request_shipping,
)
from packhouse.flows.sell_cards_back import SaleRequest, SellCardsBack, sell_cards_back
from packhouse.foundation.errors import InvalidInput
from packhouse.foundation.identifiers import UserCardId, new_id
from packhouse.house import House
from packhouse.plumbing.idempotency import IdempotencyKeyReused
from packhouse.shipping import Address, CardNotShippable, DestinationNotServed, ParcelTooValuable
from packhouse.vault import CardNotInVault, UserCard
from packhouse.wallet import InsufficientCredits
from worlds.ember_counter import (
    PORTLAND,
    Person,
    balance_of,
    cards_of,
    entries_of,
    kill_at,
    odds_of,
    open_one,
    outcomes_of,
    places_of,
    publish,
    record_everything,
    relay_all,
    repeat_of,
    stock_card,
    suspend,
    welcome,
)


@pytest.fixture
async def drawn(house: House, ada: Person, ember: Card) -> list[UserCard]:
    """Three cards in Ada's vault, of which she has 47.00 credits left."""
    await open_one(house, ada, "ember", quantity=3)
    return await cards_of(house, ada)


async def test_cards_are_quoted_paid_and_reserved(
    house: House, ada: Person, ember: Card, drawn: list[UserCard]
) -> None:
    chosen = [drawn[0].id, drawn[1].id]
    quote = await quote_shipping(house, QuoteShipping(ada.user_id, tuple(chosen), "us"))
    placed = await request_shipping(house, order(ada, *chosen))
    assert (placed.quote, placed.cost, placed.status) == (quote, quote.cost_minor, "pending")
    assert placed.balance == await balance_of(house, ada) == 4_700 - quote.cost_minor
    states = {card.id: card.state for card in await cards_of(house, ada)}
    assert states == {drawn[0].id: "reserved", drawn[1].id: "reserved", drawn[2].id: "vaulted"}
    assert await places_of(house, ember) == {"on_sale": 37, "reserved": 2, "vaulted": 1}
    entry = (await entries_of(house, ada))[-1]
    assert (entry.kind, entry.amount, entry.reference) == (
        "shipping",
        -quote.cost_minor,
        placed.id,
    )
    async with house.database.connection() as connection:
        kept = await shipping.find_shipping_request(
            connection, user_id=ada.user_id, request_id=placed.id
        )
        items = await shipping.list_shipping_request_items(
            connection, user_id=ada.user_id, request_id=placed.id
        )
        (event,) = await shipping.list_shipping_request_events(
            connection, user_id=ada.user_id, request_id=placed.id
        )
    assert kept is not None
    assert (kept.status, kept.address.city) == ("pending", "Portland")
    assert {item.user_card_id for item in items} == set(chosen)
    assert (event.sequence, event.status, event.actor_id) == (1, "pending", ada.user_id)
    await relay_all(house)


async def test_a_graded_copy_weighs_more_than_a_raw_one(
    house: House, ada: Person, drawn: list[UserCard]
) -> None:
    raw = await quote_shipping(house, QuoteShipping(ada.user_id, (drawn[0].id,), "US"))
    async with house.database.transaction() as connection:
        await connection.execute("UPDATE stock_items SET grade = '9.5'")
    graded = await quote_shipping(house, QuoteShipping(ada.user_id, (drawn[0].id,), "US"))
    assert graded.weight_grams > raw.weight_grams


async def test_cards_that_cannot_be_shipped_keep_all_where_they_are(
    house: House, ada: Person, ben: Person, spark: Card, drawn: list[UserCard]
) -> None:
    await request_shipping(house, order(ada, drawn[2].id))
    await open_one(house, ada, "spark")
    digital = (await cards_of(house, ada))[0].id
    await open_one(house, ben, "ember")
    (bens,) = await cards_of(house, ben)
    before = await record_everything(house)
    for card_id in (drawn[2].id, digital, bens.id, UserCardId(new_id())):
        with pytest.raises(CardNotShippable) as refusal:
            await request_shipping(house, order(ada, drawn[0].id, card_id))
        assert refusal.value.fields == {"user_card_ids": [str(card_id)]}
    assert await record_everything(house) == before


async def test_an_address_out_of_form_changes_nothing(
    house: House, ada: Person, drawn: list[UserCard]
) -> None:
    before = await record_everything(house)
    for field in ({"postal_code": "ABCDE"}, {"country": "XX"}, {"name": " "}):
        address = msgspec.structs.replace(PORTLAND, **field)
        with pytest.raises(InvalidInput):
            await request_shipping(house, order(ada, drawn[0].id, address=address))
    assert await record_everything(house) == before


async def test_a_destination_that_is_not_served_changes_nothing(
    house: House, ada: Person, drawn: list[UserCard]
) -> None:
    before = await record_everything(house)
    havana = Address(
        name="Ada Quill", line1="Calle 23", city="La Habana", postal_code="10400", country="CU"
    )
    with pytest.raises((DestinationNotServed, InvalidInput)):
        await request_shipping(house, order(ada, drawn[0].id, address=havana))
    with pytest.raises(DestinationNotServed):
        await quote_shipping(house, QuoteShipping(ada.user_id, (drawn[0].id,), "CU"))
    assert await record_everything(house) == before


async def test_a_parcel_over_what_is_insured_changes_nothing(
    house: House, olga: Person, ada: Person
) -> None:
    await stock_card(house, olga, "061", tier="SSS", value=5_000_001, copies=1)
    await publish(house, olga, "crown", odds_of("061", tier="SSS"))
    await open_one(house, ada, "crown")
    (card,) = await cards_of(house, ada)
    before = await record_everything(house)
    with pytest.raises(ParcelTooValuable):
        await request_shipping(house, order(ada, card.id))
    assert await record_everything(house) == before


async def test_credits_that_do_not_cover_the_parcel_change_nothing(
    house: House, ember: Card
) -> None:
    cleo = await welcome(house, "cleo", credits_minor=150)
    await open_one(house, cleo, "ember")
    (card,) = await cards_of(house, cleo)
    before = await record_everything(house)
    with pytest.raises(InsufficientCredits):
        await request_shipping(house, order(cleo, card.id))
    assert await record_everything(house) == before


async def test_a_suspended_collector_ships_nothing(
    house: House, ada: Person, drawn: list[UserCard]
) -> None:
    await suspend(house, ada)
    before = await record_everything(house)
    with pytest.raises(AccountSuspended):
        await request_shipping(house, order(ada, drawn[0].id))
    assert await record_everything(house) == before


async def test_the_same_request_again_is_answered_again_and_paid_once(
    house: House, ada: Person, drawn: list[UserCard]
) -> None:
    placed = await request_shipping(house, order(ada, drawn[0].id, key="once"))
    before = await record_everything(house)
    assert await request_shipping(house, order(ada, drawn[0].id, key="once")) == placed
    with pytest.raises(IdempotencyKeyReused):
        await request_shipping(house, order(ada, drawn[1].id, key="once"))
    assert await record_everything(house) == before


async def test_a_card_is_shipped_or_sold_but_never_both(
    house: House, second_house: House, ada: Person, drawn: list[UserCard]
) -> None:
    sale = SaleRequest(user_card_ids=(drawn[0].id,))
    results = await asyncio.gather(
        *(request_shipping(house, order(ada, drawn[0].id)) for _ in range(4)),
        *(
            sell_cards_back(second_house, SellCardsBack(ada.user_id, sale, repeat_of(ada, sale)))
            for _ in range(4)
        ),
        return_exceptions=True,
    )
    refused = outcomes_of(results, CardNotShippable) + outcomes_of(results, CardNotInVault)
    assert refused == 7


@pytest.mark.parametrize(
    "table",
    [
        "user_cards",
        "stock_items",
        "shipping_requests",
        "shipping_request_items",
        "shipping_request_events",
        "wallets",
        "outbox",
        "idempotency_keys",
    ],
)
async def test_a_killed_request_left_nothing_and_its_repetition_is_paid_once(
    house: House, ada: Person, drawn: list[UserCard], table: str
) -> None:
    before = await record_everything(house)
    await kill_at(house, table, request_shipping(house, order(ada, drawn[0].id, key="once")))
    assert await record_everything(house) == before
    placed = await request_shipping(house, order(ada, drawn[0].id, key="once"))
    assert await balance_of(house, ada) == 4_700 - placed.cost


def order(
    person: Person, *cards: UserCardId, key: str | None = None, address: Address = PORTLAND
) -> RequestShipping:
    request = ShippingOrder(user_card_ids=cards, address=address)
    return RequestShipping(
        user_id=person.user_id, request=request, repeat=repeat_of(person, request, key)
    )
