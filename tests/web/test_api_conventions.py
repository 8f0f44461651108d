"""What holds for every call: limits, other sites, ids, bodies that are no JSON, closed doors."""

import httpx
import pytest

from packhouse.house import House
from packhouse.plumbing.audit import Actor
from packhouse.plumbing.shop_settings import ShopSettings, update_shop_settings
from packhouse.web.errors import ShopClosed
from packhouse.web.maintenance import REMEMBERED_SECONDS_MAX, ShopDoor

TOP_UP = "/api/v1/wallet/top-ups"
KEY = {"Idempotency-Key": "first"}


async def close_shop(house: House, *, maintenance: bool = True) -> None:
    async with house.database.transaction() as connection:
        settings = ShopSettings(maintenance=maintenance)
        await update_shop_settings(connection, settings, now=house.clock())


async def test_anonymous_calls_are_limited(house: House, client: httpx.AsyncClient) -> None:
    limit = house.settings.rate_limit_anonymous.limit
    assert limit == 100
    for used in range(1, limit + 1):
        answer = await client.get("/api/v1/feed")
        assert answer.status_code == 200
        assert answer.headers["ratelimit-remaining"] == str(limit - used)
    assert answer.headers["ratelimit-limit"] == "100"
    refused = await client.get("/api/v1/feed")
    assert (refused.status_code, refused.json()["code"]) == (429, "rate_limited")
    assert 0 < int(refused.headers["retry-after"]) <= 900
    assert refused.headers["ratelimit-remaining"] == "0"


async def test_health_and_signed_in_people_are_not_held_up_by_strangers(
    client: httpx.AsyncClient, ada: httpx.AsyncClient
) -> None:
    for _ in range(101):
        await client.get("/api/v1/feed")
    assert (await client.get("/health/live")).status_code == 200
    answer = await ada.get("/api/v1/me")
    assert (answer.status_code, answer.headers["ratelimit-limit"]) == (200, "1200")


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://elsewhere.example"},
        {"Origin": "null"},
    ],
)
async def test_other_sites_change_nothing(ada: httpx.AsyncClient, headers: dict[str, str]) -> None:
    for method, path in (
        ("POST", TOP_UP),
        ("PUT", "/api/v1/fairness/seed"),
        ("PATCH", "/api/v1/me"),
        ("DELETE", "/api/v1/session"),
    ):
        answer = await ada.request(method, path, json={"amount": 500}, headers=KEY | headers)
        assert (answer.status_code, answer.json()["code"]) == (403, "cross_site_request")
    assert (await ada.get("/api/v1/me")).json()["balance"] == 50_000


@pytest.mark.parametrize(
    "headers",
    [{}, {"Sec-Fetch-Site": "same-origin"}, {"Origin": "http://127.0.0.1:8000"}],
)
async def test_our_own_pages_and_programs_may(
    ada: httpx.AsyncClient, headers: dict[str, str]
) -> None:
    answer = await ada.post(TOP_UP, json={"amount": 500}, headers=KEY | headers)
    assert answer.status_code == 201


async def test_a_well_formed_request_id_comes_back(client: httpx.AsyncClient) -> None:
    given = await client.get("/api/v1/packs/none", headers={"X-Request-ID": "shelf-7.a"})
    assert given.headers["x-request-id"] == given.json()["request_id"] == "shelf-7.a"
    made = await client.get("/api/v1/packs", headers={"X-Request-ID": "not well formed"})
    assert made.headers["x-request-id"] not in {"", "not well formed"}


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 400),
        (b"\xff", 400),
        (b'{"amount": "\xff"}', 422),
        (b"[" * 50_000, 422),
        (b'{"amount": ' + b"[" * 50_000, 422),
        (b"amount=500", 400),
        (b"", 422),
        (b"[]", 422),
        (b"null", 422),
        (b'{"amount": 500, "bonus": 500}', 422),
        (b'{"amount": ' + b" " * 1_048_576 + b"500}", 413),
    ],
    ids=lambda value: repr(value[:16]) if isinstance(value, bytes) else str(value),
)
async def test_a_body_that_cannot_be_read_is_refused(
    ada: httpx.AsyncClient, body: bytes, status: int
) -> None:
    answer = await ada.post(TOP_UP, content=body, headers=KEY)
    assert answer.status_code in {400, status}
    assert answer.headers["content-type"] == "application/problem+json"
    assert (await ada.get("/api/v1/me")).json()["balance"] == 50_000


async def test_a_body_is_read_as_json_whatever_its_header_says(ada: httpx.AsyncClient) -> None:
    answer = await ada.post(
        TOP_UP, content=b'{"amount": 500}', headers=KEY | {"Content-Type": "text/plain"}
    )
    assert answer.status_code == 201


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/packs/%00",
        "/api/v1/vault?tier=%00",
        "/api/v1/feed?cursor=%FF",
        "/api/v1/feed?cursor=%ED%A0%80",
    ],
)
async def test_an_address_that_is_no_text_is_refused(ada: httpx.AsyncClient, path: str) -> None:
    answer = await ada.get(path)
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed_request")


async def test_a_wrong_method_is_told_so(client: httpx.AsyncClient) -> None:
    answer = await client.put("/api/v1/packs", json={})
    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")


async def test_during_maintenance_collectors_look_and_do_nothing(
    house: House, shop: Actor, ada: httpx.AsyncClient
) -> None:
    await close_shop(house)
    answer = await ada.post(TOP_UP, json={"amount": 500}, headers=KEY)
    assert (answer.status_code, answer.json()["code"]) == (503, "shop_closed")
    assert int(answer.headers["retry-after"]) > 0
    assert (await ada.get("/api/v1/packs")).status_code == 200
    assert (await ada.get("/api/v1/me")).json()["balance"] == 50_000


async def test_during_maintenance_everybody_may_sign_out(
    house: House, ada: httpx.AsyncClient
) -> None:
    await close_shop(house)
    assert (await ada.delete("/api/v1/session")).status_code == 204


async def test_the_door_is_looked_at_again_after_a_moment(house: House) -> None:
    seconds = 0.0
    door = ShopDoor(seconds=lambda: seconds)
    await door.require_open(house)
    await close_shop(house)
    await door.require_open(house)
    seconds = REMEMBERED_SECONDS_MAX
    with pytest.raises(ShopClosed):
        await door.require_open(house)
    await close_shop(house, maintenance=False)
    seconds = 2 * REMEMBERED_SECONDS_MAX
    await door.require_open(house)
