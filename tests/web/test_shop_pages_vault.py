"""The vault's page: finding cards, and selling them back with the total in plain sight."""

import re

import httpx
import pytest

from conftest import TestClock
from worlds.page_forms import form_of, words_of

pytestmark = pytest.mark.usefixtures("shop")

UNKNOWN = "01890a5d-ac96-774b-bcce-b302099a8057"


async def cards_of(collector: httpx.AsyncClient) -> list[dict[str, object]]:
    """Open a pack of eight; gives the cards as the API tells them."""
    await collector.post(
        "/api/v1/packs/veil-eight/openings",
        json={"quantity": 1},
        headers={"Idempotency-Key": "open"},
    )
    items: list[dict[str, object]] = (await collector.get("/api/v1/vault?limit=100")).json()[
        "items"
    ]
    return items


async def balance_of(collector: httpx.AsyncClient) -> int:
    balance: int = (await collector.get("/api/v1/me")).json()["balance"]
    return balance


def offer(cards: list[dict[str, object]]) -> int:
    return sum(card["sell_back"]["amount"] for card in cards)  # type: ignore[index] # JSON


def ids(cards: list[dict[str, object]]) -> list[str]:
    return [str(card["id"]) for card in cards]


async def test_an_empty_vault_leads_to_the_packs(ada: httpx.AsyncClient) -> None:
    assert "Your vault is empty" in (await ada.get("/vault")).text


async def test_the_vault_needs_a_sign_in(client: httpx.AsyncClient) -> None:
    answer = await client.get("/vault?tier=S&sort=value")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/sign-in?next=/vault%3Ftier%3DS%26sort%3Dvalue"


async def test_cards_are_shown_by_tier_and_state(ada: httpx.AsyncClient) -> None:
    cards = await cards_of(ada)
    of_d = [card for card in cards if card["tier"] == "D"]
    page = (await ada.get("/vault?tier=D")).text
    assert page.count('name="user_card_ids"') == len(of_d)
    assert (await ada.get("/vault?state=sold")).text.count('name="user_card_ids"') == 0


@pytest.mark.parametrize("query", ["tier=Z", "state=gone", "sort=luck", "tier=%ff", "state="])
async def test_a_filter_that_does_not_exist_is_no_failure(
    ada: httpx.AsyncClient, query: str
) -> None:
    assert (await ada.get(f"/vault?{query}")).status_code in (200, 400)


@pytest.mark.parametrize("cursor", ["x", "e30", "WzEsMl0", "'"])
async def test_a_cursor_that_was_not_ours_is_refused(ada: httpx.AsyncClient, cursor: str) -> None:
    assert (await ada.get(f"/vault?cursor={cursor}")).status_code == 400


@pytest.mark.parametrize("sort", ["newest", "value"])
async def test_every_card_is_on_one_page_or_the_next(ada: httpx.AsyncClient, sort: str) -> None:
    for key in range(4):
        await ada.post(
            "/api/v1/packs/veil-eight/openings",
            json={"quantity": 1},
            headers={"Idempotency-Key": f"open-{key}"},
        )
    seen: list[str] = []
    address = f"/vault?sort={sort}"
    while address:
        page = (await ada.get(address)).text
        seen += re.findall(r'name="user_card_ids" value="([^"]+)"', page)
        address = page.partition('rel="next" href="')[2].partition('"')[0].replace("&amp;", "&")
    assert len(seen) == len(set(seen)) == 32


async def test_the_total_is_shown_before_anything_is_sold(ada: httpx.AsyncClient) -> None:
    cards = (await cards_of(ada))[:3]
    before = await balance_of(ada)
    page = await ada.post("/vault/sales", data={"user_card_ids": ids(cards), "total": ""})
    form = form_of(page.text, "/vault/sales")
    assert page.status_code == 200
    assert form.values["total"] == [str(offer(cards))]
    assert await balance_of(ada) == before
    answer = await ada.post(form.action, data=form.filled())
    assert answer.headers["location"] == "/vault?done=cards-sold"
    assert await balance_of(ada) == before + offer(cards)


async def test_whoever_has_seen_the_total_sells_at_once(ada: httpx.AsyncClient) -> None:
    cards = await cards_of(ada)
    sent = {"user_card_ids": ids(cards), "total": str(offer(cards))}
    before = await balance_of(ada)
    assert (await ada.post("/vault/sales", data=sent)).status_code == 303
    assert await balance_of(ada) == before + offer(cards)


async def test_a_sale_sent_twice_is_one_sale(ada: httpx.AsyncClient) -> None:
    cards = await cards_of(ada)
    sent = {"user_card_ids": ids(cards), "total": str(offer(cards))}
    turned = {"user_card_ids": ids(cards)[::-1], "total": str(offer(cards))}
    before = await balance_of(ada)
    assert (await ada.post("/vault/sales", data=sent)).status_code == 303
    assert (await ada.post("/vault/sales", data=turned)).status_code == 303
    assert await balance_of(ada) == before + offer(cards)


async def test_another_s_card_is_not_sold(ada: httpx.AsyncClient, ben: httpx.AsyncClient) -> None:
    cards = await cards_of(ada)
    answer = await ben.post("/vault/sales", data={"user_card_ids": ids(cards), "total": "0"})
    assert answer.status_code == 409
    assert await balance_of(ben) == 50_000


async def test_a_card_whose_time_is_over_is_kept_and_still_chosen(
    ada: httpx.AsyncClient, clock: TestClock
) -> None:
    cards = await cards_of(ada)
    clock.forward(days=8)
    answer = await ada.post(
        "/vault/sales", data={"user_card_ids": ids(cards), "total": str(offer(cards))}
    )
    assert answer.status_code == 409
    assert "Nothing was sold" in words_of(answer.text)
    shippable = [card for card in cards if card["is_shippable"]]
    assert answer.text.count(" checked>") == len(shippable)


@pytest.mark.parametrize("chosen", [[], ["x"], [UNKNOWN] * 201])
async def test_a_choice_that_cannot_be_gets_a_sentence(
    ada: httpx.AsyncClient, chosen: list[str]
) -> None:
    answer = await ada.post("/vault/sales", data={"user_card_ids": chosen})
    assert answer.status_code == 422
    assert "Choose the cards first" in answer.text
