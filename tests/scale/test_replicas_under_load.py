"""Two web servers and a replica that is paused, killed, frozen and promoted while people shop."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from packhouse.flows.check_laws import list_broken_laws
from packhouse.flows.sign_in import SignedIn
from packhouse.house import House
from packhouse.web.session import cookie_name
from worlds.crowd import SLUG, invite, open_daily_shop
from worlds.served_roles import PATIENCE_SECONDS
from worlds.standby import Primary, running_primary
from worlds.web_fleet import Fleet, start_fleet

pytestmark = pytest.mark.scale

PEOPLE = ("ada", "ben", "cleo", "dora", "emil", "finn")
DAYS_IN_EACH_STATE = 25


@pytest.fixture(scope="module")
def primary() -> Iterator[Primary]:
    with running_primary() as running:
        asyncio.run(running.migrate())
        yield running


@pytest.fixture
async def database_url(primary: Primary) -> str:
    return await primary.make_shop_url()


class Shoppers:
    """Each writes through one server and looks through the other; who misses a write says so."""

    def __init__(self, ports: Sequence[int]) -> None:
        self._ports = ports
        self.days = 0

    async def wait_for(self, days: int) -> None:
        enough = self.days + days
        async with asyncio.timeout(PATIENCE_SECONDS):
            while self.days < enough:  # noqa: ASYNC110 - many hands work on it
                await asyncio.sleep(0.05)

    async def live(self, who: SignedIn, cookie: str, stop: asyncio.Event) -> None:
        async with AsyncExitStack() as stack:
            clients = [
                await stack.enter_async_context(
                    httpx.AsyncClient(
                        base_url=f"http://127.0.0.1:{port}",
                        cookies={cookie: who.token},
                        timeout=PATIENCE_SECONDS,
                    )
                )
                for port in self._ports
            ]
            for number in itertools.count():
                if stop.is_set():
                    return
                here, there = clients[number % 2], clients[1 - number % 2]
                await self._spend_a_day(here, there, f"{who.user.username}-{number}")
                self.days += 1

    async def _spend_a_day(
        self, here: httpx.AsyncClient, there: httpx.AsyncClient, key: str
    ) -> None:
        opening = await self._write(here, f"/packs/{SLUG}/openings", {"quantity": 1}, key)
        card = opening["openings"][0]["cards"][0]["user_card_id"]
        assert (await self._read(there, "/me"))["balance"] == opening["balance"]
        assert (await self._newest(there, "/vault"))["id"] == card
        sale = await self._write(here, "/vault/sales", {"user_card_ids": [card]}, key)
        assert (await self._newest(there, "/vault"))["state"] == "sold"
        entry = await self._newest(there, "/wallet/entries")
        assert entry["balance_after"] == sale["balance"]

    async def _write(
        self, client: httpx.AsyncClient, path: str, body: dict[str, Any], key: str
    ) -> Any:  # noqa: ANN401 - any answer
        answer = await client.post(f"/api/v1{path}", json=body, headers={"Idempotency-Key": key})
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def _read(self, client: httpx.AsyncClient, path: str) -> Any:  # noqa: ANN401 - as above
        answer = await client.get(f"/api/v1{path}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def _newest(self, client: httpx.AsyncClient, path: str) -> Any:  # noqa: ANN401 - as above
        return (await self._read(client, f"{path}?limit=1"))["items"][0]


@asynccontextmanager
async def shopping(
    house: House, people: Sequence[SignedIn], ports: Sequence[int]
) -> AsyncIterator[Shoppers]:
    """People who shop until the end; whoever misses a write ends it."""
    shoppers = Shoppers(ports)
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as days:
        for who in people:
            days.create_task(shoppers.live(who, cookie_name(house.settings), stop))
        try:
            yield shoppers
        finally:
            stop.set()


async def until_told(fleet: Fleet, state: str) -> None:
    """Until every server says this of its replica."""
    async with asyncio.timeout(PATIENCE_SECONDS), httpx.AsyncClient() as client:
        for port in fleet.ports:
            while True:
                answer = await client.get(f"http://127.0.0.1:{port}/health/ready")
                assert answer.status_code == 200, answer.text
                if [each["state"] for each in answer.json()["replicas"]] == [state]:
                    break
                await asyncio.sleep(0.05)


async def test_everybody_sees_their_own_writes_whatever_happens_to_the_replica(
    house: House, primary: Primary, database_url: str, tmp_path: Path
) -> None:
    await open_daily_shop(house)
    people = await invite(house, PEOPLE)
    with primary.replica() as replica:
        settings = {
            "database_replica_urls": replica.url_of(database_url.rpartition("/")[2]),
            "media_directory": str(tmp_path / "media"),
        }
        async with start_fleet(house, 2, **settings) as fleet:
            await until_told(fleet, "in_rotation")
            async with shopping(house, people, fleet.ports) as shoppers:
                await shoppers.wait_for(DAYS_IN_EACH_STATE)
                await replica.pause_replay()
                await until_told(fleet, "behind")
                await shoppers.wait_for(DAYS_IN_EACH_STATE)
                await replica.resume_replay()
                await until_told(fleet, "in_rotation")
                await shoppers.wait_for(DAYS_IN_EACH_STATE)
                replica.kill()
                await until_told(fleet, "away")
                await shoppers.wait_for(DAYS_IN_EACH_STATE)
                replica.start()
                await until_told(fleet, "in_rotation")
                await shoppers.wait_for(DAYS_IN_EACH_STATE)
                replica.freeze()
                await until_told(fleet, "away")
                await shoppers.wait_for(DAYS_IN_EACH_STATE)
                replica.thaw()
                await until_told(fleet, "in_rotation")
                await shoppers.wait_for(DAYS_IN_EACH_STATE)
                await replica.promote()
                await until_told(fleet, "promoted")
                await shoppers.wait_for(DAYS_IN_EACH_STATE)
            for port in fleet.ports:
                await fleet.stop(port)
    assert await list_broken_laws(house) == []
