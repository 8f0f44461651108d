"""People over the operators' API: found, stopped, promoted, put right."""

from typing import Any

import httpx
import pytest

from packhouse.house import House
from packhouse.plumbing.audit import list_audit_entries

USERS = "/api/v1/admin/users"


@pytest.fixture
async def path(olga: httpx.AsyncClient, ada: httpx.AsyncClient) -> str:
    """Where Ada is."""
    assert (await ada.get("/api/v1/me")).status_code == 200
    (found,) = (await olga.get(USERS, params={"search": "ADA@"})).json()["items"]
    return f"{USERS}/{found['id']}"


async def test_people_are_found_by_name_or_address_and_paged_through(
    olga: httpx.AsyncClient, ada: httpx.AsyncClient, ben: httpx.AsyncClient
) -> None:
    assert ada is not ben
    names: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = (await olga.get(USERS, params={"limit": "1", "cursor": cursor})).json()
        names += [user["username"] for user in page["items"]]
        cursor = page["next_cursor"]
    assert sorted(names) == ["ada", "ben", "olga"]
    assert (await olga.get(USERS, params={"search": "nobody"})).json()["items"] == []


async def test_an_account_is_shown_with_its_wallet_and_cards(
    olga: httpx.AsyncClient, ada: httpx.AsyncClient, path: str
) -> None:
    opened = await ada.post(
        "/api/v1/packs/veil-eight/openings", json={}, headers={"Idempotency-Key": "first"}
    )
    shown = (await olga.get(path)).json()
    assert shown["account"]["email"] == "ada@example.com"
    assert shown["balance"] == opened.json()["balance"]
    assert shown["cards"] == {"vaulted": 8}
    assert "password" not in str(shown)


async def test_a_suspension_stops_an_account_at_once_and_can_be_lifted(
    olga: httpx.AsyncClient, ada: httpx.AsyncClient, path: str
) -> None:
    stopped = await olga.post(f"{path}/suspension", json={"reason": "Stolen card."})
    assert (stopped.status_code, stopped.json()["suspension_reason"]) == (201, "Stolen card.")
    assert (await ada.get("/api/v1/me")).status_code == 401
    again = await olga.post(f"{path}/suspension", json={"reason": "Again."})
    assert (again.status_code, again.json()["code"]) == (409, "already_suspended")
    lifted = await olga.delete(f"{path}/suspension", params={"reason": "It was hers."})
    assert (lifted.status_code, lifted.json()["suspended_at"]) == (200, None)
    again = await olga.delete(f"{path}/suspension", params={"reason": "It was hers."})
    assert (again.status_code, again.json()["code"]) == (409, "not_suspended")


async def test_an_owner_makes_somebody_staff_and_it_counts_at_once(
    olga: httpx.AsyncClient, ada: httpx.AsyncClient, path: str
) -> None:
    assert (await ada.get(USERS)).status_code == 403
    changed = await olga.put(f"{path}/role", json={"role": "staff", "reason": "Hired."})
    assert (changed.status_code, changed.json()["role"]) == (200, "staff")
    assert (await ada.get(USERS)).status_code == 200
    await olga.put(f"{path}/role", json={"role": "collector", "reason": "Left."})
    assert (await ada.get(USERS)).status_code == 403


async def test_an_adjustment_is_made_once_for_a_key(
    olga: httpx.AsyncClient, ada: httpx.AsyncClient, path: str
) -> None:
    body = {"amount": -2_500, "reason": "Charged back."}
    missing = await olga.post(f"{path}/adjustments", json=body)
    assert (missing.status_code, missing.json()["code"]) == (400, "idempotency_key_required")
    key = {"Idempotency-Key": "one"}
    first = await olga.post(f"{path}/adjustments", json=body, headers=key)
    assert (first.status_code, first.json()["balance"]) == (201, 47_500)
    assert (await olga.post(f"{path}/adjustments", json=body, headers=key)).json() == first.json()
    reused = await olga.post(f"{path}/adjustments", json=body | {"amount": -2_501}, headers=key)
    assert (reused.status_code, reused.json()["code"]) == (409, "idempotency_key_reused")
    entries = (await ada.get("/api/v1/wallet/entries")).json()["items"]
    assert [(each["kind"], each["amount"]) for each in entries[:2]] == [
        ("adjustment", -2_500),
        ("top_up", 50_000),
    ]


async def test_a_balance_is_never_put_below_zero(
    house: House, olga: httpx.AsyncClient, ada: httpx.AsyncClient, path: str
) -> None:
    refused = await olga.post(
        f"{path}/adjustments",
        json={"amount": -50_001, "reason": "Charged back."},
        headers={"Idempotency-Key": "one"},
    )
    assert (refused.status_code, refused.json()["code"]) == (402, "insufficient_credits")
    me: dict[str, Any] = (await ada.get("/api/v1/me")).json()
    assert me["balance"] == 50_000
    async with house.database.connection() as connection:
        entries = await list_audit_entries(connection, before=None, limit=50)
    assert "adjust_balance" not in {entry.action for entry in entries}
