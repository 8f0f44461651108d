"""Behind a balancer with the files of ``deploy/``, servers may stop, start and be killed."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from packhouse.flows.check_laws import list_broken_laws
from packhouse.house import House
from worlds.balancers import START, Balancer
from worlds.crowd import Crowd, crowd_at, invite, list_opening_ids, open_daily_shop
from worlds.web_fleet import Fleet, start_fleet

pytestmark = pytest.mark.scale

DRAIN_SECONDS = "4"
PEOPLE = ("ada", "ben", "cleo", "dora", "emil", "finn")


@pytest.fixture
async def fleet(house: House, tmp_path: Path) -> AsyncIterator[Fleet]:
    await open_daily_shop(house)
    media = {"media_directory": str(tmp_path / "media")}
    async with start_fleet(house, 3, drain_seconds=DRAIN_SECONDS, **media) as started:
        yield started


@pytest.fixture(params=sorted(START))
async def balancer(fleet: Fleet, request: pytest.FixtureRequest) -> AsyncIterator[Balancer]:
    async with START[request.param]({"web": fleet.ports}) as started:
        yield started


async def require_nothing_lost(house: House, crowd: Crowd) -> None:
    """Every opening that was asked for is there once, and each safe request was answered."""
    assert crowd.lost == []
    for user_id, answered in crowd.openings.items():
        assert sorted(answered) == sorted(await list_opening_ids(house, user_id))
    assert await list_broken_laws(house) == []


async def test_a_rolling_restart_is_noticed_by_nobody(
    house: House, fleet: Fleet, balancer: Balancer
) -> None:
    people = await invite(house, PEOPLE)
    async with crowd_at(balancer.url, people, house) as crowd:
        await crowd.wait_for(30)
        for port in fleet.ports:
            await fleet.stop(port)
            await crowd.wait_for(20)
            await fleet.start_again(port)
            await crowd.wait_for(20)
    await require_nothing_lost(house, crowd)
    assert (crowd.cut, crowd.unknown, crowd.asked_again) == (0, 0, 0), crowd.seen


async def test_a_killed_server_loses_no_answered_write_and_no_safe_request(
    house: House, fleet: Fleet, balancer: Balancer
) -> None:
    people = await invite(house, PEOPLE)
    async with crowd_at(balancer.url, people, house) as crowd:
        for port in fleet.ports:
            await crowd.wait_for(40)
            await fleet.kill(port)
            await crowd.wait_for(40)
            await fleet.start_again(port)
    await require_nothing_lost(house, crowd)
