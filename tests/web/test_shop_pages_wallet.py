"""The wallet's page: what is in it, why, and buying credits."""

import httpx
import msgspec
import pytest

from packhouse.house import House
from packhouse.web.app import WebApp
from worlds.page_forms import form_of, words_of

TOP_UPS = "/wallet/top-ups"


async def balance_of(collector: httpx.AsyncClient) -> int:
    balance: int = (await collector.get("/api/v1/me")).json()["balance"]
    return balance


async def test_the_wallet_needs_a_sign_in(client: httpx.AsyncClient) -> None:
    assert (await client.get("/wallet")).headers["location"] == "/sign-in?next=/wallet"
    answer = await client.post(TOP_UPS, data={"amount": "5"})
    assert answer.headers["location"] == "/sign-in?next=/wallet"


@pytest.mark.parametrize(
    ("typed", "minor"), [("12.50", 1_250), ("12,50", 1_250), ("1,000", 100_000)]
)
async def test_credits_are_bought_to_the_cent(
    ada: httpx.AsyncClient, typed: str, minor: int
) -> None:
    form = form_of((await ada.get("/wallet")).text, TOP_UPS)
    answer = await ada.post(form.action, data=form.filled(amount=typed))
    assert answer.headers["location"] == "/wallet?done=credits-added"
    assert await balance_of(ada) == 50_000 + minor


async def test_a_form_sent_twice_buys_once(ada: httpx.AsyncClient) -> None:
    form = form_of((await ada.get("/wallet")).text, TOP_UPS)
    for _ in range(2):
        assert (await ada.post(form.action, data=form.filled(amount="10"))).status_code == 303
    assert await balance_of(ada) == 51_000


async def test_a_spent_form_with_another_amount_asks_again(ada: httpx.AsyncClient) -> None:
    form = form_of((await ada.get("/wallet")).text, TOP_UPS)
    await ada.post(form.action, data=form.filled(amount="10"))
    answer = await ada.post(form.action, data=form.filled(amount="20"))
    assert answer.status_code == 409
    again = form_of(answer.text, TOP_UPS)
    assert again.values["amount"] == ["20"]
    assert (await ada.post(again.action, data=again.filled())).status_code == 303
    assert await balance_of(ada) == 53_000


@pytest.mark.parametrize("typed", ["", "abc", "-5", "0", "0.99", "10000.01", "1e3", "12.505"])
async def test_an_amount_that_cannot_be_is_shown_again(ada: httpx.AsyncClient, typed: str) -> None:
    form = form_of((await ada.get("/wallet")).text, TOP_UPS)
    answer = await ada.post(form.action, data=form.filled(amount=typed))
    assert answer.status_code == 422
    assert "from 1.00 to 10,000.00" in answer.text
    assert form_of(answer.text, TOP_UPS).values["amount"] == [typed]
    assert await balance_of(ada) == 50_000


async def test_a_form_without_its_key_buys_nothing(ada: httpx.AsyncClient) -> None:
    assert (await ada.post(TOP_UPS, data={"amount": "10"})).status_code == 400
    assert await balance_of(ada) == 50_000


@pytest.mark.parametrize(
    ("wanted", "location"),
    [
        ("/packs/veil-one", "/packs/veil-one?done=credits-added"),
        ("//evil.example", "/wallet?done=credits-added"),
        ("/\\evil.example", "/wallet?done=credits-added"),
    ],
)
async def test_whoever_lacked_credits_goes_back_to_the_pack(
    ada: httpx.AsyncClient, wanted: str, location: str
) -> None:
    form = form_of((await ada.get("/wallet", params={"next": wanted})).text, TOP_UPS)
    answer = await ada.post(form.action, data=form.filled(amount="5", next=wanted))
    assert answer.headers["location"] == location


@pytest.mark.usefixtures("shop")
async def test_entries_say_what_moved_and_link_to_it(ada: httpx.AsyncClient) -> None:
    opened = await ada.post(
        "/api/v1/packs/veil-one/openings", json={}, headers={"Idempotency-Key": "open"}
    )
    page = (await ada.get("/wallet")).text
    assert f'href="/openings/{opened.json()["openings"][0]["id"]}"' in page
    assert "Pack opened Credits added" not in words_of(page)
    assert "−5.00" in page
    assert "+500.00" in page


@pytest.mark.usefixtures("shop")
async def test_entries_go_on_page_by_page(ada: httpx.AsyncClient) -> None:
    for key in range(3):
        await ada.post(
            "/api/v1/packs/veil-one/openings",
            json={"quantity": 10},
            headers={"Idempotency-Key": str(key)},
        )
    page = (await ada.get("/wallet")).text
    older = page.partition('rel="next" href="')[2].partition('"')[0]
    assert page.count("Pack opened") == 20
    assert "Credits added" in (await ada.get(older)).text


@pytest.mark.parametrize("cursor", ["x", "e30", "eyJzZXF1ZW5jZSI6OTk5OTk5OTk5OTk5OTk5OTk5OTl9"])
async def test_a_cursor_that_was_not_ours_is_refused(ada: httpx.AsyncClient, cursor: str) -> None:
    assert (await ada.get(f"/wallet?cursor={cursor}")).status_code == 400


async def test_a_shop_without_payments_says_so(house: House, ada: httpx.AsyncClient) -> None:
    without = msgspec.structs.replace(house, payments=None)
    app = WebApp(house.settings, without)
    async with app.running():
        transport = httpx.ASGITransport(app=app, client=("127.0.0.1", 4321))
        async with httpx.AsyncClient(
            transport=transport, base_url="http://127.0.0.1:8000", cookies=ada.cookies
        ) as visitor:
            page = await visitor.get("/wallet")
            answer = await visitor.post(TOP_UPS, data={"amount": "5", "idempotency_key": "k"})
    assert "takes no payments yet" in page.text
    assert answer.status_code == 409
