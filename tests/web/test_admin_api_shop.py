"""The shop as a whole over the operators' API: switches, figures, the audit log."""

import httpx

from packhouse.flows.relay_events import relay_events
from packhouse.house import House

ADMIN = "/api/v1/admin"


async def test_switches_are_changed_together_and_on_record(
    olga: httpx.AsyncClient, client: httpx.AsyncClient
) -> None:
    assert (await olga.get(f"{ADMIN}/settings")).json() == {
        "registrations_open": True,
        "maintenance": False,
    }
    changed = await olga.put(
        f"{ADMIN}/settings",
        json={"registrations_open": False, "maintenance": False, "reason": "We are full."},
    )
    assert changed.status_code == 200
    assert changed.json() == (await olga.get(f"{ADMIN}/settings")).json()
    account = {
        "email": "late@example.com",
        "username": "latecomer",
        "password": "seven quiet herons",
        "birth_date": "1990-01-01",
    }
    refused = await client.post("/api/v1/accounts", json=account)
    assert (refused.status_code, refused.json()["code"]) == (403, "registrations_closed")
    log = (await olga.get(f"{ADMIN}/audit-log")).json()["items"]
    (entry,) = [each for each in log if each["action"] == "change_shop_settings"]
    assert (entry["actor_name"], entry["reason"]) == ("olga", "We are full.")
    assert entry["details"] == {
        "from": {"registrations_open": True, "maintenance": False},
        "to": {"registrations_open": False, "maintenance": False},
    }


async def test_operators_work_on_in_maintenance_and_can_end_it(olga: httpx.AsyncClient) -> None:
    closed = {"registrations_open": True, "maintenance": True}
    assert (await olga.put(f"{ADMIN}/settings", json=closed)).status_code == 200
    opened = await olga.put(f"{ADMIN}/settings", json=closed | {"maintenance": False})
    assert opened.json()["maintenance"] is False


async def test_figures_add_up(
    house: House, olga: httpx.AsyncClient, ada: httpx.AsyncClient, ben: httpx.AsyncClient
) -> None:
    opened = await ada.post(
        "/api/v1/packs/veil-eight/openings", json={}, headers={"Idempotency-Key": "first"}
    )
    sold = {"user_card_ids": [opened.json()["openings"][0]["cards"][0]["user_card_id"]]}
    sale = await ada.post("/api/v1/vault/sales", json=sold, headers={"Idempotency-Key": "second"})
    me = (await ben.get("/api/v1/me")).json()
    await olga.post(
        f"{ADMIN}/users/{me['id']}/adjustments",
        json={"amount": 300, "reason": "Sorry."},
        headers={"Idempotency-Key": "third"},
    )
    await relay_events(house)
    figures = (await olga.get(f"{ADMIN}/analytics")).json()
    credited = sale.json()["credited"]
    assert figures == {
        "credits_sold": 100_000,
        "pack_sales": 500,
        "sell_backs": credited,
        "stock_payouts": 0,
        "payout": credited,
        "shipping": 0,
        "losses": 0,
        "adjustments": 300,
        "forfeitures": 0,
        "credits_outstanding": 100_000 - 500 + credited + 300,
        "cards_drawn": 8,
        "accounts": {"collector": 2, "staff": 0, "owner": 1},
        "shipping_requests": {},
    }


async def test_the_audit_log_is_paged_newest_first_and_shows_this_very_look(
    olga: httpx.AsyncClient,
) -> None:
    newest = (await olga.get(f"{ADMIN}/audit-log", params={"limit": "1"})).json()
    (entry,) = newest["items"]
    assert (entry["action"], entry["subject"]) == ("call", f"GET {ADMIN}/audit-log")
    older = await olga.get(f"{ADMIN}/audit-log", params={"cursor": newest["next_cursor"]})
    times = [each["created_at"] for each in older.json()["items"]]
    assert times == sorted(times, reverse=True)
    assert entry["id"] not in {each["id"] for each in older.json()["items"]}
