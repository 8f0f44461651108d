"""Lanes: sets gather while a lane is busy, owners take turns, and no line is endless."""

import asyncio
from collections.abc import Sequence
from uuid import UUID

import pytest

from packhouse.plumbing.lanes import Lanes, LanesFull, Line, WaitedTooLong

SHORT_LINE = Line("short", lanes=1, set_size=3)
WIDE_LINE = Line("wide", lanes=2, set_size=3)


class Workshop:
    """Notes the sets it is given, and works on each as long as its gate is shut."""

    def __init__(self) -> None:
        self.sets: list[list[str]] = []
        self.gate = asyncio.Event()

    async def work(self, items: Sequence[str]) -> list[str | Exception]:
        self.sets.append(list(items))
        await self.gate.wait()
        return [f"{item} done" for item in items]


class SteadyClock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def lanes_of(*, waiting_max: int = 100, clock: SteadyClock | None = None) -> Lanes:
    return Lanes(waiting_max=waiting_max, wait_seconds_max=2.0, seconds=clock or SteadyClock())


async def join(
    lanes: Lanes, workshop: Workshop, item: str, *, owner: int, line: Line = SHORT_LINE
) -> "asyncio.Task[str]":
    """Have the item stand in line."""
    task = asyncio.create_task(
        lanes.join(item, owner=UUID(int=owner), line=line, work=workshop.work)
    )
    await settle()
    return task


async def settle() -> None:
    """Let everybody come as far as they can."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_one_alone_goes_at_once_and_the_rest_gathers_behind_it() -> None:
    lanes, workshop = lanes_of(), Workshop()
    tasks = [await join(lanes, workshop, item, owner=n) for n, item in enumerate("abcdef")]
    assert workshop.sets == [["a"]]
    workshop.gate.set()
    assert await asyncio.gather(*tasks) == [f"{item} done" for item in "abcdef"]
    assert workshop.sets == [["a"], ["b", "c", "d"], ["e", "f"]]


async def test_a_line_has_no_more_sets_under_way_than_lanes() -> None:
    lanes, workshop = lanes_of(), Workshop()
    tasks = [
        await join(lanes, workshop, item, owner=n, line=WIDE_LINE) for n, item in enumerate("abcd")
    ]
    assert workshop.sets == [["a"], ["b"]]
    workshop.gate.set()
    await asyncio.gather(*tasks)


async def test_lines_do_not_wait_for_each_other() -> None:
    lanes, workshop = lanes_of(), Workshop()
    tasks = [
        await join(lanes, workshop, "a", owner=1, line=SHORT_LINE),
        await join(lanes, workshop, "b", owner=2, line=WIDE_LINE),
    ]
    assert workshop.sets == [["a"], ["b"]]
    workshop.gate.set()
    await asyncio.gather(*tasks)


async def test_an_owner_is_never_in_two_sets_at_once_nor_twice_in_one() -> None:
    lanes, workshop = lanes_of(), Workshop()
    tasks = [
        await join(lanes, workshop, item, owner=owner, line=WIDE_LINE)
        for item, owner in (("a", 1), ("b", 1), ("c", 1), ("x", 2))
    ]
    assert workshop.sets == [["a"], ["x"]]
    workshop.gate.set()
    await asyncio.gather(*tasks)
    assert workshop.sets == [["a"], ["x"], ["b"], ["c"]]


async def test_what_is_beyond_the_bound_is_turned_away_at_once() -> None:
    lanes, workshop = lanes_of(waiting_max=2), Workshop()
    tasks = [await join(lanes, workshop, item, owner=n) for n, item in enumerate("abc")]
    with pytest.raises(LanesFull):
        await lanes.join("d", owner=UUID(int=9), line=SHORT_LINE, work=workshop.work)
    workshop.gate.set()
    await asyncio.gather(*tasks)
    late = await lanes.join("e", owner=UUID(int=9), line=SHORT_LINE, work=workshop.work)
    assert late == "e done"


async def test_what_waited_too_long_is_turned_away_instead_of_served_late() -> None:
    clock = SteadyClock()
    lanes, workshop = lanes_of(clock=clock), Workshop()
    first = await join(lanes, workshop, "a", owner=1)
    stale = await join(lanes, workshop, "b", owner=2)
    behind = await join(lanes, workshop, "c", owner=1)
    clock.now = 2.5
    fresh = await join(lanes, workshop, "d", owner=3)
    workshop.gate.set()
    assert await first == "a done"
    for task in (stale, behind):
        with pytest.raises(WaitedTooLong):
            await task
    assert await fresh == "d done"
    assert workshop.sets == [["a"], ["d"]]


async def test_who_gives_up_waiting_is_left_out_and_who_gives_up_in_a_set_harms_nobody() -> None:
    lanes, workshop = lanes_of(), Workshop()
    tasks = [await join(lanes, workshop, item, owner=n) for n, item in enumerate("abcd")]
    tasks[1].cancel()
    tasks[0].cancel()
    await settle()
    workshop.gate.set()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(result) for result in results[:2]] == [asyncio.CancelledError] * 2
    assert results[2:] == ["c done", "d done"]
    assert workshop.sets == [["a"], ["c", "d"]]


async def test_an_owner_who_gave_up_in_a_set_waits_for_its_end_all_the_same() -> None:
    lanes, workshop = lanes_of(), Workshop()
    given_up = await join(lanes, workshop, "a", owner=1, line=WIDE_LINE)
    given_up.cancel()
    again = await join(lanes, workshop, "b", owner=1, line=WIDE_LINE)
    assert workshop.sets == [["a"]]
    workshop.gate.set()
    assert await again == "b done"
    await lanes.finish()


async def test_an_outcome_that_is_an_error_is_raised_to_its_owner_alone() -> None:
    lanes = lanes_of()

    async def refuse_b(items: Sequence[str]) -> list[str | Exception]:
        return [ValueError(item) if item == "b" else item for item in items]

    results = await asyncio.gather(
        *(
            lanes.join(item, owner=UUID(int=n), line=SHORT_LINE, work=refuse_b)
            for n, item in enumerate("abc")
        ),
        return_exceptions=True,
    )
    assert [results[0], results[2]] == ["a", "c"]
    assert isinstance(results[1], ValueError)


async def test_an_error_of_the_whole_set_is_raised_to_everybody_in_it_and_the_lane_goes_on() -> (
    None
):
    lanes, workshop = lanes_of(), Workshop()

    async def fail(items: Sequence[str]) -> list[str | Exception]:
        raise OSError("away")

    results = await asyncio.gather(
        *(
            lanes.join(item, owner=UUID(int=n), line=SHORT_LINE, work=fail)
            for n, item in enumerate("ab")
        ),
        return_exceptions=True,
    )
    assert [type(result) for result in results] == [OSError, OSError]
    workshop.gate.set()
    assert await lanes.join("c", owner=UUID(int=0), line=SHORT_LINE, work=workshop.work) == "c done"


async def test_finish_waits_for_everything_that_is_in_line() -> None:
    lanes, workshop = lanes_of(), Workshop()
    tasks = [await join(lanes, workshop, item, owner=n) for n, item in enumerate("ab")]
    finished = asyncio.create_task(lanes.finish())
    await settle()
    assert not finished.done()
    workshop.gate.set()
    await finished
    assert [await task for task in tasks] == ["a done", "b done"]
