"""Composing and publishing packs over the operators' API."""

from typing import Any

import httpx
import pytest

from packhouse.house import House

PACKS = "/api/v1/admin/packs"


@pytest.fixture
async def draft(olga: httpx.AsyncClient) -> dict[str, Any]:
    """The draft of the pack of one card, to change and send."""
    answer = await olga.get(f"{PACKS}/veil-one")
    drafted: dict[str, Any] = answer.json()["draft"]
    return drafted


async def test_every_pack_is_listed_in_the_order_of_the_shelf(olga: httpx.AsyncClient) -> None:
    listed = (await olga.get(PACKS)).json()
    assert [pack["slug"] for pack in listed["items"]] == [
        "veil-one",
        "veil-eight",
        "veil-five",
        "veil-lot",
    ]
    assert listed["next_cursor"] is None
    assert all(pack["is_on_sale"] and pack["version"] == 1 for pack in listed["items"])


async def test_a_pack_is_drafted_simulated_published_and_withdrawn(
    olga: httpx.AsyncClient, ada: httpx.AsyncClient, draft: dict[str, Any]
) -> None:
    made = await olga.post(PACKS, json={"slug": "new", "draft": draft, "position": 9})
    assert made.status_code == 201
    assert (made.json()["is_on_sale"], made.json()["position"]) == (False, 9)
    assert (await ada.get("/api/v1/packs/new")).status_code == 404
    seen = (await olga.post(f"{PACKS}/new/simulation", json={"openings": 100})).json()
    published = await olga.post(f"{PACKS}/new/versions", json={"reason": "A festival."})
    assert published.status_code == 201
    assert published.json()["prospect"] == seen["prospect"]
    opened = await ada.post(
        "/api/v1/packs/new/openings",
        json={"config_hash": published.json()["config_hash"]},
        headers={"Idempotency-Key": "first"},
    )
    assert opened.status_code == 201
    gone = await olga.post(f"{PACKS}/new/withdrawal", json={"reason": "The festival is over."})
    assert (gone.status_code, gone.json()["is_on_sale"]) == (201, False)
    assert (await ada.get("/api/v1/packs/new")).status_code == 404


async def test_expected_value_and_margin_are_exact_fractions(
    olga: httpx.AsyncClient, draft: dict[str, Any]
) -> None:
    slot = {"name": "Card", "odds": [{"tier": "D", "weight": 1}, {"tier": "B", "weight": 2}]}
    draft |= {"layouts": [{"name": "One", "slots": [slot]}], "price": 500}
    await olga.post(PACKS, json={"slug": "thirds", "draft": draft})
    prospect = (await olga.post(f"{PACKS}/thirds/versions", json={})).json()["prospect"]
    # D cards are worth 11 … 16, B cards 132 … 135: 13.5 / 3 + 133.5 × 2 / 3, of which 80 %.
    assert prospect == {
        "price": 500,
        "expected_value": {"numerator": 187, "denominator": 2, "decimal": "93.5000"},
        "expected_sell_back": {"numerator": 374, "denominator": 5, "decimal": "74.8000"},
        "margin": {"numerator": 2126, "denominator": 5, "decimal": "425.2000"},
        "pays_back_more_than_it_costs": False,
    }


async def test_a_pack_that_pays_back_its_price_needs_a_reason(
    olga: httpx.AsyncClient, draft: dict[str, Any]
) -> None:
    await olga.post(PACKS, json={"slug": "gift", "draft": draft | {"price": 1}})
    refused = await olga.post(f"{PACKS}/gift/versions", json={})
    assert (refused.status_code, refused.json()["code"]) == (422, "reason_required")
    published = await olga.post(f"{PACKS}/gift/versions", json={"reason": "A gift."})
    assert published.json()["prospect"]["margin"]["decimal"].startswith("-")
    (version,) = (await olga.get(f"{PACKS}/gift/versions")).json()["items"]
    assert version["reason"] == "A gift."


async def test_versions_stay_as_they_were_published(
    house: House, olga: httpx.AsyncClient, draft: dict[str, Any]
) -> None:
    (before,) = (await olga.get(f"{PACKS}/veil-one/versions")).json()["items"]
    changed = await olga.put(f"{PACKS}/veil-one", json={"draft": draft | {"price": 777}})
    assert changed.json()["draft"]["price"] == 777
    assert changed.json()["version"] == 1
    published = await olga.post(f"{PACKS}/veil-one/versions", json={"reason": "Inflation."})
    assert published.json()["number"] == 2
    newest, oldest = (await olga.get(f"{PACKS}/veil-one/versions")).json()["items"]
    assert oldest == before
    assert (newest["config"]["price"], newest["number"]) == (777, 2)
    assert newest["config_hash"] == published.json()["config_hash"]


async def test_whoever_was_shown_the_old_version_pays_nothing_for_the_new_one(
    olga: httpx.AsyncClient, ada: httpx.AsyncClient
) -> None:
    (old,) = (await olga.get(f"{PACKS}/veil-one/versions")).json()["items"]
    await olga.post(f"{PACKS}/veil-one/versions", json={"reason": "Again."})
    refused = await ada.post(
        "/api/v1/packs/veil-one/openings",
        json={"config_hash": old["config_hash"]},
        headers={"Idempotency-Key": "first"},
    )
    assert (refused.status_code, refused.json()["code"]) == (409, "pack_changed")


async def test_a_slug_is_taken_once(olga: httpx.AsyncClient, draft: dict[str, Any]) -> None:
    refused = await olga.post(PACKS, json={"slug": "veil-one", "draft": draft})
    assert (refused.status_code, refused.json()["code"]) == (409, "slug_taken")
    refused = await olga.post(PACKS, json={"slug": "Not a slug", "draft": draft})
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid_input")


async def test_a_draft_that_cannot_be_composed_names_every_problem(
    olga: httpx.AsyncClient, draft: dict[str, Any]
) -> None:
    unknown = {"tier": "D", "weight": 1, "cards": [{"card": "VEIL-998"}, {"card": "VEIL-999"}]}
    layout = {"name": "One", "slots": [{"name": "Card", "odds": [unknown]}]}
    refused = await olga.put(f"{PACKS}/veil-one", json={"draft": draft | {"layouts": [layout]}})
    assert refused.status_code == 422
    assert len(refused.json()["errors"]) == 2


async def test_a_simulation_is_the_same_again_with_its_seed(olga: httpx.AsyncClient) -> None:
    body = {"openings": 300}
    first = (await olga.post(f"{PACKS}/veil-eight/simulation", json=body)).json()
    again = await olga.post(
        f"{PACKS}/veil-eight/simulation", json=body | {"seed": first["spread"]["seed"]}
    )
    assert again.json() == first
    assert [tier["tier"] for tier in first["tiers"]] == ["D", "C", "B", "A", "S", "SS", "SSS"]
    assert first["cards_per_pack"] == 8
    assert first["stock"]["cards"][0]["copies"] <= 40
    payouts = [each["payout"] for each in first["spread"]["percentiles"]]
    assert payouts == sorted(payouts)


async def test_a_simulation_writes_nothing_but_that_it_was_asked_for(
    olga: httpx.AsyncClient, draft: dict[str, Any]
) -> None:
    answer = await olga.post(f"{PACKS}/only-an-idea/simulation", json={"draft": draft})
    assert answer.status_code == 200
    assert (await olga.get(f"{PACKS}/only-an-idea")).status_code == 404


async def test_publishing_a_lot_anew_takes_its_copies_from_the_lot_before(
    olga: httpx.AsyncClient,
) -> None:
    for _ in range(20):
        answer = await olga.post(f"{PACKS}/veil-lot/versions", json={"reason": "More."})
        assert answer.status_code == 201
