"""The live stream: every pull once and in order, also for whoever comes back."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import httpx
import msgspec

from packhouse.flows.relay_events import relay_events
from packhouse.house import House
from packhouse.plumbing.audit import Actor
from packhouse.plumbing.valkey import FEED_CHANNEL
from packhouse.web.app import WebApp


class Stream:
    """One open event stream, spoken to as a server would."""

    def __init__(self) -> None:
        self.status: int | None = None
        self.headers: dict[str, str] = {}
        self.is_ended = False
        self._text = ""
        self._arrived = asyncio.Event()
        self._hang_up = asyncio.Event()

    async def receive(self) -> dict[str, Any]:
        await self._hang_up.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:  # noqa: ANN401 - an ASGI message
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = {k.decode(): v.decode() for k, v in message["headers"]}
        else:
            self._text += message["body"].decode()
            self.is_ended = not message.get("more_body", False)
        self._arrived.set()

    def hang_up(self) -> None:
        self._hang_up.set()

    def pulls(self) -> list[tuple[int, dict[str, Any]]]:
        """What has come: the id and the data of each event."""
        events = []
        for frame in self._text.split("\n\n"):
            if frame.startswith("id: "):
                name, data = frame.split("\n", 1)
                events.append((int(name[4:]), msgspec.json.decode(data.removeprefix("data: "))))
        return events

    async def wait_for(self, pulls: int) -> list[tuple[int, dict[str, Any]]]:
        """Until so many have come, with patience."""
        async with asyncio.timeout(10):
            while len(self.pulls()) < pulls:
                self._arrived.clear()
                await self._arrived.wait()
        return self.pulls()

    async def wait_for_the_end(self) -> None:
        async with asyncio.timeout(10):
            while not self.is_ended:
                self._arrived.clear()
                await self._arrived.wait()

    async def wait_for_the_beginning(self) -> None:
        async with asyncio.timeout(10):
            while not self._text and self.status in (None, 200):
                self._arrived.clear()
                await self._arrived.wait()


@asynccontextmanager
async def listen(
    app: WebApp, query: str = "", last_event_id: int | None = None
) -> AsyncIterator[Stream]:
    stream = Stream()
    headers = [] if last_event_id is None else [(b"last-event-id", str(last_event_id).encode())]
    scope = {
        "type": "http",
        "method": "GET",
        "path": "/api/v1/feed/live",
        "query_string": query.encode(),
        "headers": headers,
        "client": ("127.0.0.1", 4321),
    }
    task = asyncio.create_task(app(scope, stream.receive, stream.send))
    await stream.wait_for_the_beginning()
    try:
        yield stream
    finally:
        stream.hang_up()
        async with asyncio.timeout(10):
            await task


async def pull(house: House, collector: httpx.AsyncClient, slug: str = "veil-eight") -> None:
    """Open a pack of eight cards, relay it and tell those who listen."""
    made = await collector.post(
        f"/api/v1/packs/{slug}/openings", json={}, headers={"Idempotency-Key": str(id(object()))}
    )
    assert made.status_code == 201
    relayed = await relay_events(house)
    assert relayed is not None
    await house.valkey.ask(house.valkey.client.publish(FEED_CHANNEL, relayed.last_sequence or 0))


async def test_a_listener_gets_every_new_pull_in_order(
    house: House, app: WebApp, shop: Actor, ada: httpx.AsyncClient
) -> None:
    async with listen(app) as stream:
        await pull(house, ada)
        pulls = await stream.wait_for(8)
    assert stream.status == 200
    assert stream.headers["content-type"].startswith("text/event-stream")
    assert [sequence for sequence, _ in pulls] == list(range(1, 9))
    assert all(sequence == shown["sequence"] for sequence, shown in pulls)
    assert {"username", "card", "tier", "pack", "created_at"} <= pulls[0][1].keys()


async def test_whoever_comes_back_misses_nothing_and_gets_nothing_twice(
    house: House, app: WebApp, shop: Actor, ada: httpx.AsyncClient
) -> None:
    await pull(house, ada)
    async with listen(app, last_event_id=5) as stream:
        await stream.wait_for(3)
        await pull(house, ada)
        pulls = await stream.wait_for(11)
    assert [sequence for sequence, _ in pulls] == list(range(6, 17))


async def test_a_new_listener_begins_with_what_comes_next(
    house: House, app: WebApp, shop: Actor, ada: httpx.AsyncClient
) -> None:
    await pull(house, ada)
    async with listen(app) as stream:
        await pull(house, ada)
        pulls = await stream.wait_for(8)
    assert pulls[0][0] == 9


async def test_a_tier_is_followed_alone(
    house: House, app: WebApp, shop: Actor, ada: httpx.AsyncClient, client: httpx.AsyncClient
) -> None:
    async with listen(app, "tier=D") as stream:
        await pull(house, ada)
        shown = (await client.get("/api/v1/feed?tier=D")).json()["items"]
        pulls = await stream.wait_for(len(shown))
    assert {item["tier"] for _, item in pulls} == {"D"}
    assert [sequence for sequence, _ in pulls] == sorted(item["sequence"] for item in shown)


async def test_an_unknown_tier_is_refused(app: WebApp) -> None:
    async with listen(app, "tier=Z") as stream:
        assert stream.status == 422


async def test_pulls_come_without_the_wake_up_call_too(
    house: House, app: WebApp, shop: Actor, ada: httpx.AsyncClient
) -> None:
    async with listen(app) as stream:
        made = await ada.post(
            "/api/v1/packs/veil-one/openings", json={}, headers={"Idempotency-Key": "quiet"}
        )
        assert made.status_code == 201
        await relay_events(house)
        assert len(await stream.wait_for(1)) == 1


async def test_streams_end_when_the_server_stops(house: House) -> None:
    app = WebApp(house.settings, house)
    async with AsyncExitStack() as stack:
        async with app.running():
            stream = await stack.enter_async_context(listen(app))
        await stream.wait_for_the_end()
