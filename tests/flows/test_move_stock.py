"""An operator moves copies of a card between the house and the sale."""

import pytest

from packhouse import catalog
from packhouse.catalog import Card, StockNotMovable
from packhouse.flows.import_catalog import ImportCatalog, import_catalog
from packhouse.flows.move_stock import MoveStock, StockMoved, move_stock
from packhouse.foundation.errors import InvalidInput, NotFound
from packhouse.foundation.events import CardCopies, StockAdded, StockWithdrawn
from packhouse.foundation.identifiers import PackId, StockItemId, new_id
from packhouse.house import House
from packhouse.plumbing.audit import Actor, list_audit_entries
from worlds.announced import list_facts

CLERK = Actor(user_id=new_id(), username="clerk", request_id="request-1")

FILE = b"""set_code,set_name,number,name,tier,value,quantity,place
EMB,Ember Hollow,001,Moth at the Bellows,D,0.50,40,on_sale
EMB,Ember Hollow,002,Cinder,A,18.00,3,house
"""


@pytest.fixture
async def cards(house: House) -> tuple[Card, Card]:
    """Moth, forty of it on sale, and Cinder, three of it in the house."""
    await import_catalog(house, ImportCatalog(content=FILE, file_name="ember.csv", actor=CLERK))
    async with house.database.connection() as connection:
        moth, cinder = await catalog.list_cards_page(
            connection, search=None, set_code=None, tier=None, after=None, limit=9
        )
    return moth, cinder


async def test_copies_are_moved_by_number_and_by_name(
    house: House, cards: tuple[Card, Card]
) -> None:
    _, cinder = cards
    moved = await move(house, cinder, "on_sale", quantity=2)
    assert await stock_of(house, cinder) == {"house": 1, "on_sale": 2}
    await move(house, cinder, "house", ids=moved.stock_item_ids[:1])
    assert await stock_of(house, cinder) == {"house": 2, "on_sale": 1}
    await move(house, cinder, "withdrawn", quantity=99, reason="Water damage.")
    assert await stock_of(house, cinder) == {"withdrawn": 3}
    async with house.database.connection() as connection:
        entries = await list_audit_entries(connection, before=None, limit=1)
    assert (entries[0].action, entries[0].reason) == ("withdraw_stock", "Water damage.")


async def test_a_withdrawal_needs_a_reason(house: House, cards: tuple[Card, Card]) -> None:
    moth, _ = cards
    with pytest.raises(InvalidInput):
        await move(house, moth, "withdrawn", quantity=1, reason=" ")


async def test_a_move_names_copies_or_a_number(house: House, cards: tuple[Card, Card]) -> None:
    moth, _ = cards
    for quantity, ids in ((None, ()), (1, (StockItemId(new_id()),)), (0, ()), (10_001, ())):
        with pytest.raises(InvalidInput):
            await move(house, moth, "house", quantity=quantity, ids=ids)


async def test_named_copies_move_all_or_none(house: House, cards: tuple[Card, Card]) -> None:
    moth, cinder = cards
    on_sale = (await move(house, cinder, "on_sale", quantity=1)).stock_item_ids
    async with house.database.connection() as connection:
        page = await catalog.list_stock_page(
            connection, card_id=cinder.id, place="house", after=None, limit=9
        )
    with pytest.raises(StockNotMovable):
        await move(house, cinder, "on_sale", ids=(page[0].id, *on_sale))
    with pytest.raises(NotFound):
        await move(house, moth, "house", ids=on_sale)
    assert await stock_of(house, cinder) == {"house": 2, "on_sale": 1}


async def test_nothing_to_move_is_not_found(house: House, cards: tuple[Card, Card]) -> None:
    moth, _ = cards
    with pytest.raises(NotFound):
        await move(house, moth, "on_sale", quantity=1)


async def test_stock_put_on_sale_ends_the_pauses_that_waited_for_it(
    house: House, cards: tuple[Card, Card]
) -> None:
    _, cinder = cards
    async with house.database.transaction() as connection:
        pack_id = PackId(new_id())
        await connection.execute(
            "INSERT INTO packs (id, slug, created_at) VALUES ($1, 'ember', $2)",
            pack_id,
            house.clock(),
        )
        await catalog.insert_pack_pauses(connection, [(pack_id, cinder.id)], now=house.clock())
    await move(house, cinder, "on_sale", quantity=1)
    async with house.database.connection() as connection:
        assert not await catalog.list_pack_pauses(connection)


async def test_copies_put_on_sale_are_added_in_the_log(
    house: House, cards: tuple[Card, Card]
) -> None:
    _, cinder = cards
    await move(house, cinder, "on_sale", quantity=2)
    added = await list_facts(house, StockAdded)
    assert added[-1] == StockAdded(cards=(CardCopies(card=cinder.id, copies=2),))


async def test_copies_taken_off_the_sale_are_withdrawn_in_the_log(
    house: House, cards: tuple[Card, Card]
) -> None:
    _, cinder = cards
    moved = await move(house, cinder, "on_sale", quantity=2)
    await move(house, cinder, "house", ids=moved.stock_item_ids[:1])
    # One of the three is on sale, and the log had heard of no other.
    await move(house, cinder, "withdrawn", quantity=3, reason="Water damage.")
    one = StockWithdrawn(cards=(CardCopies(card=cinder.id, copies=1),))
    assert await list_facts(house, StockWithdrawn) == [one, one]


async def test_moves_that_do_not_touch_the_sale_are_not_in_the_log(
    house: House, cards: tuple[Card, Card]
) -> None:
    _, cinder = cards
    before = await list_facts(house, StockAdded)
    await move(house, cinder, "withdrawn", quantity=3, reason="Water damage.")
    await move(house, cinder, "house", quantity=3)
    assert await list_facts(house, StockAdded) == before
    assert await list_facts(house, StockWithdrawn) == []


async def stock_of(house: House, card: Card) -> dict[catalog.Place, int]:
    async with house.database.connection() as connection:
        return (await catalog.count_stock_by_place(connection, [card.id]))[card.id]


async def move(
    house: House,
    card: Card,
    to_place: catalog.StaffPlace,
    *,
    quantity: int | None = None,
    ids: tuple[StockItemId, ...] = (),
    reason: str | None = None,
) -> StockMoved:
    command = MoveStock(
        card_id=card.id,
        to_place=to_place,
        actor=CLERK,
        stock_item_ids=ids,
        quantity=quantity,
        reason=reason,
    )
    return await move_stock(house, command)
