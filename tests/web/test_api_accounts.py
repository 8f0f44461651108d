"""Accounts, sessions and oneself over the API."""

from uuid import UUID

import httpx
import pytest

from packhouse.flows.suspend_account import SuspendAccount, suspend_account
from packhouse.house import House
from packhouse.plumbing.audit import Actor
from packhouse.plumbing.shop_settings import ShopSettings, update_shop_settings
from worlds.veil_shop import PASSWORD, make_collector

CLARA = {
    "email": "Clara@example.com",
    "username": "Clara",
    "password": PASSWORD,
    "birth_date": "1991-05-06",
}


def fields_of(answer: httpx.Response) -> set[str]:
    return {error["field"] for error in answer.json()["errors"]}


async def test_a_new_account_is_signed_in(client: httpx.AsyncClient) -> None:
    answer = await client.post("/api/v1/accounts", json=CLARA)
    assert answer.status_code == 201
    assert answer.json().keys() == {"id", "username"}
    me = (await client.get("/api/v1/me")).json()
    assert (me["id"], me["username"], me["email"]) == (
        answer.json()["id"],
        "Clara",
        "Clara@example.com",
    )
    assert (me["role"], me["balance"], me["is_anonymous"]) == ("collector", 0, False)
    assert me["limits"]["packs_per_opening"] == 10


async def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(
    client: httpx.AsyncClient,
) -> None:
    cookie = (await client.post("/api/v1/accounts", json=CLARA)).headers["set-cookie"]
    assert cookie.startswith("packhouse_session=")
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= set(cookie.split("; "))


@pytest.mark.parametrize(
    ("changed", "code"),
    [({"username": "clara2"}, "email_taken"), ({"email": "c@example.com"}, "username_taken")],
)
async def test_what_is_taken_is_refused(
    client: httpx.AsyncClient, changed: dict[str, str], code: str
) -> None:
    await client.post("/api/v1/accounts", json=CLARA)
    answer = await client.post("/api/v1/accounts", json=CLARA | changed)
    assert (answer.status_code, answer.json()["code"]) == (409, code)


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"password": "short"}, "password"),
        ({"birth_date": "2026-01-01"}, "birth_date"),
        ({"birth_date": "yesterday"}, "birth_date"),
        ({"email": "nowhere"}, "email"),
        ({"username": "no spaces"}, "username"),
        ({"username": 7}, "username"),
        ({"role": "owner"}, "role"),
    ],
)
async def test_a_bad_field_is_named(
    client: httpx.AsyncClient, changed: dict[str, object], field: str
) -> None:
    answer = await client.post("/api/v1/accounts", json=CLARA | changed)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_input")
    assert fields_of(answer) == {field}


async def test_every_bad_field_is_named_at_once(client: httpx.AsyncClient) -> None:
    answer = await client.post("/api/v1/accounts", json={"email": 1, "username": None, "age": 2})
    assert fields_of(answer) == {"email", "username", "password", "birth_date", "age"}


async def test_a_shop_may_close_its_registrations(house: House, client: httpx.AsyncClient) -> None:
    async with house.database.transaction() as connection:
        settings = ShopSettings(registrations_open=False)
        await update_shop_settings(connection, settings, now=house.clock())
    answer = await client.post("/api/v1/accounts", json=CLARA)
    assert (answer.status_code, answer.json()["code"]) == (403, "registrations_closed")


async def test_signing_in_starts_a_session(house: House, client: httpx.AsyncClient) -> None:
    await make_collector(house, "clara")
    answer = await client.post(
        "/api/v1/session", json={"email": " CLARA@example.com", "password": PASSWORD}
    )
    assert answer.status_code == 200
    assert answer.json()["user"]["username"] == "clara"
    assert "token" not in answer.text
    assert (await client.get("/api/v1/me")).status_code == 200


@pytest.mark.parametrize(
    "credentials",
    [
        {"email": "clara@example.com", "password": "not her password"},
        {"email": "nobody@example.com", "password": PASSWORD},
        {"email": "not an address", "password": PASSWORD},
    ],
)
async def test_wrong_credentials_get_one_and_the_same_answer(
    house: House, client: httpx.AsyncClient, credentials: dict[str, str]
) -> None:
    await make_collector(house, "clara")
    answer = await client.post("/api/v1/session", json=credentials)
    assert (answer.status_code, answer.json()["code"]) == (401, "bad_credentials")
    assert answer.json()["detail"] == "The e-mail address or the password is wrong."
    assert "set-cookie" not in answer.headers


async def test_a_suspended_account_cannot_sign_in_or_act(
    house: House, shop: Actor, ada: httpx.AsyncClient, client: httpx.AsyncClient
) -> None:
    ada_id = UUID((await ada.get("/api/v1/me")).json()["id"])
    await suspend_account(house, SuspendAccount(actor=shop, user_id=ada_id, reason="Chargebacks."))
    answer = await client.post(
        "/api/v1/session", json={"email": "ada@example.com", "password": PASSWORD}
    )
    assert (answer.status_code, answer.json()["code"]) == (403, "account_suspended")
    assert (await ada.get("/api/v1/me")).status_code == 401


async def test_signing_out_ends_the_session_and_not_only_the_cookie(
    ada: httpx.AsyncClient, client: httpx.AsyncClient
) -> None:
    cookies = dict(ada.cookies)
    answer = await ada.delete("/api/v1/session")
    assert (answer.status_code, answer.content) == (204, b"")
    assert "Max-Age=0" in answer.headers["set-cookie"]
    client.cookies.update(cookies)
    assert (await client.get("/api/v1/me")).status_code == 401


async def test_signing_out_twice_is_no_error(client: httpx.AsyncClient) -> None:
    assert (await client.delete("/api/v1/session")).status_code == 204


async def test_attempts_on_one_account_are_limited(house: House, client: httpx.AsyncClient) -> None:
    await make_collector(house, "clara")
    attempt = {"email": "clara@example.com", "password": "a guess at hers"}
    for _ in range(house.settings.rate_limit_sign_in_account.limit):
        assert (await client.post("/api/v1/session", json=attempt)).status_code == 401
    answer = await client.post("/api/v1/session", json=attempt | {"email": "CLARA@example.com"})
    assert (answer.status_code, answer.json()["code"]) == (429, "rate_limited")
    assert int(answer.headers["retry-after"]) > 0


async def test_right_passwords_do_not_use_the_attempts_up(
    house: House, client: httpx.AsyncClient
) -> None:
    await make_collector(house, "clara")
    right = {"email": "clara@example.com", "password": PASSWORD}
    for _ in range(house.settings.rate_limit_sign_in_account.limit + 2):
        assert (await client.post("/api/v1/session", json=right)).status_code == 200


async def test_nobody_is_nobody(client: httpx.AsyncClient) -> None:
    answer = await client.get("/api/v1/me")
    assert (answer.status_code, answer.json()["code"]) == (401, "not_signed_in")


async def test_what_is_about_one_person_is_never_kept(ada: httpx.AsyncClient) -> None:
    answer = await ada.get("/api/v1/me")
    assert answer.headers["cache-control"] == "private, no-store"


async def test_a_collector_may_be_anonymous_in_the_feed(ada: httpx.AsyncClient) -> None:
    answer = await ada.patch("/api/v1/me", json={"is_anonymous": True})
    assert (answer.status_code, answer.json()["is_anonymous"]) == (200, True)
    assert (await ada.get("/api/v1/me")).json()["is_anonymous"] is True


@pytest.mark.parametrize("body", [{"role": "owner"}, {"is_anonymous": "yes"}, {}])
async def test_nothing_else_about_oneself_can_be_changed(
    ada: httpx.AsyncClient, body: dict[str, object]
) -> None:
    assert (await ada.patch("/api/v1/me", json=body)).status_code == 422
    role = (await ada.get("/api/v1/me")).json()["role"]
    assert role == "collector"
