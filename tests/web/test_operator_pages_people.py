"""Accounts, settings and the overview on the operator's pages."""

import re
from collections.abc import Callable

import httpx
import pytest

from packhouse.flows.change_role import ChangeRole, change_role
from packhouse.flows.sign_in import SignedIn
from packhouse.house import House
from packhouse.plumbing.audit import Actor
from packhouse.plumbing.shop_settings import find_shop_settings
from packhouse.web.operator.overview import money_rows
from worlds.veil_shop import make_collector


async def path_of(olga: httpx.AsyncClient, name: str) -> str:
    found = (await olga.get("/admin/users", params={"q": name})).text
    return str(re.findall(rf'href="(/admin/users/[0-9a-f-]+)">{name}<', found)[0])


async def test_a_suspension_and_its_end_need_a_reason(
    olga: httpx.AsyncClient, ada: httpx.AsyncClient
) -> None:
    path = await path_of(olga, "ada")
    nameless = await olga.post(f"{path}/suspension", data={"suspension_reason": ""})
    assert nameless.status_code == 422
    await olga.post(f"{path}/suspension", data={"suspension_reason": "Chargeback"})
    assert "Chargeback" in (await olga.get(path)).text
    assert (await ada.get("/api/v1/me")).status_code == 401
    lifted = await olga.post(
        f"{path}/suspension", data={"suspension_reason": "Settled", "lift": "yes"}
    )
    assert lifted.headers["location"] == f"{path}?done=lifted"


async def test_an_adjustment_sent_twice_happens_once(
    olga: httpx.AsyncClient, ada: httpx.AsyncClient
) -> None:
    path = await path_of(olga, "ada")
    key = re.findall(r'name="idempotency_key" value="([^"]+)"', (await olga.get(path)).text)[0]
    form = {"amount": "-1.50", "adjustment_reason": "Typo in a refund", "idempotency_key": key}
    for _ in range(2):
        assert (await olga.post(f"{path}/adjustments", data=form)).status_code == 303
    assert (await ada.get("/api/v1/me")).json()["balance"] == 49_850


async def test_a_debit_over_the_balance_is_refused_and_nothing_typed_is_lost(
    olga: httpx.AsyncClient, ada: httpx.AsyncClient
) -> None:
    assert (await ada.get("/api/v1/me")).status_code == 200
    path = await path_of(olga, "ada")
    form = {"amount": "-9999", "adjustment_reason": "Too much", "idempotency_key": "once"}
    refused = await olga.post(f"{path}/adjustments", data=form)
    assert refused.status_code == 402
    assert 'value="-9999"' in refused.text
    assert 'value="Too much"' in refused.text


async def test_roles_are_for_owners_to_give(
    house: House, olga: httpx.AsyncClient, ada: httpx.AsyncClient, clerk: httpx.AsyncClient
) -> None:
    assert (await ada.get("/api/v1/me")).status_code == 200
    path = await path_of(olga, "ada")
    form = {"role": "staff", "role_reason": "Helps on Fridays"}
    assert f"{path}/role" not in (await clerk.get(path)).text
    assert (await clerk.post(f"{path}/role", data=form)).status_code == 403
    assert f"{path}/role" in (await olga.get(path)).text
    assert (await olga.post(f"{path}/role", data=form)).status_code == 303
    assert (await ada.get("/admin")).status_code == 200


async def test_the_switches_are_set_as_the_page_shows_them(
    house: House, olga: httpx.AsyncClient
) -> None:
    assert (await olga.post("/admin/settings", data={"maintenance": "yes"})).status_code == 303
    async with house.database.connection() as connection:
        settings = await find_shop_settings(connection)
    assert (settings.maintenance, settings.registrations_open) == (True, False)
    assert "collectors see a closed door" in (await olga.get("/admin")).text


async def test_acts_are_told_apart_from_looks(olga: httpx.AsyncClient) -> None:
    await olga.post("/admin/settings", data={"reason": "Stocktaking"})
    acts = (await olga.get("/admin/audit-log")).text
    assert "Stocktaking" in acts
    assert "GET /admin" not in acts
    assert "POST /admin/settings" in (await olga.get("/admin/audit-log?show=all")).text


def test_money_is_told_from_the_shops_side() -> None:
    rows = {
        label: amount
        for label, amount, _ in money_rows(
            {"payments": -1_000, "pack_sales": 600, "sell_backs": -50}
        )
    }
    assert rows == {
        "Credits bought": 1_000,
        "Pack sales": 600,
        "Sold back": 50,
        "Credits held": 450,
    }


@pytest.fixture
async def clerk(
    house: House, shop: Actor, new_client: Callable[[SignedIn | None], httpx.AsyncClient]
) -> httpx.AsyncClient:
    """Clerk works here, and owns nothing."""
    signed_in = await make_collector(house, "clerk")
    command = ChangeRole(actor=shop, user_id=signed_in.user.id, role="staff", reason="Hired.")
    await change_role(house, command)
    return new_client(signed_in)
