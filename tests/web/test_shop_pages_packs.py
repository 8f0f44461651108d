"""The shelf and the page of a pack: what is promised, and what pressing the button does."""

import asyncio

import httpx
import pytest

from packhouse.flows.publish_pack import PublishPack, SavePackDraft, publish_pack, save_pack_draft
from packhouse.flows.relay_events import relay_events
from packhouse.foundation.money import format_minor
from packhouse.house import House
from packhouse.plumbing.audit import Actor
from packhouse.web import kept
from worlds.four_packs import TIER_ODDS_PACK
from worlds.page_forms import form_of, words_of
from worlds.veil_shop import make_collector

pytestmark = pytest.mark.usefixtures("shop")

OPENINGS = "/packs/veil-one/openings"


async def balance_of(collector: httpx.AsyncClient) -> int:
    balance: int = (await collector.get("/api/v1/me")).json()["balance"]
    return balance


async def test_the_shelf_has_every_pack_with_its_price(client: httpx.AsyncClient) -> None:
    page = await client.get("/")
    words = words_of(page.text)
    assert page.status_code == 200
    assert all(f'href="/packs/{slug}"' in page.text for slug in ("veil-one", "veil-lot"))
    assert "5.00" in words
    assert "20 of 20" in words


async def test_the_shelf_of_an_empty_shop_says_so(house: House, olga: httpx.AsyncClient) -> None:
    async with house.database.transaction() as connection:
        await connection.execute("UPDATE packs SET withdrawn_at = now(), current_version_id = NULL")
    house.packs.forget()
    assert "Nothing is on sale yet" in (await olga.get("/")).text


@pytest.mark.parametrize("path", ["/", "/feed", "/packs/veil-eight", "/vault"])
async def test_who_look_at_once_each_see_themselves_around_what_is_kept(
    path: str,
    ada: httpx.AsyncClient,
    ben: httpx.AsyncClient,
    client: httpx.AsyncClient,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(kept, "FRESH_SECONDS", 3600.0)
    form = form_of((await ben.get("/packs/veil-one")).text, "/packs/veil-one/openings")
    await ben.post("/packs/veil-one/openings", data=form.values)
    balances = {"ada": await balance_of(ada), "ben": await balance_of(ben)}
    assert balances["ada"] != balances["ben"]
    for _ in range(2):
        pages = await asyncio.gather(*(each.get(path) for each in (ada, ben) * 5))
        for name, page in zip(("ada", "ben") * 5, pages, strict=True):
            words = words_of(page.text)
            other = "ben" if name == "ada" else "ada"
            assert f"Signed in as {name}" in words
            assert f"Balance {format_minor(balances[name])}" in words
            assert f"Signed in as {other}" not in words
    assert "Signed in as" not in words_of((await client.get(path)).text)


async def test_a_pack_shows_exact_odds_down_to_each_card(client: httpx.AsyncClient) -> None:
    words = words_of((await client.get("/packs/veil-one")).text)
    assert "65 % 13 in 20" in words
    assert "Veil 022" in words or "Veil 021" in words
    assert "80 % of a card’s value, for 7 days" in words


async def test_a_pack_of_two_layouts_shows_how_rare_each_is(client: httpx.AsyncClient) -> None:
    words = words_of((await client.get("/packs/veil-five")).text)
    assert "99.95 % of packs, 1,999 in 2,000" in words
    assert "0.05 % of packs, 1 in 2,000" in words
    assert "19.192 %" in words


async def test_a_lot_shows_what_is_left_and_its_last_one_prize(
    house: House, ada: httpx.AsyncClient
) -> None:
    page = (await ada.get("/packs/veil-lot")).text
    form = form_of(page, "/packs/veil-lot/openings")
    await ada.post(form.action, data=form.filled(quantity="2"))
    await relay_events(house)
    words = words_of((await ada.get("/packs/veil-lot")).text)
    assert "18 of 20" in words
    assert "last-one prize" in words
    assert "in 36" in words or "in 18" in words or "in 9" in words


async def test_the_commitment_is_shown_before_anything_is_bought(ada: httpx.AsyncClient) -> None:
    seed = (await ada.get("/api/v1/fairness/seed")).json()
    page = (await ada.get("/packs/veil-one")).text
    assert seed["commitment"] in page
    config_hash = (await ada.get("/api/v1/packs/veil-one")).json()["config_hash"]
    assert form_of(page, OPENINGS).values["config_hash"] == [config_hash]


async def test_a_pack_that_is_not_on_sale_is_not_found(client: httpx.AsyncClient) -> None:
    assert (await client.get("/packs/nothing")).status_code == 404


async def test_a_visitor_signs_in_first_and_comes_back(client: httpx.AsyncClient) -> None:
    page = await client.get("/packs/veil-one")
    assert 'href="/sign-in?next=/packs/veil-one"' in page.text
    answer = await client.post(OPENINGS, data={"quantity": "1"})
    assert answer.status_code == 303
    assert answer.headers["location"] == "/sign-in?next=/packs/veil-one"


async def test_staff_see_why_they_cannot_open(olga: httpx.AsyncClient) -> None:
    page = await olga.get("/packs/veil-one")
    assert "never open them" in page.text
    assert OPENINGS not in page.text
    answer = await olga.post(OPENINGS, data={"quantity": "1", "idempotency_key": "olga"})
    assert answer.status_code == 403


async def test_opening_packs_leads_to_all_that_came_out(ada: httpx.AsyncClient) -> None:
    form = form_of((await ada.get("/packs/veil-one")).text, OPENINGS)
    answer = await ada.post(form.action, data=form.filled(quantity="3"))
    assert answer.status_code == 303
    page = await ada.get(answer.headers["location"])
    assert page.text.count('class="reveal-card ') == 3
    assert await balance_of(ada) == 50_000 - 3 * 500


async def test_pressing_twice_opens_and_pays_once(ada: httpx.AsyncClient) -> None:
    form = form_of((await ada.get("/packs/veil-one")).text, OPENINGS)
    sent = form.filled(client_seed="mine")
    first = await ada.post(form.action, data=sent)
    second = await ada.post(form.action, data=sent)
    assert first.headers["location"] == second.headers["location"]
    assert await balance_of(ada) == 50_000 - 500


async def test_a_key_used_for_something_else_gets_a_new_one(ada: httpx.AsyncClient) -> None:
    form = form_of((await ada.get("/packs/veil-one")).text, OPENINGS)
    await ada.post(form.action, data=form.filled(quantity="1"))
    answer = await ada.post(form.action, data=form.filled(quantity="2"))
    assert answer.status_code == 409
    again = form_of(answer.text, OPENINGS)
    assert again.values["quantity"] == ["2"]
    assert again.values["idempotency_key"] != form.values["idempotency_key"]
    assert (await ada.post(again.action, data=again.filled())).status_code == 303


async def test_without_a_seed_the_stored_one_is_used(ada: httpx.AsyncClient) -> None:
    stored = (await ada.get("/api/v1/fairness/seed")).json()["client_seed"]
    form = form_of((await ada.get("/packs/veil-one")).text, OPENINGS)
    answer = await ada.post(form.action, data=form.filled(client_seed=""))
    assert stored in (await ada.get(answer.headers["location"])).text


async def test_too_few_credits_say_so_and_keep_what_was_typed(
    house: House, new_client: object
) -> None:
    assert callable(new_client)
    poor: httpx.AsyncClient = new_client(await make_collector(house, "poor"))
    form = form_of((await poor.get("/packs/veil-one")).text, OPENINGS)
    answer = await poor.post(form.action, data=form.filled(quantity="4", client_seed="my words"))
    kept = form_of(answer.text, OPENINGS).values
    assert answer.status_code == 402
    assert 'href="/wallet?next=/packs/veil-one"' in answer.text
    assert kept["quantity"] == ["4"]
    assert kept["client_seed"] == ["my words"]


async def test_a_seed_that_the_browser_made_up_is_not_offered_again(ada: httpx.AsyncClient) -> None:
    form = form_of((await ada.get("/packs/veil-one")).text, OPENINGS)
    answer = await ada.post(form.action, data=form.filled(quantity="0", client_seed="ab" * 32))
    assert answer.status_code == 422
    assert form_of(answer.text, OPENINGS).values["client_seed"] == [""]


@pytest.mark.parametrize("quantity", ["0", "11", "-1", "x", "1.5", "9" * 400])
async def test_a_bad_quantity_gets_a_sentence(ada: httpx.AsyncClient, quantity: str) -> None:
    form = form_of((await ada.get("/packs/veil-one")).text, OPENINGS)
    answer = await ada.post(form.action, data=form.filled(quantity=quantity))
    assert answer.status_code == 422
    assert "Open 1 to 10 packs at once." in answer.text
    assert await balance_of(ada) == 50_000


async def test_a_pack_published_anew_shows_its_new_odds_first(
    house: House, shop: Actor, ada: httpx.AsyncClient
) -> None:
    form = form_of((await ada.get("/packs/veil-one")).text, OPENINGS)
    await save_pack_draft(house, SavePackDraft("veil-one", TIER_ODDS_PACK, shop))
    await publish_pack(house, PublishPack("veil-one", shop, "Again."))
    answer = await ada.post(form.action, data=form.filled())
    renewed = form_of(answer.text, OPENINGS)
    assert answer.status_code == 409
    assert renewed.values["config_hash"] != form.values["config_hash"]
    assert (await ada.post(renewed.action, data=renewed.filled())).status_code == 303


async def test_a_lot_that_is_sold_out_has_no_form(ada: httpx.AsyncClient) -> None:
    for _ in range(2):
        form = form_of((await ada.get("/packs/veil-lot")).text, "/packs/veil-lot/openings")
        await ada.post(form.action, data=form.filled(quantity="10"))
    page = await ada.get("/packs/veil-lot")
    assert "sold out" in page.text
    assert "/packs/veil-lot/openings" not in page.text
