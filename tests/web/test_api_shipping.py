"""Having cards shipped, over the API."""

import asyncio
from typing import Any
from uuid import UUID

import httpx
import msgspec
import pytest

from packhouse.flows.move_shipment import FulfilShipment, Transition, fulfil_shipment
from packhouse.foundation.identifiers import ShippingRequestId
from packhouse.house import House
from packhouse.plumbing.audit import Actor

HOME = {
    "name": "Ada Example",
    "line1": "1 Lantern Street",
    "city": "Portland",
    "region": "OR",
    "postal_code": "97201",
    "country": "US",
}
UNKNOWN = "01890a5d-ac96-774b-bcce-b302099a8057"


async def cards_of(collector: httpx.AsyncClient) -> tuple[list[str], list[str]]:
    """Open a pack of eight; gives the ids of the cards that can be shipped, and of those not."""
    await collector.post(
        "/api/v1/packs/veil-eight/openings",
        json={"quantity": 1},
        headers={"Idempotency-Key": "open"},
    )
    cards = (await collector.get("/api/v1/vault?limit=100")).json()["items"]
    return (
        [card["id"] for card in cards if card["is_shippable"]],
        [card["id"] for card in cards if not card["is_shippable"]],
    )


async def ship(
    collector: httpx.AsyncClient, ids: list[str], *, key: str = "first", **changed: str
) -> httpx.Response:
    return await collector.post(
        "/api/v1/shipping-requests",
        json={"user_card_ids": ids, "address": HOME | changed},
        headers={"Idempotency-Key": key},
    )


async def balance_of(collector: httpx.AsyncClient) -> int:
    balance: int = (await collector.get("/api/v1/me")).json()["balance"]
    return balance


async def state_of(collector: httpx.AsyncClient, user_card_id: str) -> str:
    cards = (await collector.get("/api/v1/vault?limit=100")).json()["items"]
    return next(str(card["state"]) for card in cards if card["id"] == user_card_id)


async def move(house: House, actor: Actor, request: dict[str, Any], **transition: str) -> None:
    await fulfil_shipment(
        house,
        FulfilShipment(
            request_id=ShippingRequestId(UUID(request["id"])),
            transition=msgspec.convert(transition, Transition),
            actor=actor,
        ),
    )


@pytest.mark.parametrize("separator", [",", "&user_card_ids="])
async def test_a_quote_is_what_the_request_then_costs(
    shop: Actor, ada: httpx.AsyncClient, separator: str
) -> None:
    ids, _ = await cards_of(ada)
    joined = separator.join(ids)
    quote = await ada.get(f"/api/v1/shipping-quotes?country=us&user_card_ids={joined}")
    assert quote.status_code == 200
    assert quote.json()["cost"] == sum(line["amount"] for line in quote.json()["lines"])
    placed = await ship(ada, ids)
    assert placed.status_code == 201
    assert placed.json()["status"] == "pending"
    assert placed.json()["cost"] == quote.json()["cost"]
    assert placed.json()["quote"] == quote.json()
    assert placed.json()["balance"] == 49_500 - quote.json()["cost"] == await balance_of(ada)
    assert await state_of(ada, ids[0]) == "reserved"


@pytest.mark.parametrize(
    ("query", "fields"),
    [
        ("", {"country", "user_card_ids"}),
        ("country=US&user_card_ids=", {"user_card_ids"}),
        ("country=US&user_card_ids=x", {"user_card_ids"}),
        (f"country=XX&user_card_ids={UNKNOWN}", {"country"}),
    ],
)
async def test_an_odd_quote_is_refused(
    ada: httpx.AsyncClient, query: str, fields: set[str]
) -> None:
    answer = await ada.get(f"/api/v1/shipping-quotes?{query}")
    assert answer.status_code == 422
    assert {error["field"] for error in answer.json()["errors"]} == fields


async def test_a_repeated_request_is_paid_once(shop: Actor, ada: httpx.AsyncClient) -> None:
    ids, _ = await cards_of(ada)
    answers = await asyncio.gather(*(ship(ada, ids[:1]) for _ in range(4)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.text for answer in answers}) == 1
    assert await balance_of(ada) == 49_500 - answers[0].json()["cost"]
    other = await ship(ada, ids[:1], line1="2 Lantern Street")
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_key_reused")


async def test_a_card_in_two_requests_at_once_is_in_one(
    shop: Actor, ada: httpx.AsyncClient
) -> None:
    ids, _ = await cards_of(ada)
    answers = await asyncio.gather(*(ship(ada, ids[:1], key=str(number)) for number in range(4)))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]


async def test_digital_cards_and_other_peoples_are_not_shipped(
    shop: Actor, ada: httpx.AsyncClient, ben: httpx.AsyncClient
) -> None:
    hers, digital = await cards_of(ada)
    his, _ = await cards_of(ben)
    for number, ids in enumerate(([*hers, digital[0]], [*hers, his[0]], [UNKNOWN])):
        answer = await ship(ada, ids, key=str(number))
        assert (answer.status_code, answer.json()["code"]) == (409, "card_not_shippable")
    assert await state_of(ada, hers[0]) == "vaulted"


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"country": "ZZ"}, "address.country"),
        ({"postal_code": "x"}, "address.postal_code"),
        ({"name": ""}, "address.name"),
        ({"line1": "x" * 121}, "address.line1"),
        ({"planet": "Mars"}, "address.planet"),
        ({"city": "\x00"}, "address.city"),
    ],
)
async def test_a_bad_address_is_named_to_the_field(
    shop: Actor, ada: httpx.AsyncClient, changed: dict[str, str], field: str
) -> None:
    answer = await ship(ada, [UNKNOWN], **changed)
    assert answer.status_code == 422
    assert field in {error["field"] for error in answer.json()["errors"]}


async def test_some_countries_are_not_served(shop: Actor, ada: httpx.AsyncClient) -> None:
    ids, _ = await cards_of(ada)
    answer = await ada.get(f"/api/v1/shipping-quotes?country=KP&user_card_ids={ids[0]}")
    assert (answer.status_code, answer.json()["code"]) == (409, "destination_not_served")


async def test_a_collector_follows_the_parcel(
    house: House, shop: Actor, ada: httpx.AsyncClient
) -> None:
    ids, _ = await cards_of(ada)
    placed = (await ship(ada, ids)).json()
    await move(house, shop, placed, status="packing")
    await move(
        house,
        shop,
        placed,
        status="shipped",
        carrier="Gull Post",
        tracking_number="GP-1",
        note="Bon voyage",
    )
    shown = (await ada.get(f"/api/v1/shipping-requests/{placed['id']}")).json()
    assert (shown["status"], shown["carrier"], shown["tracking_number"]) == (
        "shipped",
        "Gull Post",
        "GP-1",
    )
    assert [event["status"] for event in shown["timeline"]] == ["pending", "packing", "shipped"]
    assert shown["timeline"][-1]["note"] == "Bon voyage"
    assert {card["user_card_id"] for card in shown["cards"]} == set(ids)
    assert shown["may_cancel"] is False
    assert (await ada.get("/api/v1/shipping-requests")).json()["items"] == [shown]


async def test_requests_come_in_pages(shop: Actor, ada: httpx.AsyncClient) -> None:
    await ada.post(
        "/api/v1/packs/veil-eight/openings",
        json={"quantity": 2},
        headers={"Idempotency-Key": "more"},
    )
    ids, _ = await cards_of(ada)
    placed = [(await ship(ada, [ids[n]], key=str(n))).json()["id"] for n in range(3)]
    first = (await ada.get("/api/v1/shipping-requests?limit=2")).json()
    rest = (
        await ada.get(f"/api/v1/shipping-requests?limit=2&cursor={first['next_cursor']}")
    ).json()
    assert [made["id"] for made in first["items"] + rest["items"]] == placed[::-1]
    assert rest["next_cursor"] is None


async def test_a_cancellation_gives_cards_and_credits_back(
    shop: Actor, ada: httpx.AsyncClient
) -> None:
    ids, _ = await cards_of(ada)
    placed = (await ship(ada, ids)).json()
    answer = await ada.post(f"/api/v1/shipping-requests/{placed['id']}/cancellation")
    assert (answer.status_code, answer.json()["status"]) == (201, "cancelled")
    assert await balance_of(ada) == 49_500
    assert await state_of(ada, ids[0]) == "vaulted"
    again = await ada.post(f"/api/v1/shipping-requests/{placed['id']}/cancellation")
    assert (again.status_code, again.json()["code"]) == (409, "bad_transition")
    assert await balance_of(ada) == 49_500


async def test_what_is_on_its_way_cannot_be_cancelled(
    house: House, shop: Actor, ada: httpx.AsyncClient
) -> None:
    ids, _ = await cards_of(ada)
    placed = (await ship(ada, ids)).json()
    await move(house, shop, placed, status="packing")
    await move(house, shop, placed, status="shipped")
    answer = await ada.post(f"/api/v1/shipping-requests/{placed['id']}/cancellation")
    assert (answer.status_code, answer.json()["code"]) == (409, "bad_transition")


async def test_other_peoples_requests_do_not_exist(
    shop: Actor, ada: httpx.AsyncClient, ben: httpx.AsyncClient
) -> None:
    ids, _ = await cards_of(ada)
    placed = (await ship(ada, ids)).json()["id"]
    for wanted in (placed, UNKNOWN, "x"):
        for answer in (
            await ben.get(f"/api/v1/shipping-requests/{wanted}"),
            await ben.post(f"/api/v1/shipping-requests/{wanted}/cancellation"),
        ):
            assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert (await ben.get("/api/v1/shipping-requests")).json()["items"] == []


async def test_a_visitor_ships_nothing(client: httpx.AsyncClient) -> None:
    for answer in (
        await ship(client, [UNKNOWN]),
        await client.get("/api/v1/shipping-requests"),
        await client.get(f"/api/v1/shipping-requests/{UNKNOWN}"),
        await client.post(f"/api/v1/shipping-requests/{UNKNOWN}/cancellation"),
        await client.get(f"/api/v1/shipping-quotes?country=US&user_card_ids={UNKNOWN}"),
    ):
        assert (answer.status_code, answer.json()["code"]) == (401, "not_signed_in")
