"""What came out: the reveal, the receipt in plain words, and one's own history."""

import httpx
import pytest

from packhouse.flows.relay_events import relay_events
from packhouse.house import House
from worlds.page_forms import form_of, words_of

pytestmark = pytest.mark.usefixtures("shop")

UNKNOWN = "01890a5d-ac96-774b-bcce-b302099a8057"


async def open_pack(
    collector: httpx.AsyncClient, slug: str = "veil-eight", quantity: int = 1
) -> str:
    """Open packs by the form; gives the address of what came out."""
    form = form_of((await collector.get(f"/packs/{slug}")).text, f"/packs/{slug}/openings")
    sent = form.filled(quantity=str(quantity), client_seed="ada's own")
    answer = await collector.post(form.action, data=sent)
    location: str = answer.headers["location"]
    return location


async def test_whoever_opens_turns_the_cards_first(ada: httpx.AsyncClient) -> None:
    page = (await ada.get(await open_pack(ada))).text
    assert page.count('class="reveal-card ') == 8
    assert "elements/card-reveal" in page


async def test_the_best_card_is_turned_last(ada: httpx.AsyncClient) -> None:
    page = (await ada.get(await open_pack(ada))).text
    tiers = [part[0] for part in page.split('data-tier="')[1:]]
    assert tiers[-1] in "BAS"
    assert tiers == sorted(tiers, key="DCBAS".index)


async def test_a_receipt_names_what_a_stranger_needs(
    ada: httpx.AsyncClient, client: httpx.AsyncClient, house: House
) -> None:
    address = (await open_pack(ada)).partition("?")[0]
    await relay_events(house)
    receipt = (await client.get(f"/api/v1{address}")).json()
    page = (await client.get(address)).text
    proof = receipt["proof"]
    assert proof["commitment"] in page
    assert proof["config_hash"] in page
    assert "ada&#39;s own" in page
    assert f'href="/api/v1{address}"' in page
    assert f'href="/verify?opening={receipt["id"]}"' in page
    assert "@example.com" not in page
    assert "In your vault" not in page


async def test_the_server_seed_stands_on_the_receipt_once_it_is_revealed(
    ada: httpx.AsyncClient,
) -> None:
    address = (await open_pack(ada)).partition("?")[0]
    assert "Not revealed yet" in (await ada.get(address)).text
    await ada.post("/fairness/rotation")
    seed = (await ada.get(f"/api/v1{address}")).json()["server_seed"]
    assert seed in (await ada.get(address)).text


async def test_a_lot_s_receipt_names_the_list_of_prizes(ada: httpx.AsyncClient) -> None:
    address = await open_pack(ada, "veil-lot")
    words = words_of((await ada.get(address)).text)
    assert "Draw of the lot" in words
    assert "list of all its prizes" in words


async def test_several_packs_are_shown_together(ada: httpx.AsyncClient) -> None:
    page = (await ada.get(await open_pack(ada, "veil-one", 10))).text
    assert page.count('class="reveal-card ') == 10
    assert page.count("how it was drawn") == 10


@pytest.mark.parametrize("beside", [UNKNOWN, "x", "%00", "' OR 1"])
async def test_what_was_never_opened_is_not_found(ada: httpx.AsyncClient, beside: str) -> None:
    address = (await open_pack(ada)).partition("?")[0]
    assert (await ada.get(f"/openings/{UNKNOWN}")).status_code == 404
    assert (await ada.get(f"{address}?with={beside}")).status_code in (400, 404)


async def test_one_s_own_openings_are_a_list(
    ada: httpx.AsyncClient, ben: httpx.AsyncClient
) -> None:
    address = (await open_pack(ada)).partition("?")[0]
    assert address in (await ada.get("/openings")).text
    assert address not in (await ben.get("/openings")).text
    assert "not opened a pack yet" in (await ben.get("/openings")).text


async def test_openings_go_on_page_by_page(ada: httpx.AsyncClient) -> None:
    for _ in range(3):
        await open_pack(ada, "veil-one", 10)
    first = (await ada.get("/openings")).text
    older = first.partition('rel="next" href="')[2].partition('"')[0].replace("&amp;", "&")
    second = (await ada.get(older)).text
    assert first.count('href="/openings/') == 20
    assert second.count('href="/openings/') == 10
    assert 'rel="next"' not in second


async def test_history_needs_a_sign_in(client: httpx.AsyncClient) -> None:
    answer = await client.get("/openings?cursor=x")
    assert answer.headers["location"] == "/sign-in?next=/openings%3Fcursor%3Dx"
