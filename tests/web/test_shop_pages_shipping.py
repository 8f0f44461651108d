"""Parcels' pages: the address by country, the cost before it is paid, and the parcel's way."""

from uuid import UUID

import httpx
import pytest

from packhouse.flows.move_shipment import FulfilShipment, Transition, fulfil_shipment
from packhouse.foundation.identifiers import ShippingRequestId
from packhouse.house import House
from packhouse.plumbing.audit import Actor
from packhouse.shipping import ShippingStatus
from worlds.page_forms import PageForm, form_of, words_of

HOME = {
    "name": "Ada Example",
    "line1": "1 Lantern Street",
    "city": "Portland",
    "region": "OR",
    "postal_code": "97201",
}
UNKNOWN = "01890a5d-ac96-774b-bcce-b302099a8057"


@pytest.fixture
async def card(ada: httpx.AsyncClient, shop: Actor) -> str:
    """The id of a card of Ada's that can be sent."""
    assert shop is not None
    await ada.post(
        "/api/v1/packs/veil-eight/openings", json={}, headers={"Idempotency-Key": "open"}
    )
    cards = (await ada.get("/api/v1/vault?limit=100")).json()["items"]
    return next(str(card["id"]) for card in cards if card["is_shippable"])


async def order_form(collector: httpx.AsyncClient, card: str) -> PageForm:
    page = await collector.get("/shipping/new", params={"user_card_ids": card})
    return form_of(page.text, "/shipping")


async def order(collector: httpx.AsyncClient, card: str) -> str:
    """Order a parcel by the form; gives its address."""
    form = await order_form(collector, card)
    answer = await collector.post(form.action, data=form.filled(**HOME))
    location: str = answer.headers["location"]
    return location.partition("?")[0]


async def balance_of(collector: httpx.AsyncClient) -> int:
    balance: int = (await collector.get("/api/v1/me")).json()["balance"]
    return balance


async def move(house: House, actor: Actor, parcel: str, status: ShippingStatus) -> None:
    request_id = ShippingRequestId(UUID(parcel.rpartition("/")[2]))
    transition = Transition(
        status=status,
        carrier="Northern Post" if status == "shipped" else None,
        tracking_number="NP-77-001" if status == "shipped" else None,
    )
    await fulfil_shipment(house, FulfilShipment(request_id, transition, actor))


async def test_parcels_need_a_sign_in(client: httpx.AsyncClient) -> None:
    assert (await client.get("/shipping")).headers["location"] == "/sign-in?next=/shipping"
    answer = await client.post("/shipping", data={"country": "US"})
    assert answer.headers["location"] == "/sign-in?next=/shipping"


async def test_without_cards_there_is_a_way_to_the_vault(ada: httpx.AsyncClient) -> None:
    page = await ada.get("/shipping/new")
    assert page.status_code == 200
    assert "Choose them in your vault first" in page.text


async def test_the_cost_is_shown_before_it_is_paid(ada: httpx.AsyncClient, card: str) -> None:
    quote = (await ada.get(f"/api/v1/shipping-quotes?user_card_ids={card}&country=US")).json()
    form = await order_form(ada, card)
    assert form.values["shown_cost"] == [str(quote["cost"])]
    before = await balance_of(ada)
    answer = await ada.post(form.action, data=form.filled(**HOME))
    assert answer.status_code == 303
    assert await balance_of(ada) == before - quote["cost"]


async def test_a_country_has_its_own_fields_and_keeps_what_was_typed(
    ada: httpx.AsyncClient, card: str
) -> None:
    form = await order_form(ada, card)
    page = await ada.post("/shipping/new", data=form.filled(**HOME, country="JP"))
    assert page.status_code == 200
    assert "Prefecture" in page.text
    assert form_of(page.text, "/shipping").values["line1"] == ["1 Lantern Street"]
    assert form_of(page.text, "/shipping").values["shown_country"] == ["JP"]


async def test_a_country_changed_at_the_last_moment_costs_nothing_yet(
    ada: httpx.AsyncClient, card: str
) -> None:
    form = await order_form(ada, card)
    before = await balance_of(ada)
    answer = await ada.post(form.action, data=form.filled(**HOME, country="CA"))
    assert answer.status_code == 422
    assert "You chose another country" in answer.text
    assert await balance_of(ada) == before


async def test_a_cost_that_was_not_shown_is_not_paid(ada: httpx.AsyncClient, card: str) -> None:
    form = await order_form(ada, card)
    answer = await ada.post(form.action, data=form.filled(**HOME, shown_cost="1"))
    assert answer.status_code == 422
    assert "another than the one shown" in answer.text


@pytest.mark.parametrize(
    ("field", "typed", "sentence"),
    [
        ("postal_code", "ABC", "looks like"),
        ("region", "ZZ", "no such state"),
        ("city", "", "City is needed"),
        ("name", "x" * 101, "This is too long."),
        ("phone", "call me", "A phone number has digits"),
    ],
)
async def test_a_bad_field_gets_a_sentence_and_stays_as_typed(
    ada: httpx.AsyncClient, card: str, field: str, typed: str, sentence: str
) -> None:
    form = await order_form(ada, card)
    answer = await ada.post(form.action, data=form.filled(**{**HOME, field: typed}))
    assert answer.status_code == 422
    assert sentence in words_of(answer.text)
    again = form_of(answer.text, "/shipping")
    assert again.values["line1"] == ["1 Lantern Street"]
    if field != "region":
        assert again.values[field] == [typed]


@pytest.mark.parametrize("country", ["ZZ", "", "usa", "<b>", "RU"])
async def test_a_country_that_is_none_or_not_served_is_said_so(
    ada: httpx.AsyncClient, card: str, country: str
) -> None:
    form = await order_form(ada, card)
    sent = form.filled(**HOME, country=country, shown_country=country)
    answer = await ada.post(form.action, data=sent)
    assert answer.status_code in (409, 422)


async def test_an_order_sent_twice_is_one_parcel(ada: httpx.AsyncClient, card: str) -> None:
    form = await order_form(ada, card)
    first = await ada.post(form.action, data=form.filled(**HOME))
    await ada.post(form.action, data=form.filled(**HOME))
    parcels = (await ada.get("/api/v1/shipping-requests")).json()["items"]
    assert first.status_code == 303
    assert len(parcels) == 1


async def test_another_s_card_is_not_sent(ben: httpx.AsyncClient, card: str) -> None:
    page = await ben.get("/shipping/new", params={"user_card_ids": card})
    assert page.status_code == 409
    assert 'name="shown_cost"' not in page.text


@pytest.mark.parametrize(
    "query", ["user_card_ids=x", "user_card_ids=" + "&user_card_ids=".join([UNKNOWN] * 201)]
)
async def test_a_link_to_impossible_cards_is_no_failure(ada: httpx.AsyncClient, query: str) -> None:
    assert (await ada.get(f"/shipping/new?{query}")).status_code == 422


async def test_the_last_address_is_offered_again(ada: httpx.AsyncClient, card: str) -> None:
    parcel = await order(ada, card)
    await ada.post(f"{parcel}/cancellation")
    form = await order_form(ada, card)
    assert form.values["line1"] == ["1 Lantern Street"]
    assert form.values["region"] == ["OR"]


async def test_a_parcel_s_page_tells_its_way(
    house: House, shop: Actor, ada: httpx.AsyncClient, card: str
) -> None:
    parcel = await order(ada, card)
    for status in ("packing", "shipped"):
        await move(house, shop, parcel, status)
    words = words_of((await ada.get(parcel)).text)
    assert "Northern Post, tracking NP-77-001" in words
    assert "Delivered (still ahead)" in words
    assert "PORTLAND, OR 97201" in words
    assert f"{parcel}/cancellation" not in (await ada.get(parcel)).text


async def test_a_parcel_called_off_gives_cards_and_credits_back(
    ada: httpx.AsyncClient, card: str
) -> None:
    before = await balance_of(ada)
    parcel = await order(ada, card)
    answer = await ada.post(f"{parcel}/cancellation")
    assert answer.headers["location"] == f"{parcel}?done=parcel-called-off"
    assert await balance_of(ada) == before
    assert "Called off" in (await ada.get(parcel)).text


async def test_a_parcel_that_has_left_cannot_be_called_off(
    house: House, shop: Actor, ada: httpx.AsyncClient, card: str
) -> None:
    parcel = await order(ada, card)
    for status in ("packing", "shipped"):
        await move(house, shop, parcel, status)
    answer = await ada.post(f"{parcel}/cancellation")
    assert answer.status_code == 409
    assert "Nothing was changed" in answer.text


async def test_another_s_parcel_is_not_found(
    ada: httpx.AsyncClient, ben: httpx.AsyncClient, card: str
) -> None:
    parcel = await order(ada, card)
    assert (await ben.get(parcel)).status_code == 404
    assert (await ben.post(f"{parcel}/cancellation")).status_code == 404
    assert parcel not in (await ben.get("/shipping")).text
    assert parcel in (await ada.get("/shipping")).text


async def test_too_few_credits_are_said_so(ada: httpx.AsyncClient, card: str, house: House) -> None:
    form = await order_form(ada, card)
    async with house.database.transaction() as connection:
        await connection.execute("UPDATE wallets SET balance = 0")
    answer = await ada.post(form.action, data=form.filled(**HOME))
    assert answer.status_code == 402
    assert 'href="/wallet"' in answer.text
    assert form_of(answer.text, "/shipping").values["name"] == ["Ada Example"]
