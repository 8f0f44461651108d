"""The live stream: every pull once and in order, also for whoever comes back.

Every law holds for both transports: the streams of a web worker, and the live role's own server.
"""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from functools import partial
from itertools import count
from typing import Any, TypeAlias

import httpx
import msgspec
import pytest

from packhouse.flows.relay_events import relay_events
from packhouse.house import House
from packhouse.plumbing.audit import Actor
from packhouse.plumbing.setting_values import RateLimit
from packhouse.plumbing.settings import Settings
from packhouse.plumbing.valkey import FEED_CHANNEL
from packhouse.web.app import WebApp
from packhouse.web.live import hub
from worlds.event_streams import EventStream, listen_over_asgi, listen_over_socket, serve_live
from worlds.made_up_pulls import append_pulls

Listen: TypeAlias = Callable[..., AbstractAsyncContextManager[EventStream]]

_keys = count()


@pytest.fixture(params=["web worker", "live role"])
async def listen(
    request: pytest.FixtureRequest, house: House, app: WebApp
) -> AsyncIterator[Listen]:
    """Opens a stream: ``listen(query, headers)``."""
    async with AsyncExitStack() as servers:
        if request.param == "web worker":
            transport: Callable[[str, Mapping[str, str]], Any] = partial(listen_over_asgi, app)
        else:
            port, _ = await servers.enter_async_context(serve_live(house))
            transport = partial(listen_over_socket, port)

        def open_stream(query: str = "", **headers: object) -> Any:  # noqa: ANN401 - a context
            named = {name.replace("_", "-"): str(text) for name, text in headers.items()}
            return transport(query, named)

        yield open_stream


async def pull(house: House, collector: httpx.AsyncClient, slug: str = "veil-eight") -> None:
    """Open a pack of eight cards, relay it and tell those who listen."""
    made = await collector.post(
        f"/api/v1/packs/{slug}/openings",
        json={},
        headers={"Idempotency-Key": f"pull-{next(_keys)}"},
    )
    assert made.status_code == 201
    relayed = await relay_events(house)
    assert relayed is not None
    await house.valkey.ask(house.valkey.client.publish(FEED_CHANNEL, relayed.last_sequence or 0))


async def test_a_listener_gets_every_new_pull_in_order(
    house: House, listen: Listen, shop: Actor, ada: httpx.AsyncClient
) -> None:
    async with listen() as stream:
        await pull(house, ada)
        pulls = await stream.wait_for(8)
    assert stream.status == 200
    assert stream.headers["content-type"].startswith("text/event-stream")
    assert [sequence for sequence, _ in pulls] == list(range(1, 9))
    assert all(sequence == shown["sequence"] for sequence, shown in pulls)
    assert {"username", "card", "tier", "pack", "created_at"} <= pulls[0][1].keys()


async def test_whoever_comes_back_misses_nothing_and_gets_nothing_twice(
    house: House, listen: Listen, shop: Actor, ada: httpx.AsyncClient
) -> None:
    await pull(house, ada)
    async with listen(last_event_id=5) as stream:
        await stream.wait_for(3)
        await pull(house, ada)
        pulls = await stream.wait_for(11)
    assert [sequence for sequence, _ in pulls] == list(range(6, 17))


async def test_a_page_goes_on_with_what_came_after_it_was_made(
    house: House, listen: Listen, shop: Actor, ada: httpx.AsyncClient
) -> None:
    await pull(house, ada)
    async with listen("after=5") as stream:
        await pull(house, ada)
        pulls = await stream.wait_for(11)
    assert [sequence for sequence, _ in pulls] == list(range(6, 17))
    async with listen("after=5", last_event_id=15) as stream:
        pulls = await stream.wait_for(1)
    assert [sequence for sequence, _ in pulls] == [16]


async def test_the_pages_name_the_pull_that_they_were_made_at(
    house: House, client: httpx.AsyncClient, shop: Actor, ada: httpx.AsyncClient
) -> None:
    await pull(house, ada)
    for page, stream in (
        ("/", "?after=8"),
        ("/feed", "?after=8"),
        ("/feed?tier=SSS", "?after=8&amp;tier=SSS"),
    ):
        assert f'<live-feed src="/api/v1/feed/live{stream}"' in (await client.get(page)).text


async def test_a_new_listener_begins_with_what_comes_next(
    house: House, listen: Listen, shop: Actor, ada: httpx.AsyncClient
) -> None:
    async with listen() as earlier:
        await pull(house, ada)
        await earlier.wait_for(8)
        async with listen() as stream:
            await pull(house, ada)
            pulls = await stream.wait_for(8)
    assert pulls[0][0] == 9


async def test_a_stream_that_breaks_before_its_first_pull_still_resumes(
    house: House, listen: Listen, shop: Actor, ada: httpx.AsyncClient
) -> None:
    async with listen() as broken:
        pass
    await pull(house, ada)
    async with listen(last_event_id=broken.last_id()) as stream:
        pulls = await stream.wait_for(8)
    assert [sequence for sequence, _ in pulls] == list(range(1, 9))


async def test_whoever_heard_more_from_another_instance_gets_nothing_twice(
    house: House, listen: Listen, shop: Actor, ada: httpx.AsyncClient
) -> None:
    async with listen(last_event_id=3) as stream:
        await pull(house, ada)
        pulls = await stream.wait_for(5)
    assert [sequence for sequence, _ in pulls] == list(range(4, 9))


@pytest.mark.parametrize("nonsense", ["", "-1", "seven", "1" * 19, "5;DROP", "٣"])
async def test_an_id_that_no_feed_ever_gave_begins_like_a_new_stream(
    house: House, listen: Listen, shop: Actor, ada: httpx.AsyncClient, nonsense: str
) -> None:
    async with listen() as earlier:
        await pull(house, ada)
        await earlier.wait_for(8)
    async with listen(last_event_id=nonsense) as stream:
        await pull(house, ada)
        pulls = await stream.wait_for(8)
    assert pulls[0][0] == 9


async def test_a_tier_is_followed_alone(
    house: House, listen: Listen, shop: Actor, ada: httpx.AsyncClient, client: httpx.AsyncClient
) -> None:
    async with listen("tier=D") as stream:
        await pull(house, ada)
        shown = (await client.get("/api/v1/feed?tier=D")).json()["items"]
        pulls = await stream.wait_for(len(shown))
    assert {item["tier"] for _, item in pulls} == {"D"}
    assert [sequence for sequence, _ in pulls] == sorted(item["sequence"] for item in shown)


async def test_an_unknown_tier_is_refused(listen: Listen) -> None:
    async with listen("tier=Z") as stream:
        assert stream.status == 422


async def test_pulls_come_without_the_wake_up_call_too(
    house: House, listen: Listen, shop: Actor, ada: httpx.AsyncClient
) -> None:
    async with listen() as stream:
        made = await ada.post(
            "/api/v1/packs/veil-one/openings", json={}, headers={"Idempotency-Key": "quiet"}
        )
        assert made.status_code == 201
        await relay_events(house)
        assert len(await stream.wait_for(1)) == 1


async def test_a_stream_carries_what_every_answer_carries(listen: Listen, house: House) -> None:
    async with listen(x_request_id="abc-123") as stream:
        pass
    assert stream.headers["x-request-id"] == "abc-123"
    assert stream.headers["x-content-type-options"] == "nosniff"
    assert stream.headers["x-accel-buffering"] == "no"
    assert stream.headers["cache-control"] == "no-cache"
    assert stream.headers["ratelimit-limit"] == str(house.settings.rate_limit_pages.limit)


async def test_browsers_are_told_to_come_back_at_times_of_their_own(listen: Listen) -> None:
    times = set()
    for _ in range(4):
        async with listen() as stream:
            times |= {line for line in stream.text.split("\n") if line.startswith("retry: ")}
    assert len(times) > 1
    assert all(1_000 <= int(line.removeprefix("retry: ")) <= 5_000 for line in times)


@pytest.fixture
def often_commented(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub, "LIVE_COMMENT_SECONDS", 0.05)


@pytest.mark.parametrize("last", [0, 10**17], ids=["follows", "is ahead"])
async def test_a_comment_comes_while_nothing_happens(
    often_commented: None, listen: Listen, last: int
) -> None:
    async with listen(last_event_id=last) as stream:
        await stream.wait_until(lambda: stream.text.count(": still here\n") >= 2)


async def test_who_follows_a_tier_that_seldom_comes_need_not_resume_from_long_ago(
    often_commented: None, listen: Listen, house: House
) -> None:
    async with listen("tier=SSS") as stream:
        last = await append_pulls(house, ["D", "C"])
        await stream.wait_until(lambda: stream.last_id() == last)
    assert stream.pulls() == []


@pytest.fixture
def settings(settings: Settings, request: pytest.FixtureRequest) -> Settings:
    """A test may ask for others by ``pytest.mark.parametrize("settings", …, indirect=True)``."""
    return msgspec.structs.replace(settings, **getattr(request, "param", {}))


@pytest.mark.parametrize("settings", [{"live_streams_max": 2}], indirect=True)
async def test_beyond_its_limit_a_process_sends_listeners_away_for_a_while(
    listen: Listen,
) -> None:
    async with listen(), listen():
        async with listen() as refused:
            pass
        assert refused.status == 503
        assert int(refused.headers["retry-after"]) > 0
    async with listen() as welcome:
        assert welcome.status == 200


@pytest.mark.parametrize(
    "settings", [{"rate_limit_pages": RateLimit(2, 60)}], indirect=True, ids=["two a minute"]
)
async def test_streams_count_as_pages_of_their_address(listen: Listen) -> None:
    for _ in range(2):
        async with listen() as stream:
            assert stream.status == 200
    async with listen() as refused:
        pass
    assert refused.status == 429
    assert "retry-after" in refused.headers


async def test_streams_end_when_the_server_stops(house: House) -> None:
    app = WebApp(house.settings, house)
    async with AsyncExitStack() as stack:
        async with app.running():
            stream = await stack.enter_async_context(listen_over_asgi(app, "", {}))
        await stream.wait_for_the_end()


async def test_streams_of_the_live_role_end_when_it_stops(house: House) -> None:
    async with serve_live(house) as (port, serving), listen_over_socket(port) as stream:
        serving.close()
        await stream.wait_for_the_end()
