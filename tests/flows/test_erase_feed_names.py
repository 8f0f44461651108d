"""The names of closed accounts leave the feed in bounded steps, whatever interrupts them."""

import pytest

from packhouse import feed
from packhouse.catalog import Card
from packhouse.flows import erase_feed_names as erasing
from packhouse.flows.close_account import Forfeit, close_account
from packhouse.flows.erase_feed_names import erase_feed_names
from packhouse.foundation.jobs import EraseFeedNames
from packhouse.house import House
from packhouse.worker.sweep import erase_names
from worlds.ember_counter import (
    Person,
    balance_of,
    cards_of,
    kill_at,
    open_one,
    pulls_of,
    record_everything,
    relay_all,
)
from worlds.leaving import TRACES, USERNAME, closing, find_traces, register_quill

STEP = 2
OPENINGS = 7


@pytest.fixture(autouse=True)
def short_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(erasing, "OPENINGS_PER_FEED_ERASURE", STEP)


@pytest.fixture
async def quill(house: House, ada: Person, ember: Card) -> Person:
    """Quill has closed an account that opened seven packs; Ada has opened as many between them."""
    quill = await register_quill(house, credits_minor=5_000)
    for _ in range(OPENINGS):
        await open_one(house, quill, "ember")
        await open_one(house, ada, "ember")
        await relay_all(house)
    forfeit = Forfeit(
        credits=await balance_of(house, quill), cards=len(await cards_of(house, quill))
    )
    await close_account(house, closing(quill, forfeit=forfeit))
    return quill


async def named_pulls(house: House) -> list[str]:
    return [pull.username for pull in await pulls_of(house)]


async def test_closing_takes_one_step_and_the_sweep_the_others(house: House, quill: Person) -> None:
    assert (await named_pulls(house)).count(USERNAME) == OPENINGS - STEP
    left = []
    while await erase_feed_names(house):
        left.append((await named_pulls(house)).count(USERNAME))
    assert left == [3, 1, 0]
    assert await named_pulls(house) == ["Anonymous", "ada"] * OPENINGS
    assert await find_traces(house, *TRACES) == {}


async def test_a_history_that_ends_with_a_step_ends_with_the_next(
    house: House, quill: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(erasing, "OPENINGS_PER_FEED_ERASURE", OPENINGS - STEP)
    assert await erase_feed_names(house)
    assert USERNAME not in await named_pulls(house)
    assert await erase_feed_names(house)
    assert not await erase_feed_names(house)


async def test_a_step_that_is_killed_is_taken_again(house: House, quill: Person) -> None:
    before = await record_everything(house)
    await kill_at(house, "global_feed", erase_feed_names(house))
    assert await record_everything(house) == before
    while await erase_feed_names(house):
        pass
    assert USERNAME not in await named_pulls(house)


async def test_two_sweeps_never_take_the_same_account(house: House, quill: Person) -> None:
    async with house.database.transaction() as connection:
        assert await feed.claim_feed_erasure(connection) is not None
        assert not await erase_feed_names(house)
    assert await erase_feed_names(house)


async def test_the_worker_sweeps_names_away(house: House, quill: Person) -> None:
    await erase_names(house, EraseFeedNames())
    assert USERNAME not in await named_pulls(house)
