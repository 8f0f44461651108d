"""The public feed's pages."""

import httpx

from packhouse.flows.relay_events import relay_events
from packhouse.house import House
from packhouse.plumbing.audit import Actor


async def pull(house: House, collector: httpx.AsyncClient, *, key: str = "first") -> None:
    answer = await collector.post(
        "/api/v1/packs/veil-eight/openings",
        json={"quantity": 1},
        headers={"Idempotency-Key": key},
    )
    assert answer.status_code == 201
    await relay_events(house)


async def test_everybody_sees_every_pull(
    house: House, shop: Actor, ada: httpx.AsyncClient, client: httpx.AsyncClient
) -> None:
    assert (await client.get("/api/v1/feed")).json() == {"items": [], "next_cursor": None}
    await pull(house, ada)
    pulls = (await client.get("/api/v1/feed")).json()["items"]
    assert [shown["sequence"] for shown in pulls] == [8, 7, 6, 5, 4, 3, 2, 1]
    assert {"username", "card", "tier", "value", "pack", "created_at"} <= pulls[0].keys()
    assert (pulls[0]["username"], pulls[0]["pack"]["slug"]) == ("ada", "veil-eight")


async def test_whoever_is_anonymous_is_not_named(
    house: House, shop: Actor, ada: httpx.AsyncClient, client: httpx.AsyncClient
) -> None:
    await ada.patch("/api/v1/me", json={"is_anonymous": True})
    await pull(house, ada)
    feed = await client.get("/api/v1/feed")
    assert {shown["username"] for shown in feed.json()["items"]} == {"Anonymous"}
    assert b'"ada"' not in feed.content


async def test_pages_have_every_pull_once(
    house: House, shop: Actor, ada: httpx.AsyncClient, client: httpx.AsyncClient
) -> None:
    await pull(house, ada)
    first = (await client.get("/api/v1/feed?limit=5")).json()
    # What comes in meanwhile does not shift the pages that follow.
    await pull(house, ada, key="second")
    second = (await client.get(f"/api/v1/feed?limit=5&cursor={first['next_cursor']}")).json()
    sequences = [shown["sequence"] for shown in first["items"] + second["items"]]
    assert sequences == [8, 7, 6, 5, 4, 3, 2, 1]
    assert second["next_cursor"] is None


async def test_the_feed_of_a_tier_has_only_that_tier(
    house: House, shop: Actor, ada: httpx.AsyncClient, client: httpx.AsyncClient
) -> None:
    await pull(house, ada)
    everything = (await client.get("/api/v1/feed")).json()["items"]
    weak = (await client.get("/api/v1/feed?tier=D")).json()["items"]
    assert weak == [shown for shown in everything if shown["tier"] == "D"]


async def test_an_unknown_tier_is_named(client: httpx.AsyncClient) -> None:
    answer = await client.get("/api/v1/feed?tier=E")
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == ["tier"]


async def test_the_tag_changes_with_the_feed(
    house: House, shop: Actor, ada: httpx.AsyncClient, client: httpx.AsyncClient
) -> None:
    empty = (await client.get("/api/v1/feed")).headers["etag"]
    await pull(house, ada)
    answer = await client.get("/api/v1/feed", headers={"If-None-Match": empty})
    assert answer.status_code == 200
