"""The fulfilment queue over the operators' API."""

from typing import Any
from uuid import uuid4

import httpx
import pytest

from packhouse.house import House

REQUESTS = "/api/v1/admin/shipping-requests"

PORTLAND = {
    "name": "Ada Quill",
    "line1": "12 Alder Street",
    "city": "Portland",
    "region": "OR",
    "postal_code": "97205",
    "country": "US",
}


@pytest.fixture
async def parcel(olga: httpx.AsyncClient, ada: httpx.AsyncClient) -> dict[str, Any]:
    """Ada has one card sent to Portland."""
    assert olga is not ada
    return await ask_for_parcel(ada)


async def test_a_request_shows_all_that_packing_needs(
    olga: httpx.AsyncClient, parcel: dict[str, Any]
) -> None:
    shown = (await olga.get(f"{REQUESTS}/{parcel['id']}")).json()
    assert (shown["username"], shown["status"]) == ("ada", "pending")
    assert shown["next_statuses"] == ["packing", "cancelled"]
    assert shown["address"]["postal_code"] == "97205"
    assert shown["address_lines"][0] == "Ada Quill"
    assert shown["cost"] == shown["quote"]["cost_minor"] == parcel["cost"]
    (item,) = shown["items"]
    assert item["card"]["set"] == "Veil"
    assert item["copy"]["place"] == "reserved"
    assert [step["status"] for step in shown["timeline"]] == ["pending"]


async def test_a_request_moves_on_and_its_collector_sees_it(
    olga: httpx.AsyncClient, ada: httpx.AsyncClient, parcel: dict[str, Any]
) -> None:
    path = f"{REQUESTS}/{parcel['id']}/transitions"
    assert (await olga.post(path, json={"status": "packing"})).status_code == 201
    sent = await olga.post(
        path,
        json={
            "status": "shipped",
            "carrier": "Heron Post",
            "tracking_number": "HP 001",
            "note": "On its way.",
        },
    )
    assert (sent.json()["carrier"], sent.json()["next_statuses"]) == (
        "Heron Post",
        ["delivered", "returned", "lost"],
    )
    assert sent.json()["timeline"][-1]["note"] == "On its way."
    seen = (await ada.get(f"/api/v1/shipping-requests/{parcel['id']}")).json()
    assert (seen["status"], seen["tracking_number"]) == ("shipped", "HP 001")
    refused = await olga.post(path, json={"status": "cancelled"})
    assert (refused.status_code, refused.json()["code"]) == (409, "bad_transition")


async def test_the_queue_of_a_status_is_oldest_first_and_all_newest_first(
    olga: httpx.AsyncClient, ada: httpx.AsyncClient
) -> None:
    ids = [(await ask_for_parcel(ada))["id"] for _ in range(3)]
    await olga.post(f"{REQUESTS}/{ids[1]}/transitions", json={"status": "packing"})
    assert await list_ids(olga, {"status": "pending"}) == [ids[0], ids[2]]
    assert await list_ids(olga, {"status": "packing"}) == [ids[1]]
    assert await list_ids(olga, {}) == ids[::-1]
    assert await list_ids(olga, {"status": "lost"}) == []


async def test_the_packing_slip_is_a_pdf(olga: httpx.AsyncClient, parcel: dict[str, Any]) -> None:
    slip = await olga.get(f"{REQUESTS}/{parcel['id']}/packing-slip")
    assert slip.status_code == 200
    assert slip.headers["content-type"] == "application/pdf"
    assert slip.content.startswith(b"%PDF-")
    assert slip.headers["cache-control"] == "private, no-store"
    assert slip.headers["content-disposition"].startswith('inline; filename="packing-slip-')


async def test_an_address_is_in_no_line_of_the_audit_log(
    house: House, olga: httpx.AsyncClient, parcel: dict[str, Any]
) -> None:
    await olga.get(f"{REQUESTS}/{parcel['id']}")
    await olga.post(f"{REQUESTS}/{parcel['id']}/transitions", json={"status": "packing"})
    async with house.database.connection() as connection:
        log = str(await connection.fetch("SELECT * FROM audit_log"))
    assert "fulfil_shipment" in log
    assert "Alder" not in log
    assert "Quill" not in log


async def list_ids(olga: httpx.AsyncClient, query: dict[str, str]) -> list[str]:
    """Every id of the queue, two to a page."""
    ids: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        params = query | {"limit": "2", "cursor": cursor}
        page = (await olga.get(REQUESTS, params=params)).json()
        ids += [each["id"] for each in page["items"]]
        cursor = page["next_cursor"]
    return ids


async def ask_for_parcel(ada: httpx.AsyncClient) -> dict[str, Any]:
    """Open packs until one holds a physical card, and have that sent."""
    while True:
        opened = await ada.post(
            "/api/v1/packs/veil-lot/openings", json={}, headers={"Idempotency-Key": str(uuid4())}
        )
        assert opened.status_code == 201
        for card in opened.json()["openings"][0]["cards"]:
            body = {"user_card_ids": [card["user_card_id"]], "address": PORTLAND}
            placed = await ada.post(
                "/api/v1/shipping-requests", json=body, headers={"Idempotency-Key": str(uuid4())}
            )
            if placed.status_code == 201:
                answer: dict[str, Any] = placed.json()
                return answer
            assert placed.json()["code"] == "card_not_shippable"
