"""Signing up, in and out on pages, and the name in the feed."""

import httpx
import msgspec
import pytest

from packhouse.flows.relay_events import relay_events
from packhouse.house import House
from packhouse.plumbing.shop_settings import ShopSettings, update_shop_settings
from worlds.page_forms import form_of, words_of
from worlds.veil_shop import PASSWORD

NEW = {
    "email": "cleo@example.com",
    "username": "cleo",
    "password": PASSWORD,
    "birth_date": "1990-04-30",
}


async def test_a_new_collector_is_signed_in_and_goes_on(client: httpx.AsyncClient) -> None:
    page = await client.get("/sign-up?next=/packs/veil-one")
    form = form_of(page.text, "/sign-up")
    answer = await client.post(form.action, data=form.filled(**NEW))
    assert answer.status_code == 303
    assert answer.headers["location"] == "/packs/veil-one?done=account-made"
    assert (await client.get("/api/v1/me")).json()["username"] == "cleo"


async def test_everything_wrong_is_said_at_once_and_stays_as_typed(
    client: httpx.AsyncClient,
) -> None:
    wrong = {"email": "no", "username": "!", "password": "short", "birth_date": "soon"}
    answer = await client.post("/sign-up", data=wrong)
    kept = form_of(answer.text, "/sign-up").values
    assert answer.status_code == 422
    assert answer.text.count('class="field-error"') == 4
    assert (kept["email"], kept["username"], kept["birth_date"]) == (["no"], ["!"], ["soon"])
    assert "password" not in kept or kept["password"] == [""]


@pytest.mark.parametrize(
    "birth_date", ["2020-01-01", "2099-01-01", "1990-13-01", "", "1990-04-30T00:00"]
)
async def test_a_birth_date_that_cannot_be_gets_a_sentence(
    client: httpx.AsyncClient, birth_date: str
) -> None:
    answer = await client.post("/sign-up", data={**NEW, "birth_date": birth_date})
    assert answer.status_code == 422
    assert 'id="error-birth_date"' in answer.text


async def test_a_taken_name_is_said_so(ada: httpx.AsyncClient, client: httpx.AsyncClient) -> None:
    assert (await ada.get("/account")).status_code == 200
    answer = await client.post("/sign-up", data={**NEW, "username": "ADA"})
    assert answer.status_code == 409
    assert "This user name is taken" in answer.text


async def test_closed_registrations_show_no_form(house: House, client: httpx.AsyncClient) -> None:
    async with house.database.transaction() as connection:
        await update_shop_settings(
            connection, ShopSettings(registrations_open=False), now=house.clock()
        )
    page = await client.get("/sign-up")
    answer = await client.post("/sign-up", data=NEW)
    assert "takes no new accounts" in page.text
    assert 'name="birth_date"' not in page.text
    assert answer.status_code == 403


async def test_signing_in_goes_back_to_where_one_came_from(
    ada: httpx.AsyncClient, client: httpx.AsyncClient
) -> None:
    assert (await ada.get("/account")).status_code == 200
    form = form_of((await client.get("/sign-in?next=/vault%3Ftier%3DS")).text, "/sign-in")
    answer = await client.post(
        form.action, data=form.filled(email="ada@example.com", password=PASSWORD)
    )
    assert answer.headers["location"] == "/vault?tier=S"
    assert "HttpOnly" in answer.headers["set-cookie"]


@pytest.mark.parametrize(
    "wanted", ["//evil.example", "/\\evil.example", "https://evil.example", "/\t/evil.example"]
)
async def test_signing_in_never_leads_to_another_site(
    ada: httpx.AsyncClient, client: httpx.AsyncClient, wanted: str
) -> None:
    page = await client.get("/sign-in", params={"next": wanted})
    assert "evil" not in page.text
    sent = {"email": "ada@example.com", "password": PASSWORD, "next": wanted}
    assert (await client.post("/sign-in", data=sent)).headers["location"] == "/"
    assert (await ada.get("/sign-in", params={"next": wanted})).headers["location"] == "/"


async def test_staff_go_to_their_work(olga: httpx.AsyncClient, client: httpx.AsyncClient) -> None:
    assert (await olga.get("/account")).status_code == 200
    sent = {"email": "olga@example.com", "password": PASSWORD}
    assert (await client.post("/sign-in", data=sent)).headers["location"] == "/admin"


async def test_a_wrong_password_keeps_the_address_and_forgets_itself(
    ada: httpx.AsyncClient, client: httpx.AsyncClient
) -> None:
    assert (await ada.get("/account")).status_code == 200
    sent = {"email": "ada@example.com", "password": "not hers at all"}
    answer = await client.post("/sign-in", data=sent)
    assert answer.status_code == 401
    assert form_of(answer.text, "/sign-in").values["email"] == ["ada@example.com"]
    assert "not hers at all" not in answer.text
    assert "set-cookie" not in answer.headers


async def test_too_many_attempts_on_an_account_have_to_wait(
    ada: httpx.AsyncClient, client: httpx.AsyncClient, house: House
) -> None:
    assert (await ada.get("/account")).status_code == 200
    wrong = {"email": "ADA@example.com", "password": "wrong every time"}
    for _ in range(house.settings.rate_limit_sign_in_account.limit):
        assert (await client.post("/sign-in", data=wrong)).status_code == 401
    right = {"email": "ada@example.com", "password": PASSWORD}
    answer = await client.post("/sign-in", data=right)
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) > 0
    assert "Too many attempts" in answer.text
    assert (await client.post("/api/v1/session", json=right)).status_code == 429


async def test_right_passwords_do_not_add_up(
    ada: httpx.AsyncClient, client: httpx.AsyncClient, house: House
) -> None:
    assert (await ada.get("/account")).status_code == 200
    right = {"email": "ada@example.com", "password": PASSWORD}
    for _ in range(house.settings.rate_limit_sign_in_account.limit + 1):
        assert (await client.post("/sign-in", data=right)).status_code == 303


async def test_signing_out_ends_the_session(ada: httpx.AsyncClient) -> None:
    token = dict(ada.cookies)
    answer = await ada.post("/sign-out")
    assert answer.headers["location"] == "/?done=signed-out"
    ada.cookies.update(token)
    assert (await ada.get("/account")).status_code == 303


async def test_signing_out_without_a_session_is_no_error(client: httpx.AsyncClient) -> None:
    assert (await client.post("/sign-out")).status_code == 303


async def test_another_site_cannot_sign_anyone_out(ada: httpx.AsyncClient) -> None:
    answer = await ada.post("/sign-out", headers={"sec-fetch-site": "cross-site"})
    assert answer.status_code == 403
    assert (await ada.get("/account")).status_code == 200


@pytest.mark.usefixtures("shop")
async def test_an_anonymous_collector_s_name_stays_out_of_the_feed(
    ada: httpx.AsyncClient, client: httpx.AsyncClient, house: House
) -> None:
    answer = await ada.post("/account/feed-name", data={"is_anonymous": "yes"})
    assert answer.headers["location"] == "/account?done=feed-name-chosen"
    await ada.post("/api/v1/packs/veil-one/openings", json={}, headers={"Idempotency-Key": "open"})
    await relay_events(house)
    words = words_of((await client.get("/feed")).text)
    assert "Anonymous" in words
    assert "ada" not in words.split()


async def test_only_known_words_are_said_as_done(client: httpx.AsyncClient) -> None:
    assert "You are signed out." in (await client.get("/?done=signed-out")).text
    page = await client.get("/?done=<b>You+won</b>")
    assert "You won" not in page.text
    assert 'role="status"' not in page.text


async def test_a_closed_shop_still_shows_and_changes_nothing(
    ada: httpx.AsyncClient, house: House
) -> None:
    async with house.database.transaction() as connection:
        closed = msgspec.structs.replace(ShopSettings(), maintenance=True)
        await update_shop_settings(connection, closed, now=house.clock())
    answer = await ada.post("/account/feed-name", data={"is_anonymous": "yes"})
    assert answer.status_code == 503
    assert "closed for maintenance" in answer.text
    assert (await ada.get("/vault")).status_code == 200
