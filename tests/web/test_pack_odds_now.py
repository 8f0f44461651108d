"""True odds at this moment: they follow exactly from the feed up to the sequence that they name."""

import hashlib
import json
from fractions import Fraction
from math import comb
from typing import Any

import httpx

from packhouse import catalog
from packhouse.flows.relay_events import relay_events
from packhouse.foundation.money import share_of
from packhouse.house import House
from packhouse.plumbing.audit import Actor
from worlds.page_forms import words_of

SLUG = "veil-lot"


async def now_of(client: httpx.AsyncClient, slug: str = SLUG) -> dict[str, Any]:
    now: dict[str, Any] = (await client.get(f"/api/v1/packs/{slug}")).json()["now"]
    return now


async def open_packs(client: httpx.AsyncClient, quantity: int, *, slug: str = SLUG) -> None:
    count = len((await client.get("/api/v1/openings?limit=100")).json()["items"])
    answer = await client.post(
        f"/api/v1/packs/{slug}/openings",
        json={"quantity": quantity},
        headers={"Idempotency-Key": f"after-{count}"},
    )
    assert answer.status_code == 201


async def left_by_the_feed(client: httpx.AsyncClient, sequence: int) -> dict[str, int]:
    """What the lot promised less what the feed shows of it up to ``sequence``."""
    lot = (await client.get(f"/api/v1/packs/{SLUG}")).json()["lot"]
    left = {prize["card"]["id"]: prize["count"] for prize in lot["prizes"]}
    for pull in (await client.get("/api/v1/feed?limit=100")).json()["items"]:
        drawn = pull["pack"]["slug"] == SLUG and pull["sequence"] <= sequence
        if drawn and pull["card"]["id"] in left:
            left[pull["card"]["id"]] -= 1
    return left


async def assert_follows_from_the_feed(client: httpx.AsyncClient) -> dict[str, Any]:
    """Work the lot's odds out again from the public feed alone."""
    now = await now_of(client)
    left = await left_by_the_feed(client, now["sequence"])
    total = sum(left.values())
    assert now["cards_left"] == total
    assert {card["card"]["id"]: card["copies"] for card in now["cards"]} == left
    for card in now["cards"]:
        copies = left[card["card"]["id"]]
        none = Fraction(comb(total - copies, 2), comb(total, 2)) if total else Fraction(1)
        assert Fraction(card["at_least_one"]["exact"]) == 1 - none
        assert Fraction(card["next_draw"]["exact"]) == (Fraction(copies, total) if total else 0)
    return now


async def test_a_new_lot_has_the_odds_of_its_prize_list(
    shop: Actor, client: httpx.AsyncClient
) -> None:
    now = await assert_follows_from_the_feed(client)
    assert (now["sequence"], now["rests"], now["is_last_pack"]) == (0, False, False)
    assert (now["cards_left"], now["packs_left"]) == (40, 20)
    best = now["tiers"][-1]
    assert (best["tier"], best["copies"]) == ("SS", 1)
    assert best["next_draw"] == {"exact": "1/40", "per_million": 25_000}
    assert best["at_least_one"] == {"exact": "1/20", "per_million": 50_000}
    assert best["expected_count"] == "1/20"


async def test_odds_change_with_the_feed_and_not_before(
    house: House, shop: Actor, ada: httpx.AsyncClient
) -> None:
    await open_packs(ada, 3)
    before = await assert_follows_from_the_feed(ada)
    assert (before["sequence"], before["cards_left"]) == (0, 40)
    await relay_events(house)
    after = await assert_follows_from_the_feed(ada)
    assert (after["sequence"], after["cards_left"]) == (6, 34)
    await open_packs(ada, 2)
    await open_packs(ada, 1, slug="veil-one")
    assert (await assert_follows_from_the_feed(ada))["sequence"] == 6
    await relay_events(house)
    later = await assert_follows_from_the_feed(ada)
    assert (later["sequence"], later["cards_left"]) == (11, 30)


async def test_the_last_pack_is_worth_its_cards_and_the_last_one_prize(
    house: House, shop: Actor, ada: httpx.AsyncClient
) -> None:
    await open_packs(ada, 10)
    await open_packs(ada, 9)
    await relay_events(house)
    now = await assert_follows_from_the_feed(ada)
    lot = (await ada.get(f"/api/v1/packs/{SLUG}")).json()["lot"]
    values = [card["value"] for card in now["cards"] for _ in range(card["copies"])]
    values.append(lot["last_one"]["value"])
    assert (now["is_last_pack"], len(values)) == (True, 3)
    assert now["expected_value"] == {"exact": f"{sum(values)}/1", "minor": sum(values)}
    paid = sum(share_of(value, rate_basis_points=7_000) for value in values)
    assert now["value_after_sell_back"]["minor"] == paid


async def test_a_lot_that_is_sold_out_has_nothing_left(
    house: House, shop: Actor, ada: httpx.AsyncClient
) -> None:
    await open_packs(ada, 10)
    await open_packs(ada, 10)
    await relay_events(house)
    now = await assert_follows_from_the_feed(ada)
    assert (now["sequence"], now["cards_left"], now["is_last_pack"]) == (41, 0, False)
    assert now["expected_value"] == {"exact": "0/1", "minor": 0}


async def test_no_number_of_the_odds_is_a_float(shop: Actor, client: httpx.AsyncClient) -> None:
    def refuse(number: str) -> float:
        raise AssertionError(f"{number} is a float")

    shelf = await client.get("/api/v1/packs")
    assert json.loads(shelf.text, parse_float=refuse)["items"]


async def test_an_odds_pack_tells_its_chances_and_the_copies_on_sale(
    shop: Actor, client: httpx.AsyncClient
) -> None:
    now = await now_of(client, "veil-one")
    assert (now["cards_left"], now["packs_left"], now["rests"]) == (None, None, False)
    assert {tier["tier"]: tier["at_least_one"]["exact"] for tier in now["tiers"]} == {
        "D": "13/20",
        "C": "1/5",
        "B": "1/10",
        "A": "3/100",
        "S": "1/100",
        "SS": "1/100",
    }
    copies = {card["card"]["number"]: card["copies"] for card in now["cards"]}
    # D cards are digital; of VEIL-016 the lot took three of forty copies.
    assert (copies["001"], copies["007"], copies["016"]) == (None, 40, 37)
    assert sum(Fraction(card["at_least_one"]["exact"]) for card in now["cards"]) == 1


async def test_an_odds_packs_values_follow_from_its_cards(
    shop: Actor, client: httpx.AsyncClient
) -> None:
    for slug in ("veil-one", "veil-eight", "veil-five"):
        pack = (await client.get(f"/api/v1/packs/{slug}")).json()
        now, rate = pack["now"], pack["sell_back"]["rate_basis_points"]
        worth = paid = Fraction(0)
        for card in now["cards"]:
            count = Fraction(card["expected_count"])
            worth += count * card["value"]
            paid += count * share_of(card["value"], rate_basis_points=rate)
        assert Fraction(now["expected_value"]["exact"]) == worth
        assert Fraction(now["value_after_sell_back"]["exact"]) == paid
        assert now["value_after_sell_back"]["minor"] == int(paid)


async def test_a_pack_without_stock_rests(
    house: House, shop: Actor, client: httpx.AsyncClient
) -> None:
    pack = await house.packs.get_pack(house.database, "veil-one")
    assert (await now_of(client, "veil-one"))["rests"] is False
    async with house.database.transaction() as connection:
        await catalog.insert_pack_pauses(
            connection, [(pack.pack_id, pack.card_ids[-1])], now=house.clock()
        )
    house.packs.forget()
    assert (await now_of(client, "veil-one"))["rests"] is True


async def test_the_page_of_a_pack_tells_the_odds_of_the_next_one(
    house: House, shop: Actor, ada: httpx.AsyncClient
) -> None:
    await open_packs(ada, 3)
    await relay_events(house)
    words = words_of((await ada.get(f"/packs/{SLUG}")).text)
    now = await now_of(ada)
    assert "As of pull 6 of the feed" in words
    assert f"in {now['cards_left']}" in words or f"in {now['cards_left'] // 2}" in words
    assert "The same, all sold back" in words
    eight = words_of((await ada.get("/packs/veil-eight")).text)
    assert "One in the pack" in eight
    assert "Copies on sale" in eight


async def test_the_page_of_an_ended_lot_shows_its_seed_and_how_to_check_it(
    house: House, shop: Actor, ada: httpx.AsyncClient
) -> None:
    await open_packs(ada, 10)
    assert "revealed at its end" not in (await ada.get(f"/packs/{SLUG}")).text
    await open_packs(ada, 10)
    await relay_events(house)
    page = (await ada.get(f"/packs/{SLUG}")).text
    lot = (await ada.get(f"/api/v1/packs/{SLUG}")).json()["lot"]
    assert lot["server_seed"] in page
    assert hashlib.sha256(bytes.fromhex(lot["server_seed"])).hexdigest() in page
    assert "packhouse verify lot" in page
    assert "It has been handed out." in page
