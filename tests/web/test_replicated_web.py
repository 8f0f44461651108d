"""Two instances that read from a replica: whoever writes on one sees it on the other, at once."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import count
from typing import Any, Final, Literal

import httpx
import msgspec
import pytest
import valkey as valkey_client

from conftest import TestClock
from packhouse.flows.sign_in import SignedIn, SignIn, sign_in
from packhouse.house import House, open_house
from packhouse.plumbing.replicas import ReplicatedDatabase
from packhouse.plumbing.setting_values import CacheUrl, DatabaseUrl
from packhouse.plumbing.settings import Settings
from packhouse.web.app import WebApp
from packhouse.web.session import cookie_name
from worlds.served_roles import free_port
from worlds.standby import Primary, Server, running_primary, states, until
from worlds.veil_shop import PASSWORD, make_collector, open_veil_shop

_numbers = count(1)

Replay = Literal["running", "paused"]
Cache = Literal["there", "flushed", "dead"]

HOME: Final = {
    "name": "Ada Quill",
    "line1": "12 Lamp Street",
    "city": "Portland",
    "region": "OR",
    "postal_code": "97201",
    "country": "US",
}


@pytest.fixture(scope="module")
def primary() -> Iterator[Primary]:
    with running_primary() as running:
        asyncio.run(running.migrate())
        yield running


@pytest.fixture(scope="module")
def replica(primary: Primary) -> Iterator[Server]:
    with primary.replica() as running:
        yield running


@pytest.fixture
async def database_url(primary: Primary) -> str:
    """A new database, of this primary instead of the other tests' server."""
    return await primary.make_shop_url()


@pytest.fixture
def settings(settings: Settings, replica: Server, database_url: str) -> Settings:
    url = DatabaseUrl(replica.url_of(database_url.rpartition("/")[2]))
    return msgspec.structs.replace(settings, database_replica_urls=(url,), replica_lag_ms_max=100)


class Instance(msgspec.Struct, frozen=True, eq=False):
    """One web server's application, and a way to visit it."""

    house: House
    app: WebApp
    visits: AsyncExitStack

    def visit(self, signed_in: SignedIn) -> httpx.AsyncClient:
        """On a device of its own."""
        transport = httpx.ASGITransport(app=self.app, client=("127.0.0.1", 4321))
        client = httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000")
        client.cookies.set(cookie_name(self.house.settings), signed_in.token)
        self.visits.push_async_callback(client.aclose)
        return client

    async def look(self, path: str) -> httpx.Response:
        transport = httpx.ASGITransport(app=self.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://shop") as client:
            return await client.get(path)

    def reads_from_replica(self) -> int:
        assert isinstance(self.house.database, ReplicatedDatabase)
        return self.house.database.replicas.reads["replica"]


@asynccontextmanager
async def instance(
    settings: Settings, clock: TestClock, *, wanted: Sequence[str] = ("in_rotation",)
) -> AsyncIterator[Instance]:
    async with AsyncExitStack() as visits:
        house = await visits.enter_async_context(
            open_house(settings, reads_replicas=True, clock=clock)
        )
        app = WebApp(settings, house)
        await visits.enter_async_context(app.running())
        await until(lambda: states(house.database) == [*wanted])
        yield Instance(house, app, visits)


@pytest.mark.parametrize("cache", ["there", "flushed", "dead"])
@pytest.mark.parametrize("replay", ["running", "paused"])
async def test_who_writes_on_one_instance_sees_it_on_the_other(
    settings: Settings, clock: TestClock, replica: Server, replay: Replay, cache: Cache
) -> None:
    if cache == "dead":
        nowhere = CacheUrl(f"valkey://127.0.0.1:{free_port()}")
        settings = msgspec.structs.replace(settings, cache_url=nowhere)
    async with instance(settings, clock) as here, instance(settings, clock) as there:
        await open_veil_shop(here.house)
        phone = here.visit(await make_collector(here.house, "ada", credits_minor=50_000))
        desk = there.visit(
            await sign_in(there.house, SignIn(email="ada@example.com", password=PASSWORD))
        )
        if replay == "paused":
            await replica.pause_replay()
        try:
            await _live_through_a_day(phone, desk, settings, is_flushed=cache == "flushed")
        finally:
            await replica.resume_replay()
        if replay == "running":
            assert there.reads_from_replica() > 0
            assert 'packhouse_replica_reads_total{answered="replica"} ' in (
                (await there.look("/metrics")).text
            )


async def _live_through_a_day(
    phone: httpx.AsyncClient, desk: httpx.AsyncClient, settings: Settings, *, is_flushed: bool
) -> None:
    """Everything that a collector does on the phone is there when the desk looks."""

    async def write(path: str, body: dict[str, Any]) -> Any:  # noqa: ANN401 - any answer
        key = {"Idempotency-Key": f"key-{next(_numbers)}"}
        answer = await phone.post(f"/api/v1{path}", json=body, headers=key)
        assert answer.status_code == 201, answer.text
        if is_flushed and settings.cache_url is not None:
            with valkey_client.Valkey.from_url(settings.cache_url.reveal()) as cache:
                cache.flushall()
        return answer.json()

    async def read(path: str) -> Any:  # noqa: ANN401 - any answer
        answer = await desk.get(f"/api/v1{path}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    await write("/wallet/top-ups", {"amount": 1_000})
    assert (await read("/me"))["balance"] == 51_000
    assert (await read("/wallet/entries"))["items"][0]["amount"] == 1_000

    opened = await write("/packs/veil-eight/openings", {"quantity": 1})
    assert (await read("/me"))["balance"] == opened["balance"]
    assert [each["id"] for each in (await read("/openings"))["items"]] == [
        opened["openings"][0]["id"]
    ]
    cards = (await read("/vault"))["items"]
    assert {card["opening_id"] for card in cards} == {opened["openings"][0]["id"]}
    assert cards[0]["card"]["name"] in (await desk.get("/vault")).text

    shipped = next(card["id"] for card in cards if card["is_shippable"])
    sold = next(card["id"] for card in cards if card["id"] != shipped)
    await write("/vault/sales", {"user_card_ids": [sold]})
    assert [each["id"] for each in (await read("/vault?state=sold"))["items"]] == [sold]

    parcel = await write("/shipping-requests", {"user_card_ids": [shipped], "address": HOME})
    assert [each["id"] for each in (await read("/shipping-requests"))["items"]] == [parcel["id"]]
    await write(f"/shipping-requests/{parcel['id']}/cancellation", {})
    assert (await read(f"/shipping-requests/{parcel['id']}"))["status"] == "cancelled"


async def test_readiness_tells_how_replicas_are_and_does_without_them(
    settings: Settings, clock: TestClock, replica: Server
) -> None:
    nowhere = DatabaseUrl(f"postgresql://nobody:nothing@127.0.0.1:{free_port()}/nothing")
    urls = (*settings.database_replica_urls, nowhere)
    settings = msgspec.structs.replace(settings, database_replica_urls=urls)
    async with instance(settings, clock, wanted=("in_rotation", "away")) as here:
        answer = await here.look("/health/ready")
        metrics = (await here.look("/metrics")).text.splitlines()
    assert answer.status_code == 200
    told = answer.json()["replicas"]
    assert [(each["number"], each["state"]) for each in told] == [(0, "in_rotation"), (1, "away")]
    assert "nothing" not in answer.text
    assert 'packhouse_replica_readers{replica="0",state="in_rotation"} 1' in metrics
    assert 'packhouse_replica_readers{replica="1",state="away"} 1' in metrics
    assert any(line.startswith('packhouse_replica_lag_seconds{replica="0"} ') for line in metrics)
