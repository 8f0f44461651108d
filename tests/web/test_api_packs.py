"""Packs on sale, opening them, and receipts, over the API."""

import asyncio
import hashlib
from fractions import Fraction
from typing import Any

import httpx
import msgspec
import pytest

from packhouse.flows.publish_pack import WithdrawPack, withdraw_pack
from packhouse.flows.relay_events import relay_events
from packhouse.house import House
from packhouse.plumbing.audit import Actor
from packhouse.plumbing.postgres import Database
from worlds.four_packs import TIER_ODDS_PACK
from worlds.veil_shop import VEIL_PACKS, publish


async def pack_of(client: httpx.AsyncClient, slug: str) -> dict[str, Any]:
    pack: dict[str, Any] = (await client.get(f"/api/v1/packs/{slug}")).json()
    return pack


async def open_packs(
    client: httpx.AsyncClient,
    slug: str,
    *,
    key: str = "first",
    **body: Any,  # noqa: ANN401 - whatever JSON can hold
) -> httpx.Response:
    return await client.post(
        f"/api/v1/packs/{slug}/openings", json=body, headers={"Idempotency-Key": key}
    )


async def test_the_shelf_is_public_and_in_order(shop: Actor, client: httpx.AsyncClient) -> None:
    shelf = (await client.get("/api/v1/packs")).json()
    assert [pack["slug"] for pack in shelf["items"]] == list(VEIL_PACKS)
    assert shelf["next_cursor"] is None


async def test_a_pack_says_the_same_alone_as_on_the_shelf(
    shop: Actor, client: httpx.AsyncClient
) -> None:
    for pack in (await client.get("/api/v1/packs")).json()["items"]:
        assert await pack_of(client, pack["slug"]) == pack


async def test_the_odds_are_exact_whole_numbers(shop: Actor, client: httpx.AsyncClient) -> None:
    pack = await pack_of(client, "veil-one")
    assert (pack["price"], pack["kind"], pack["sold_out"]) == (500, "odds", False)
    assert (pack["lot"], pack["packs_left"]) == (None, None)
    (layout,) = pack["odds"]["layouts"]
    (slot,) = layout["slots"]
    assert [(tier["tier"], tier["weight"], tier["of"]) for tier in slot["tiers"]] == [
        ("D", 65, 100),
        ("C", 20, 100),
        ("B", 10, 100),
        ("A", 3, 100),
        ("S", 1, 100),
        ("SS", 1, 100),
    ]
    for tier in slot["tiers"]:
        assert sum(card["weight"] for card in tier["cards"]) == tier["cards"][0]["of"]


async def test_the_expected_value_follows_from_the_published_odds(
    shop: Actor, client: httpx.AsyncClient
) -> None:
    for slug in ("veil-one", "veil-eight", "veil-five"):
        pack = await pack_of(client, slug)
        value = sum(
            Fraction(layout["weight"], layout["of"])
            * slot["count"]
            * Fraction(tier["weight"], tier["of"])
            * Fraction(card["weight"], card["of"])
            * card["value"]
            for layout in pack["odds"]["layouts"]
            for slot in layout["slots"]
            for tier in slot["tiers"]
            for card in tier["cards"]
        )
        published = pack["expected_value"]
        assert value == Fraction(published["numerator"], published["denominator"])
        assert published["minor"] == int(value)


async def test_a_lot_says_what_is_left(shop: Actor, ada: httpx.AsyncClient) -> None:
    before = (await pack_of(ada, "veil-lot"))["lot"]
    assert (before["packs"], before["packs_left"], before["cards_per_pack"]) == (20, 20, 2)
    assert before["last_one"]["card"]["number"] == "022"
    opened = await open_packs(ada, "veil-lot", quantity=3)
    assert opened.status_code == 201
    after = await pack_of(ada, "veil-lot")
    assert (after["packs_left"], after["lot"]["packs_left"]) == (17, 17)
    assert sum(prize["count"] for prize in after["lot"]["prizes"]) == 40
    assert sum(prize["remaining"] for prize in after["lot"]["prizes"]) == 34


async def test_public_answers_are_not_sent_twice(shop: Actor, client: httpx.AsyncClient) -> None:
    for path in ("/api/v1/packs", "/api/v1/packs/veil-one", "/api/v1/feed"):
        first = await client.get(path)
        assert first.headers["cache-control"] == "public, max-age=1"
        again = await client.get(path, headers={"If-None-Match": f'"x", {first.headers["etag"]}'})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == first.headers["etag"]
        assert again.headers["cache-control"] == "public, max-age=1"


async def test_an_unknown_pack_is_not_found(shop: Actor, ada: httpx.AsyncClient) -> None:
    for answer in (await ada.get("/api/v1/packs/nothing"), await open_packs(ada, "nothing")):
        assert (answer.status_code, answer.json()["code"]) == (404, "pack_not_found")


async def test_an_opening_gives_cards_a_proof_and_the_balance(
    shop: Actor, ada: httpx.AsyncClient
) -> None:
    pack = await pack_of(ada, "veil-eight")
    answer = await open_packs(
        ada, "veil-eight", quantity=2, client_seed="my own", config_hash=pack["config_hash"]
    )
    assert answer.status_code == 201
    opened = answer.json()
    assert opened["balance"] == 50_000 - 2 * 500
    assert [len(opening["cards"]) for opening in opened["openings"]] == [8, 8]
    proof = opened["openings"][0]["proof"]
    assert (proof["client_seed"], proof["client_seed_origin"]) == ("my own", "request")
    card = opened["openings"][0]["cards"][0]
    assert {"user_card_id", "card", "tier", "value"} <= card.keys()
    vault = (await ada.get("/api/v1/vault?limit=100")).json()["items"]
    assert card["user_card_id"] in {kept["id"] for kept in vault}


async def test_a_repeated_opening_is_drawn_once(shop: Actor, ada: httpx.AsyncClient) -> None:
    first = await open_packs(ada, "veil-one", quantity=1)
    again = await open_packs(ada, "veil-one", quantity=1)
    assert (again.status_code, again.json()) == (201, first.json())
    assert (await ada.get("/api/v1/me")).json()["balance"] == 49_500


async def test_the_same_opening_twice_at_once_is_drawn_once(
    shop: Actor, ada: httpx.AsyncClient
) -> None:
    answers = await asyncio.gather(*(open_packs(ada, "veil-one", quantity=1) for _ in range(8)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.text for answer in answers}) == 1
    assert (await ada.get("/api/v1/me")).json()["balance"] == 49_500


async def test_a_key_used_for_another_opening_is_refused(
    shop: Actor, ada: httpx.AsyncClient
) -> None:
    await open_packs(ada, "veil-one", quantity=1)
    answer = await open_packs(ada, "veil-one", quantity=2)
    assert (answer.status_code, answer.json()["code"]) == (409, "idempotency_key_reused")


async def test_an_opening_needs_its_key(shop: Actor, ada: httpx.AsyncClient) -> None:
    answer = await ada.post("/api/v1/packs/veil-one/openings", json={"quantity": 1})
    assert (answer.status_code, answer.json()["code"]) == (400, "idempotency_key_required")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"quantity": 0}, "quantity"),
        ({"quantity": 11}, "quantity"),
        ({"quantity": "1"}, "quantity"),
        ({"quantity": 1, "client_seed": ""}, "client_seed"),
        ({"quantity": 1, "client_seed": "a\nb"}, "client_seed"),
        ({"quantity": 1, "client_seed": "a\x00b"}, "client_seed"),
        ({"quantity": 1, "config_hash": "short"}, "config_hash"),
        ({"quantity": 1, "price": 1}, "price"),
    ],
)
async def test_an_odd_opening_is_refused(
    shop: Actor, ada: httpx.AsyncClient, body: dict[str, Any], field: str
) -> None:
    answer = await open_packs(ada, "veil-one", **body)
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [field]


async def test_credits_have_to_suffice(house: House, shop: Actor, ada: httpx.AsyncClient) -> None:
    dear = msgspec.structs.replace(TIER_ODDS_PACK, price=50_001)
    await publish(house, shop, slug="dear", draft=dear, position=9)
    answer = await open_packs(ada, "dear", quantity=1)
    assert (answer.status_code, answer.json()["code"]) == (402, "insufficient_credits")
    assert (await ada.get("/api/v1/wallet/entries")).json()["items"][0]["kind"] == "top_up"


async def test_a_pack_published_anew_is_not_opened_unseen(
    house: House, shop: Actor, ada: httpx.AsyncClient
) -> None:
    shown = (await pack_of(ada, "veil-one"))["config_hash"]
    await publish(house, shop, slug="veil-one", draft=TIER_ODDS_PACK)
    answer = await open_packs(ada, "veil-one", quantity=1, config_hash=shown)
    assert (answer.status_code, answer.json()["code"]) == (409, "pack_changed")


async def test_more_than_a_lot_has_left_is_sold_out(shop: Actor, ada: httpx.AsyncClient) -> None:
    await open_packs(ada, "veil-lot", quantity=10, key="1")
    await open_packs(ada, "veil-lot", quantity=9, key="2")
    answer = await open_packs(ada, "veil-lot", quantity=2, key="3")
    assert (answer.status_code, answer.json()["code"]) == (409, "sold_out")
    last = await open_packs(ada, "veil-lot", quantity=1, key="4")
    assert len(last.json()["openings"][0]["cards"]) == 3
    lot = await pack_of(ada, "veil-lot")
    assert (lot["sold_out"], lot["packs_left"]) == (True, 0)


async def test_a_lots_seed_is_shown_when_it_is_sold_out(
    shop: Actor, ada: httpx.AsyncClient
) -> None:
    await open_packs(ada, "veil-lot", quantity=10, key="1")
    assert (await pack_of(ada, "veil-lot"))["lot"]["server_seed"] is None
    await open_packs(ada, "veil-lot", quantity=10, key="2")
    lot = (await pack_of(ada, "veil-lot"))["lot"]
    seed = bytes.fromhex(lot["server_seed"])
    assert hashlib.sha256(seed).hexdigest() == lot["commitment"]


async def test_a_withdrawn_pack_is_gone(house: House, shop: Actor, ada: httpx.AsyncClient) -> None:
    await withdraw_pack(house, WithdrawPack(slug="veil-one", reason="Misprint.", actor=shop))
    assert (await ada.get("/api/v1/packs/veil-one")).status_code == 404


async def test_staff_never_open_packs(olga: httpx.AsyncClient) -> None:
    answer = await open_packs(olga, "veil-one", quantity=1)
    assert (answer.status_code, answer.json()["code"]) == (403, "staff_cannot_open_packs")


async def test_a_visitor_opens_nothing(shop: Actor, client: httpx.AsyncClient) -> None:
    assert (await open_packs(client, "veil-one", quantity=1)).status_code == 401
    assert (await client.get("/api/v1/openings")).status_code == 401


async def test_a_receipt_is_public_and_names_nobody(
    house: House, shop: Actor, ada: httpx.AsyncClient, client: httpx.AsyncClient
) -> None:
    opened = (await open_packs(ada, "veil-one", quantity=1)).json()["openings"][0]
    at_once = await client.get(f"/api/v1/openings/{opened['id']}")
    await relay_events(house)
    later = await client.get(f"/api/v1/openings/{opened['id']}")
    assert at_once.status_code == later.status_code == 200
    assert at_once.json() == later.json()
    assert later.json()["proof"] == opened["proof"]
    me = (await ada.get("/api/v1/me")).json()
    # Quoted, because hexadecimal digits may spell her name by chance.
    assert not any(f'"{me[known]}"' in later.text for known in ("id", "username", "email"))
    assert later.json()["server_seed"] is None
    assert "etag" in later.headers


async def test_a_receipt_has_its_server_seed_after_the_rotation(
    house: House, shop: Actor, ada: httpx.AsyncClient, client: httpx.AsyncClient
) -> None:
    opened = (await open_packs(ada, "veil-one", quantity=1)).json()["openings"][0]
    await relay_events(house)
    revealed = (await ada.post("/api/v1/fairness/seed/rotation")).json()["revealed"]
    receipt = (await client.get(f"/api/v1/openings/{opened['id']}")).json()
    assert receipt["server_seed"] == revealed["server_seed"]


@pytest.mark.parametrize("opening_id", ["nothing", "0", "01890a5d-ac96-774b-bcce-b302099a8057"])
async def test_an_unknown_receipt_is_not_found(client: httpx.AsyncClient, opening_id: str) -> None:
    answer = await client.get(f"/api/v1/openings/{opening_id}")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


async def test_the_history_is_ones_own_and_in_pages(
    shop: Actor, ada: httpx.AsyncClient, ben: httpx.AsyncClient
) -> None:
    opened = (await open_packs(ada, "veil-one", quantity=3)).json()["openings"]
    first = (await ada.get("/api/v1/openings?limit=2")).json()
    second = (await ada.get(f"/api/v1/openings?limit=2&cursor={first['next_cursor']}")).json()
    listed = [receipt["id"] for receipt in first["items"] + second["items"]]
    assert listed == [opening["id"] for opening in reversed(opened)]
    assert second["next_cursor"] is None
    assert (await ben.get("/api/v1/openings")).json()["items"] == []


async def test_a_session_that_ended_elsewhere_opens_nothing(
    ada: httpx.AsyncClient, shop: Actor, database: Database
) -> None:
    assert (await ada.get("/api/v1/me")).status_code == 200
    async with database.connection() as connection:
        await connection.execute("DELETE FROM sessions")
    # The first is refused by the set that it went with, the second already at the door.
    for _ in range(2):
        refused = await open_packs(ada, "veil-one", quantity=1)
        assert (refused.status_code, refused.json()["code"]) == (401, "not_signed_in")
    assert (await ada.get("/api/v1/me")).status_code == 401
    async with database.connection() as connection:
        assert await connection.fetchval("SELECT count(*) FROM openings") == 0
