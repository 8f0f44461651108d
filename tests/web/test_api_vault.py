"""The vault over the API: what is in it, and selling back."""

import asyncio
from datetime import datetime
from typing import Any

import httpx
import pytest

from conftest import TestClock
from packhouse.plumbing.audit import Actor

KEY = {"Idempotency-Key": "first"}


async def fill_vault(collector: httpx.AsyncClient, *, packs: int = 1) -> list[dict[str, Any]]:
    """Open packs of eight and give the vault, newest first."""
    opened = await collector.post(
        "/api/v1/packs/veil-eight/openings",
        json={"quantity": packs, "client_seed": "vault"},
        headers={"Idempotency-Key": "fill"},
    )
    assert opened.status_code == 201
    items: list[dict[str, Any]] = (await collector.get("/api/v1/vault?limit=100")).json()["items"]
    return items


async def sell(collector: httpx.AsyncClient, *ids: str, key: str = "first") -> httpx.Response:
    return await collector.post(
        "/api/v1/vault/sales",
        json={"user_card_ids": list(ids)},
        headers={"Idempotency-Key": key},
    )


async def test_a_card_in_the_vault_tells_all_about_itself(
    shop: Actor, ada: httpx.AsyncClient, clock: TestClock
) -> None:
    cards = await fill_vault(ada)
    assert len(cards) == 8
    for card in cards:
        assert card["state"] == "vaulted"
        assert card["card"].keys() == {"id", "name", "set", "number", "image_url"}
        assert card["sell_back"]["amount"] == card["value"] * 8_000 // 10_000
        assert datetime.fromisoformat(card["sell_back"]["until"]) > clock.now
        assert card["is_shippable"] is (card["tier"] != "D")


async def test_the_vault_is_filtered_by_tier_and_state(shop: Actor, ada: httpx.AsyncClient) -> None:
    cards = await fill_vault(ada, packs=3)
    await sell(ada, cards[0]["id"])
    sold = (await ada.get("/api/v1/vault?state=sold")).json()["items"]
    assert [card["id"] for card in sold] == [cards[0]["id"]]
    weak = (await ada.get("/api/v1/vault?tier=D&limit=100")).json()["items"]
    assert {card["id"] for card in weak} == {card["id"] for card in cards if card["tier"] == "D"}


@pytest.mark.parametrize("sort", ["newest", "value"])
async def test_pages_have_every_card_once_and_in_order(
    shop: Actor, ada: httpx.AsyncClient, sort: str
) -> None:
    cards = await fill_vault(ada, packs=2)
    seen: list[dict[str, Any]] = []
    cursor: str | None = ""
    while cursor is not None:
        url = f"/api/v1/vault?sort={sort}&limit=5&cursor={cursor}"
        page = (await ada.get(url)).json()
        seen += page["items"]
        cursor = page["next_cursor"]
    assert sorted(card["id"] for card in seen) == sorted(card["id"] for card in cards)
    positions = [(card["value"], card["id"]) if sort == "value" else card["id"] for card in seen]
    assert positions == sorted(positions, reverse=True)


@pytest.mark.parametrize(
    ("query", "field"), [("tier=Z", "tier"), ("state=lent", "state"), ("sort=name", "sort")]
)
async def test_an_unknown_filter_is_named(ada: httpx.AsyncClient, query: str, field: str) -> None:
    answer = await ada.get(f"/api/v1/vault?{query}")
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [field]


async def test_a_sale_pays_what_the_vault_says(shop: Actor, ada: httpx.AsyncClient) -> None:
    cards = await fill_vault(ada)
    wanted = cards[:3]
    answer = await sell(ada, *(card["id"] for card in wanted))
    assert answer.status_code == 201
    credited = sum(card["sell_back"]["amount"] for card in wanted)
    assert answer.json() == {"credited": credited, "balance": 49_500 + credited}


async def test_a_repeated_sale_is_paid_once(shop: Actor, ada: httpx.AsyncClient) -> None:
    cards = await fill_vault(ada)
    first = await sell(ada, cards[0]["id"])
    again = await sell(ada, cards[0]["id"])
    assert (again.status_code, again.json()) == (201, first.json())
    other = await sell(ada, cards[1]["id"])
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_key_reused")


async def test_a_card_sold_twice_at_once_is_sold_once(shop: Actor, ada: httpx.AsyncClient) -> None:
    cards = await fill_vault(ada)
    answers = await asyncio.gather(
        *(sell(ada, cards[0]["id"], key=str(number)) for number in range(6))
    )
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 5


async def test_a_sale_is_all_or_nothing(
    shop: Actor, ada: httpx.AsyncClient, ben: httpx.AsyncClient
) -> None:
    hers = await fill_vault(ada)
    his = await fill_vault(ben)
    answer = await sell(ada, hers[0]["id"], his[0]["id"])
    assert (answer.status_code, answer.json()["code"]) == (409, "card_not_in_vault")
    assert {card["state"] for card in (await ada.get("/api/v1/vault")).json()["items"]} == {
        "vaulted"
    }
    assert {card["state"] for card in (await ben.get("/api/v1/vault")).json()["items"]} == {
        "vaulted"
    }


async def test_after_its_time_a_card_is_not_bought_back(
    shop: Actor, ada: httpx.AsyncClient, clock: TestClock
) -> None:
    cards = await fill_vault(ada)
    clock.forward(days=8)
    answer = await sell(ada, cards[0]["id"])
    assert (answer.status_code, answer.json()["code"]) == (409, "sell_back_closed")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"user_card_ids": []}, "user_card_ids"),
        ({"user_card_ids": ["x"]}, "user_card_ids[0]"),
        ({"user_card_ids": "01890a5d-ac96-774b-bcce-b302099a8057"}, "user_card_ids"),
        ({}, "user_card_ids"),
        ({"user_card_ids": [None]}, "user_card_ids[0]"),
    ],
)
async def test_an_odd_sale_is_refused(
    ada: httpx.AsyncClient, body: dict[str, object], field: str
) -> None:
    answer = await ada.post("/api/v1/vault/sales", json=body, headers=KEY)
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [field]


async def test_a_visitor_has_no_vault(client: httpx.AsyncClient) -> None:
    assert (await client.get("/api/v1/vault")).status_code == 401
    assert (await sell(client, "01890a5d-ac96-774b-bcce-b302099a8057")).status_code == 401
