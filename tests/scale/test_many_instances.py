"""Two instances are one shop: sessions, limits, repeats, streams; without a cache as well."""

import asyncio
import json
import os
import signal
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import msgspec
import pytest

from packhouse.flows.sign_in import SignedIn
from packhouse.house import House
from packhouse.plumbing.embedded import EmbeddedServer, start_valkey
from packhouse.plumbing.setting_values import CacheUrl
from packhouse.web.session import cookie_name
from worlds.crowd import SLUG, open_daily_shop
from worlds.served_roles import PATIENCE_SECONDS
from worlds.veil_shop import make_collector
from worlds.web_fleet import Fleet, start_fleet

pytestmark = pytest.mark.scale

A_SECOND = 1.0
SLACK_SECONDS = 2.0
"""For a machine that is busy with other things; the promise itself is told in the failure."""


@pytest.fixture
def cache() -> Iterator[EmbeddedServer]:
    """A Valkey of the test's own, which it may kill."""
    with tempfile.TemporaryDirectory(prefix="packhouse-cache-") as folder:
        server = start_valkey(Path(folder) / "valkey", announce=lambda _: None)
        yield server
        server.stop()


@pytest.fixture
async def fleet(house: House, cache: EmbeddedServer) -> AsyncIterator[Fleet]:
    await open_daily_shop(house)
    with_cache = msgspec.structs.replace(
        house,
        settings=msgspec.structs.replace(house.settings, cache_url=CacheUrl.parse(cache.url)),
    )
    async with start_fleet(with_cache, 2) as started:
        yield started


@asynccontextmanager
async def at(
    fleet: Fleet, instance: int, house: House, who: SignedIn | None = None
) -> AsyncIterator[httpx.AsyncClient]:
    cookies = {} if who is None else {cookie_name(house.settings): who.token}
    url = f"http://127.0.0.1:{fleet.ports[instance]}"
    async with httpx.AsyncClient(base_url=url, cookies=cookies, timeout=30) as client:
        yield client


async def seconds_until(is_so: Callable[[], Awaitable[bool]]) -> float:
    started = time.monotonic()
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not await is_so():  # noqa: ASYNC110 - it is asked over HTTP
            await asyncio.sleep(0.02)
    return time.monotonic() - started


async def open_one(client: httpx.AsyncClient, key: str) -> httpx.Response:
    return await client.post(
        f"/api/v1/packs/{SLUG}/openings",
        json={"quantity": 1, "client_seed": "many"},
        headers={"Idempotency-Key": key},
    )


async def test_an_answer_is_replayed_by_another_instance(house: House, fleet: Fleet) -> None:
    ada = await make_collector(house, "ada", credits_minor=50_000)
    async with at(fleet, 0, house, ada) as one, at(fleet, 1, house, ada) as two:
        first = await open_one(one, "once")
        again = await open_one(two, "once")
        assert (first.status_code, again.status_code) == (201, 201)
        assert first.json() == again.json()


async def test_the_same_request_at_both_at_once_is_done_once(house: House, fleet: Fleet) -> None:
    ada = await make_collector(house, "ada", credits_minor=50_000)
    async with at(fleet, 0, house, ada) as one, at(fleet, 1, house, ada) as two:
        answers = await asyncio.gather(*(open_one(each, "both") for each in (one, two) * 4))
        assert {answer.status_code for answer in answers} == {201}
        assert len({answer.text for answer in answers}) == 1
        assert len((await one.get("/api/v1/openings")).json()["items"]) == 1


@pytest.mark.parametrize("is_cache_dead", [False, True])
async def test_a_session_ended_at_one_is_dead_at_the_other_within_a_second(
    house: House, fleet: Fleet, cache: EmbeddedServer, *, is_cache_dead: bool
) -> None:
    ada = await make_collector(house, "ada")
    async with at(fleet, 0, house, ada) as one, at(fleet, 1, house, ada) as two:
        if is_cache_dead:
            cache.stop()
        assert (await two.get("/api/v1/me")).status_code == 200
        assert (await one.delete("/api/v1/session")).status_code == 204
        two.cookies.set(cookie_name(house.settings), ada.token)

        async def is_dead() -> bool:
            return (await two.get("/api/v1/me")).status_code == 401

        assert await seconds_until(is_dead) < A_SECOND + SLACK_SECONDS


async def test_a_limit_counts_what_all_of_them_let_through(
    house: House, cache: EmbeddedServer
) -> None:
    await open_daily_shop(house)
    url = CacheUrl.parse(cache.url)
    shared = msgspec.structs.replace(
        house, settings=msgspec.structs.replace(house.settings, cache_url=url)
    )
    async with (
        start_fleet(shared, 2, rate_limit_anonymous="10/15m") as fleet,
        at(fleet, 0, house) as one,
        at(fleet, 1, house) as two,
    ):
        statuses = [(await client.get("/api/v1/packs")).status_code for client in (one, two) * 8]
        assert statuses == [200] * 10 + [429] * 6


@pytest.mark.parametrize("is_cache_dead", [False, True])
async def test_a_pull_made_at_one_is_on_the_streams_of_the_other_within_a_second(
    house: House, fleet: Fleet, cache: EmbeddedServer, *, is_cache_dead: bool
) -> None:
    ada = await make_collector(house, "ada", credits_minor=50_000)
    if is_cache_dead:
        cache.stop()
    async with (
        at(fleet, 0, house, ada) as one,
        at(fleet, 1, house) as two,
        two.stream("GET", "/api/v1/feed/live") as stream,
    ):
        lines = stream.aiter_lines()
        assert stream.status_code == 200
        await anext(lines)
        opened = await open_one(one, "seen")
        assert opened.status_code == 201
        answered = time.monotonic()
        async with asyncio.timeout(PATIENCE_SECONDS):
            async for line in lines:
                if line.startswith("data: "):
                    break
        assert time.monotonic() - answered < A_SECOND + SLACK_SECONDS
        assert json.loads(line.removeprefix("data: "))["username"] == "ada"


@pytest.mark.parametrize("way", ["dead", "frozen"])
async def test_without_a_cache_the_shop_sells_and_finds_it_again_by_itself(
    house: House, fleet: Fleet, cache: EmbeddedServer, way: str
) -> None:
    ada = await make_collector(house, "ada", credits_minor=50_000)
    async with at(fleet, 0, house, ada) as one:
        assert (await open_one(one, "before")).status_code == 201
        if way == "dead":
            cache.stop()
        else:
            freeze(cache.pid)
        for number in range(5):
            assert (await open_one(one, f"without-{number}")).status_code == 201
            assert (await one.get("/api/v1/vault")).status_code == 200
        ready = (await one.get("/health/ready")).json()
        assert (ready["status"], ready["cache"]["state"]) == ("ready", "down")
        if way == "frozen":
            thaw(cache.pid)

            async def is_back() -> bool:
                return bool((await one.get("/health/ready")).json()["cache"]["state"] == "up")

            assert await seconds_until(is_back) < PATIENCE_SECONDS
        assert (await open_one(one, "after")).status_code == 201


def freeze(pid: int) -> None:
    os.kill(pid, signal.SIGSTOP)


def thaw(pid: int) -> None:
    os.kill(pid, signal.SIGCONT)
