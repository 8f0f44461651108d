"""The fairness page, and the feed's: what everybody may see."""

import hashlib
import re

import httpx
import pytest

from packhouse.flows.relay_events import relay_events
from packhouse.house import House
from worlds.page_forms import form_of, words_of

FEED_PAGE = 24


async def open_packs(collector: httpx.AsyncClient, quantity: int) -> None:
    await collector.post(
        "/api/v1/packs/veil-one/openings",
        json={"quantity": quantity},
        headers={"Idempotency-Key": f"open-{quantity}"},
    )


async def test_everybody_reads_what_is_proven_and_what_is_not(client: httpx.AsyncClient) -> None:
    page = (await client.get("/fairness")).text
    words = words_of(page)
    assert "Not proven:" in words
    assert "Whoever holds a server seed can foresee" in words
    assert "at the latest 7 days after its first use" in words
    assert 'href="/verify"' in page.partition("<main")[2]


async def test_the_fairness_page_leads_to_everything_that_checks(client: httpx.AsyncClient) -> None:
    page = (await client.get("/fairness")).text
    for path in ("/log/checkpoint", "/log/key", "/verify", "/fairness/drift"):
        assert f'href="{path}"' in page
    assert "packhouse verify" in words_of(page)


async def test_a_rotation_reveals_a_seed_that_hashes_to_its_commitment(
    ada: httpx.AsyncClient,
) -> None:
    before = (await ada.get("/fairness")).text
    answer = await ada.post("/fairness/rotation")
    after = (await ada.get("/fairness")).text
    assert answer.headers["location"] == "/fairness?done=seed-rotated"
    revealed = re.findall(r"<code>([0-9a-f]{64})</code>", after.partition("Revealed seeds")[2])
    assert hashlib.sha256(bytes.fromhex(revealed[0])).hexdigest() == revealed[1]
    assert revealed[1] in before
    assert revealed[0] not in before


async def test_a_client_seed_is_kept(ada: httpx.AsyncClient) -> None:
    form = form_of((await ada.get("/fairness")).text, "/fairness/client-seed")
    answer = await ada.post(form.action, data=form.filled(client_seed="ünser <seed>"))
    assert answer.status_code == 303
    assert (await ada.get("/api/v1/fairness/seed")).json()["client_seed"] == "ünser <seed>"
    kept = form_of((await ada.get("/fairness")).text, "/fairness/client-seed")
    assert kept.values["client_seed"] == ["ünser <seed>"]


@pytest.mark.parametrize("seed", ["", "x" * 129, "a\nb", "\u200b"])
async def test_a_client_seed_that_cannot_be_is_shown_again(
    ada: httpx.AsyncClient, seed: str
) -> None:
    answer = await ada.post("/fairness/client-seed", data={"client_seed": seed})
    assert answer.status_code == 422
    assert "visible characters" in answer.text


@pytest.mark.parametrize("action", ["/fairness/client-seed", "/fairness/rotation"])
async def test_seeds_need_a_sign_in(client: httpx.AsyncClient, action: str) -> None:
    answer = await client.post(action, data={"client_seed": "x"})
    assert answer.headers["location"] == "/sign-in?next=/fairness"


async def test_an_empty_feed_waits(client: httpx.AsyncClient) -> None:
    assert "Nothing here yet" in (await client.get("/feed")).text


@pytest.mark.usefixtures("shop")
async def test_the_feed_shows_each_pull_and_follows_live(
    ada: httpx.AsyncClient, client: httpx.AsyncClient, house: House
) -> None:
    await open_packs(ada, 3)
    await relay_events(house)
    page = (await client.get("/feed")).text
    assert page.count('data-sequence="') == 3
    assert 'src="/api/v1/feed/live?after=3"' in page
    assert 'src="/api/v1/feed/live?after=3&amp;tier=SS"' in (await client.get("/feed?tier=SS")).text
    assert 'data-sequence="3"' in (await client.get("/")).text


@pytest.mark.usefixtures("shop")
async def test_older_pulls_are_on_further_pages_that_stand_still(
    ada: httpx.AsyncClient, client: httpx.AsyncClient, house: House
) -> None:
    for quantity in (10, 9, 8):
        await open_packs(ada, quantity)
    await relay_events(house)
    first = (await client.get("/feed")).text
    older = first.partition('rel="next" href="')[2].partition('"')[0]
    second = (await client.get(older)).text
    assert first.count('data-sequence="') == FEED_PAGE
    assert second.count('data-sequence="') == 27 - FEED_PAGE
    assert "<live-feed" not in second


@pytest.mark.parametrize("query", ["tier=Z", "cursor=x", "cursor=e30", "tier=S&tier=SS"])
async def test_a_strange_link_to_the_feed_is_no_failure(
    client: httpx.AsyncClient, query: str
) -> None:
    assert (await client.get(f"/feed?{query}")).status_code in (200, 400)


async def test_no_page_of_a_collector_runs_anything_inline(ada: httpx.AsyncClient) -> None:
    for path in ("/", "/feed", "/vault", "/wallet", "/shipping", "/fairness", "/account"):
        page = (await ada.get(path)).text
        assert not re.search(r"<script(?![^>]*\bsrc=)|\son[a-z]+=|\sstyle=|javascript:", page), path
