"""The hub while nobody listens: it reads no pulls, and whoever comes then misses nothing."""

import asyncio
from collections.abc import Callable

import pytest

from packhouse import feed
from packhouse.house import House
from packhouse.plumbing.postgres import Connection
from packhouse.web.live import hub
from worlds.event_streams import listen_over_socket, serve_live
from worlds.made_up_pulls import append_pulls


@pytest.fixture
def soon_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub, "ALONE_SECONDS", 0.0)


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The sequences after which pulls were read."""
    read: list[int] = []
    list_pulls_after = feed.list_pulls_after

    async def noted(connection: Connection, *, sequence: int, limit: int) -> list[feed.Pull]:
        read.append(sequence)
        return await list_pulls_after(connection, sequence=sequence, limit=limit)

    monkeypatch.setattr(feed, "list_pulls_after", noted)
    return read


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not is_so():  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(0.01)


async def test_it_follows_the_feeds_end_and_reads_no_pulls(
    house: House, soon_alone: None, reads: list[int]
) -> None:
    async with serve_live(house) as (_, serving):
        last = await append_pulls(house, ["D", "S", "C"])
        await until(lambda: serving.last == last)
    assert reads == []


async def test_who_comes_new_begins_there_and_who_comes_back_misses_nothing(
    house: House, soon_alone: None
) -> None:
    async with serve_live(house) as (port, serving):
        first = await append_pulls(house, ["D"] * 5)
        await until(lambda: serving.last == first)
        async with (
            listen_over_socket(port) as new,
            listen_over_socket(port, headers={"last-event-id": "2"}) as back,
        ):
            assert new.last_id() == first
            last = await append_pulls(house, ["D"] * 3)
            await new.wait_for(3)
            await back.wait_for(6)
    assert [sequence for sequence, _ in new.pulls()] == list(range(first + 1, last + 1))
    assert [sequence for sequence, _ in back.pulls()] == list(range(3, last + 1))


async def test_who_comes_while_it_looks_gets_everything_from_then_on(
    house: House, soon_alone: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked, may_go_on = asyncio.Event(), asyncio.Event()
    find_last_sequence = feed.find_last_sequence

    async def slow(connection: Connection) -> int:
        last = await find_last_sequence(connection)
        if last:
            looked.set()
            await may_go_on.wait()
        return last

    async with serve_live(house) as (port, _):
        monkeypatch.setattr(feed, "find_last_sequence", slow)
        last = await append_pulls(house, ["D"] * 4)
        await looked.wait()
        async with listen_over_socket(port) as stream:
            may_go_on.set()
            await stream.wait_until(lambda: stream.last_id() == last)
            assert [sequence for sequence, _ in stream.pulls()] == list(range(1, last + 1))


async def test_after_the_last_stream_it_goes_on_for_as_long_as_browsers_take_to_come_back(
    house: House, reads: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serve_live(house) as (port, serving):
        async with listen_over_socket(port):
            pass
        last = await append_pulls(house, ["D"] * 2)
        await until(lambda: serving.last == last)
        assert 0 in reads
        reads.clear()
        async with listen_over_socket(port, headers={"last-event-id": "0"}) as back:
            await back.wait_for(2)
        assert 0 not in reads
