"""Stock and the catalogue on the operator's pages."""

import re

import httpx

from packhouse import catalog
from packhouse.catalog import Card
from packhouse.house import House


async def veil(house: House, number: str) -> Card:
    async with house.database.connection() as connection:
        cards = await catalog.list_cards_of_sets(connection, ["VEIL"])
    return next(card for card in cards if card.number == number)


async def places_of(house: House, card: Card) -> dict[catalog.Place, int]:
    async with house.database.connection() as connection:
        return (await catalog.count_stock_by_place(connection, [card.id]))[card.id]


async def test_cards_are_found_by_name_set_and_tier(olga: httpx.AsyncClient) -> None:
    for path in ("/admin/stock", "/admin/cards"):
        found = (await olga.get(path, params={"q": "veil 02", "set": "VEIL", "tier": "S"})).text
        assert "Veil 020" in found
        assert "Veil 021" not in found
        assert "No card fits" in (await olga.get(path, params={"q": "no such card"})).text


async def test_copies_are_taken_back_and_put_on_sale_by_number(
    house: House, olga: httpx.AsyncClient
) -> None:
    card = await veil(house, "007")
    taken = await olga.post(
        "/admin/stock",
        data={"card_id": str(card.id), f"{card.id}-quantity": "5", "to": "house", "q": "Veil 007"},
    )
    assert taken.headers["location"] == "/admin/stock?q=Veil+007&done=house&count=5"
    assert (await places_of(house, card))["house"] == 5
    put = await olga.post(f"/admin/stock/{card.id}", data={"quantity": "2", "to": "on_sale"})
    assert put.headers["location"] == f"/admin/stock/{card.id}?done=on_sale&count=2"
    assert (await places_of(house, card))["house"] == 3


async def test_a_withdrawal_needs_a_reason_and_the_ticks_stay(
    house: House, olga: httpx.AsyncClient
) -> None:
    card = await veil(house, "008")
    page = (await olga.get(f"/admin/stock/{card.id}")).text
    copy = re.findall(r'name="stock_item_ids" value="([0-9a-f-]+)"', page)[0]
    form = {"stock_item_ids": copy, "to": "withdrawn"}
    refused = await olga.post(f"/admin/stock/{card.id}", data=form)
    assert refused.status_code == 422
    assert "a withdrawal needs a reason" in refused.text
    assert re.search(rf'value="{copy}"[^>]* checked', refused.text)
    done = await olga.post(f"/admin/stock/{card.id}", data=form | {"reason": "Bent corner"})
    assert done.status_code == 303
    assert (await places_of(house, card))["withdrawn"] == 1


async def test_a_number_that_is_none_comes_back_with_what_was_typed(
    house: House, olga: httpx.AsyncClient
) -> None:
    card = await veil(house, "009")
    answer = await olga.post(
        f"/admin/stock/{card.id}", data={"quantity": "a few", "to": "house", "reason": "Recount"}
    )
    assert answer.status_code == 422
    assert 'value="a few"' in answer.text
    assert 'value="Recount"' in answer.text


async def test_a_digital_card_has_no_copies_to_move(house: House, olga: httpx.AsyncClient) -> None:
    card = await veil(house, "001")
    assert "unlimited, without copies" in (await olga.get(f"/admin/stock/{card.id}")).text
