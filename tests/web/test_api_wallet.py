"""The wallet over the API."""

import asyncio

import httpx
import pytest

KEY = {"Idempotency-Key": "first"}


async def balance_of(collector: httpx.AsyncClient) -> int:
    balance: int = (await collector.get("/api/v1/me")).json()["balance"]
    return balance


async def test_a_top_up_adds_credits_and_an_entry(ada: httpx.AsyncClient) -> None:
    answer = await ada.post("/api/v1/wallet/top-ups", json={"amount": 2_500}, headers=KEY)
    assert answer.status_code == 201
    top_up = answer.json()
    assert (top_up["status"], top_up["amount"], top_up["balance"]) == ("completed", 2_500, 52_500)
    assert top_up["checkout_url"] is None
    entry = (await ada.get("/api/v1/wallet/entries")).json()["items"][0]
    assert entry.keys() == {
        "sequence",
        "kind",
        "amount",
        "balance_after",
        "counterparty",
        "reference",
        "created_at",
    }
    assert (entry["kind"], entry["amount"], entry["balance_after"]) == ("top_up", 2_500, 52_500)
    assert entry["reference"] == top_up["id"]


async def test_a_repeated_top_up_is_paid_once(ada: httpx.AsyncClient) -> None:
    first = await ada.post("/api/v1/wallet/top-ups", json={"amount": 500}, headers=KEY)
    again = await ada.post("/api/v1/wallet/top-ups", json={"amount": 500}, headers=KEY)
    assert (again.status_code, again.json()) == (201, first.json())
    assert await balance_of(ada) == 50_500


async def test_the_same_top_up_twice_at_once_is_paid_once(ada: httpx.AsyncClient) -> None:
    answers = await asyncio.gather(
        *(ada.post("/api/v1/wallet/top-ups", json={"amount": 500}, headers=KEY) for _ in range(6))
    )
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.text for answer in answers}) == 1
    assert await balance_of(ada) == 50_500


async def test_a_key_with_another_body_is_refused(ada: httpx.AsyncClient) -> None:
    await ada.post("/api/v1/wallet/top-ups", json={"amount": 500}, headers=KEY)
    answer = await ada.post("/api/v1/wallet/top-ups", json={"amount": 600}, headers=KEY)
    assert (answer.status_code, answer.json()["code"]) == (409, "idempotency_key_reused")
    assert await balance_of(ada) == 50_500


async def test_two_people_may_use_the_same_key(
    ada: httpx.AsyncClient, ben: httpx.AsyncClient
) -> None:
    for collector in (ada, ben):
        answer = await collector.post("/api/v1/wallet/top-ups", json={"amount": 500}, headers=KEY)
        assert answer.status_code == 201
        assert await balance_of(collector) == 50_500


@pytest.mark.parametrize("headers", [{}, {"Idempotency-Key": " "}, {"Idempotency-Key": "k" * 256}])
async def test_a_top_up_needs_its_key(ada: httpx.AsyncClient, headers: dict[str, str]) -> None:
    answer = await ada.post("/api/v1/wallet/top-ups", json={"amount": 500}, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "idempotency_key_required")


@pytest.mark.parametrize("amount", [0, 99, -500, 1_000_001, "500", 500.0, True, None])
async def test_an_odd_amount_is_refused(ada: httpx.AsyncClient, amount: object) -> None:
    answer = await ada.post("/api/v1/wallet/top-ups", json={"amount": amount}, headers=KEY)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "amount"


async def test_a_visitor_has_no_wallet(client: httpx.AsyncClient) -> None:
    for answer in (
        await client.get("/api/v1/wallet/entries"),
        await client.post("/api/v1/wallet/top-ups", json={"amount": 500}, headers=KEY),
    ):
        assert (answer.status_code, answer.json()["code"]) == (401, "not_signed_in")


async def test_entries_come_in_pages_without_a_gap(ada: httpx.AsyncClient) -> None:
    for number in range(4):
        await ada.post(
            "/api/v1/wallet/top-ups",
            json={"amount": 500 + number},
            headers={"Idempotency-Key": str(number)},
        )
    seen, cursor = [], ""
    while True:
        page = (await ada.get(f"/api/v1/wallet/entries?limit=2&cursor={cursor}")).json()
        seen += [entry["sequence"] for entry in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == [5, 4, 3, 2, 1]


@pytest.mark.parametrize("cursor", ["x", "%F0", "bnVsbA", "eyJzZXF1ZW5jZSI6MWU5OX0", "LTE"])
async def test_a_forged_cursor_is_refused(ada: httpx.AsyncClient, cursor: str) -> None:
    answer = await ada.get(f"/api/v1/wallet/entries?cursor={cursor}")
    assert answer.status_code == 400
    assert answer.json()["code"] in {"bad_cursor", "malformed_request"}


@pytest.mark.parametrize("limit", ["0", "101", "-1", "ten", "1.5"])
async def test_an_odd_limit_is_refused(ada: httpx.AsyncClient, limit: str) -> None:
    answer = await ada.get(f"/api/v1/wallet/entries?limit={limit}")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "limit"
