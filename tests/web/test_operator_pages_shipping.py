"""Packing parcels on the operator's pages."""

import re
from uuid import uuid4

import httpx
import pytest

PORTLAND = {
    "name": "Ada <Quill>",
    "line1": "12 Alder Street",
    "city": "Portland",
    "region": "OR",
    "postal_code": "97205",
    "country": "US",
}


async def ask_for_parcel(collector: httpx.AsyncClient) -> str:
    """The collector opens a pack and has its cards sent; gives the request's id."""
    opened = await collector.post(
        "/api/v1/packs/veil-lot/openings", json={}, headers={"Idempotency-Key": uuid4().hex}
    )
    held = (await collector.get("/api/v1/vault?state=vaulted&limit=100")).json()["items"]
    assert opened.status_code == 201
    for card in held:
        asked = await collector.post(
            "/api/v1/shipping-requests",
            json={"user_card_ids": [card["id"]], "address": PORTLAND},
            headers={"Idempotency-Key": uuid4().hex},
        )
        if asked.status_code == 201:
            return str(asked.json()["id"])
    return await ask_for_parcel(collector)


@pytest.fixture
async def parcel(olga: httpx.AsyncClient, ada: httpx.AsyncClient) -> str:
    """Ada has a card sent to Portland."""
    assert olga is not ada
    return await ask_for_parcel(ada)


async def move(olga: httpx.AsyncClient, parcel: str, status: str, **more: str) -> httpx.Response:
    return await olga.post(f"/admin/shipping/{parcel}", data={"status": status, **more})


async def test_the_queue_shows_who_waits_and_finds_a_slips_number(
    olga: httpx.AsyncClient, parcel: str
) -> None:
    queue = await olga.get("/admin/shipping")
    assert "Ada &lt;Quill&gt;" in queue.text
    assert "Portland, United States" in queue.text
    for number in (parcel[-8:].upper(), parcel):
        found = await olga.get("/admin/shipping", params={"q": number})
        assert (found.status_code, found.headers["location"]) == (303, f"/admin/shipping/{parcel}")
    missing = await olga.get("/admin/shipping", params={"q": "00000000"})
    assert "No parcel has this number" in missing.text


async def test_a_parcel_shows_only_the_moves_it_has(olga: httpx.AsyncClient, parcel: str) -> None:
    async def moves() -> list[str]:
        shown = (await olga.get(f"/admin/shipping/{parcel}")).text
        return re.findall(r'name="status" value="(\w+)"', shown)

    assert await moves() == ["packing", "cancelled"]
    await move(olga, parcel, "packing")
    assert await moves() == ["shipped", "cancelled"]
    await move(olga, parcel, "shipped")
    assert await moves() == ["delivered", "returned", "lost"]


async def test_a_parcel_is_packed_and_shipped_with_its_tracking_number(
    olga: httpx.AsyncClient, ada: httpx.AsyncClient, parcel: str
) -> None:
    packing = await move(olga, parcel, "packing")
    assert (packing.status_code, packing.headers["location"]) == (
        303,
        f"/admin/shipping/{parcel}?done=packing",
    )
    await move(
        olga, parcel, "shipped", carrier="Heron Post", tracking_number="HP 001", note="Enjoy!"
    )
    seen = (await ada.get(f"/api/v1/shipping-requests/{parcel}")).json()
    assert (seen["status"], seen["tracking_number"]) == ("shipped", "HP 001")
    shown = (await olga.get(f"/admin/shipping/{parcel}")).text
    assert "olga: Enjoy!" in shown


async def test_a_move_that_is_too_late_is_refused_and_nothing_typed_is_lost(
    olga: httpx.AsyncClient, parcel: str
) -> None:
    await move(olga, parcel, "packing")
    again = await move(olga, parcel, "packing", note="Wrapped twice")
    assert again.status_code == 409
    assert "cannot become packing" in again.text
    assert 'value="Wrapped twice"' in again.text


async def test_a_note_that_is_too_long_comes_back_as_typed(
    olga: httpx.AsyncClient, parcel: str
) -> None:
    answer = await move(olga, parcel, "packing", note="n" * 501)
    assert answer.status_code == 422
    assert "n" * 501 in answer.text
    assert "At most 500 characters" in answer.text


async def test_ticked_parcels_are_taken_up_together(
    olga: httpx.AsyncClient, ada: httpx.AsyncClient, parcel: str
) -> None:
    second = await ask_for_parcel(ada)
    moved = await olga.post("/admin/shipping/packing", data={"id": [parcel, second]})
    assert moved.headers["location"] == "/admin/shipping?status=packing&done=moved&count=2"
    again = await olga.post("/admin/shipping/packing", data={"id": [parcel]})
    assert again.headers["location"] == "/admin/shipping?done=none_moved"


async def test_slips_carry_the_address_line_by_line(olga: httpx.AsyncClient, parcel: str) -> None:
    slips = await olga.get("/admin/shipping/slips", params={"id": parcel})
    assert "Ada &lt;Quill&gt;\n12 Alder Street\nPORTLAND, OR 97205\nUNITED STATES" in slips.text
    pdf = await olga.get(f"/admin/shipping/{parcel}/packing-slip.pdf")
    assert pdf.headers["content-type"] == "application/pdf"
    assert pdf.content.startswith(b"%PDF-")
