"""The edge: what every request passes before anything else sees it."""

import asyncio
from uuid import UUID

import httpx
import msgspec
import pytest

from packhouse.flows.suspend_account import SuspendAccount, suspend_account
from packhouse.house import House
from packhouse.plumbing.audit import Actor
from packhouse.web.app import WebApp

SIGN_UP = {
    "email": "cora@example.com",
    "username": "cora",
    "password": "a garden of quiet lamps",
    "birth_date": "1990-02-03",
}


async def test_a_process_that_runs_is_live(client: httpx.AsyncClient) -> None:
    answer = await client.get("/health/live")
    assert answer.status_code == 200


async def test_a_shop_with_its_database_is_ready(client: httpx.AsyncClient) -> None:
    answer = await client.get("/health/ready")
    assert answer.status_code == 200
    assert answer.json()["database"]["state"] == "up"


async def test_an_unknown_api_address_is_a_problem(client: httpx.AsyncClient) -> None:
    answer = await client.get("/api/v1/nothing")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "not_found"


async def test_an_unknown_page_is_a_friendly_page(client: httpx.AsyncClient) -> None:
    answer = await client.get("/nothing", headers={"accept": "text/html"})
    assert answer.status_code == 404
    assert "text/html" in answer.headers["content-type"]


async def test_a_well_formed_request_id_comes_back(client: httpx.AsyncClient) -> None:
    answer = await client.get("/health/live", headers={"x-request-id": "abc-123"})
    assert answer.headers["x-request-id"] == "abc-123"


async def test_an_ill_formed_request_id_is_replaced(client: httpx.AsyncClient) -> None:
    answer = await client.get("/health/live", headers={"x-request-id": "a b"})
    assert answer.headers["x-request-id"] != "a b"


@pytest.mark.parametrize("path", ["/", "/api/v1/packs", "/nothing", "/health/live", "/metrics"])
async def test_every_answer_has_the_safe_headers(client: httpx.AsyncClient, path: str) -> None:
    headers = (await client.get(path)).headers
    policy = headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "unsafe-inline" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert "x-request-id" in headers


async def test_a_page_of_another_site_cannot_write(client: httpx.AsyncClient) -> None:
    for headers in (
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"origin": "https://evil.example"},
        {"origin": "null"},
    ):
        answer = await client.post("/api/v1/accounts", json=SIGN_UP, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (403, "cross_site_request")


@pytest.mark.parametrize(
    "headers",
    [{}, {"sec-fetch-site": "same-origin"}, {"origin": "http://127.0.0.1:8000"}],
)
async def test_our_own_pages_and_clients_that_are_no_browsers_can(
    client: httpx.AsyncClient, headers: dict[str, str]
) -> None:
    answer = await client.post("/api/v1/accounts", json=SIGN_UP, headers=headers)
    assert answer.status_code == 201


async def test_another_origin_reads_nothing_unless_it_is_named(
    house: House, client: httpx.AsyncClient
) -> None:
    origin = {"origin": "https://friend.example"}
    assert (
        "access-control-allow-origin"
        not in (await client.get("/api/v1/packs", headers=origin)).headers
    )
    settings = msgspec.structs.replace(house.settings, cors_origins=("https://friend.example",))
    friendly = msgspec.structs.replace(house, settings=settings)
    app = WebApp(settings, friendly)
    async with (
        app.running(),
        httpx.AsyncClient(
            transport=httpx.ASGITransport(app=app), base_url="http://127.0.0.1:8000"
        ) as visitor,
    ):
        named = await visitor.get("/api/v1/packs", headers=origin)
        other = await visitor.get("/api/v1/packs", headers={"origin": "https://evil.example"})
    assert named.headers["access-control-allow-origin"] == "https://friend.example"
    assert "access-control-allow-origin" not in other.headers


async def test_the_hundred_and_first_anonymous_call_is_refused(client: httpx.AsyncClient) -> None:
    for expected in (99, 98):
        answer = await client.get("/api/v1/packs")
        assert answer.headers["ratelimit-limit"] == "100"
        assert answer.headers["ratelimit-remaining"] == str(expected)
    for _ in range(98):
        await client.get("/api/v1/packs")
    answer = await client.get("/api/v1/packs")
    assert (answer.status_code, answer.json()["code"]) == (429, "rate_limited")
    assert 0 < int(answer.headers["retry-after"]) <= 900
    assert (await client.get("/health/live")).status_code == 200
    assert (await client.get("/static/favicon.svg")).status_code == 200
    assert (await client.get("/")).status_code == 200


async def test_a_body_that_is_too_large_is_refused(client: httpx.AsyncClient) -> None:
    answer = await client.post("/api/v1/session", content=b" " * (1024**2 + 1))
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


async def test_a_body_without_a_length_is_counted_as_it_comes(client: httpx.AsyncClient) -> None:
    async def endless() -> object:
        for _ in range(20):
            yield b" " * 100_000

    answer = await client.post("/api/v1/session", content=endless())  # type: ignore[arg-type]  # a generator
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


async def test_head_answers_like_get_without_a_body(client: httpx.AsyncClient) -> None:
    answer = await client.head("/")
    assert (answer.status_code, answer.content) == (200, b"")


async def test_the_head_of_a_live_stream_ends(client: httpx.AsyncClient) -> None:
    answer = await client.head("/api/v1/feed/live")
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-type"].startswith("text/event-stream")


async def test_assets_are_kept_for_ever_by_their_hash_and_checked_by_their_name(
    client: httpx.AsyncClient,
) -> None:
    page = (await client.get("/")).text
    start = page.index("/static/css/")
    hashed = page[start : page.index('"', start)]
    kept = await client.get(hashed)
    assert "immutable" in kept.headers["cache-control"]
    assert kept.headers["content-encoding"] == "br"
    again = await client.get(hashed, headers={"if-none-match": kept.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    plain = await client.get("/static/favicon.svg")
    assert "no-cache" in plain.headers["cache-control"]


@pytest.mark.parametrize(
    "path", ["/static/../app.py", "/static/nothing.css", "/media/../settings", "/media/aa/bb/x"]
)
async def test_nothing_else_is_served_as_a_file(client: httpx.AsyncClient, path: str) -> None:
    assert (await client.get(path)).status_code == 404


async def test_a_suspended_collector_is_dead_to_writes_at_once_and_to_reads_in_a_second(
    house: House, shop: Actor, ada: httpx.AsyncClient
) -> None:
    me = (await ada.get("/api/v1/me")).json()
    await suspend_account(
        house, SuspendAccount(actor=shop, user_id=UUID(me["id"]), reason="A test.")
    )
    refused = await ada.post(
        "/api/v1/wallet/top-ups", json={"amount": 500}, headers={"Idempotency-Key": "late"}
    )
    assert refused.status_code in (401, 403)
    # A second is what this process may remember a session for; the clock here is the machine's.
    await asyncio.sleep(1.0)
    assert (await ada.get("/api/v1/me")).status_code in (401, 403)
