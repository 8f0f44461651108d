"""Lanes: what waits is taken in sets, a few sets at a time, and nothing waits without a bound.

One thing alone goes at once; while every lane of its line is busy the rest gathers, and the next
free lane takes a set of it. So nobody waits for a set to fill, and the more there are, the less
each one costs. One owner's things take turns: they are never in two sets at once.

PostgreSQL alone keeps two openings of one user apart; taking turns before asking it only saves the
attempts that would lose. Who gives up waiting leaves the line; what is in a set already goes on to
its end, for its neighbours' sake.
"""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Hashable, Sequence
from contextvars import Context
from typing import Any, TypeVar
from uuid import UUID

import msgspec

Item = TypeVar("Item")
Answer = TypeVar("Answer")


class LanesFull(Exception):
    """As many are waiting as may wait."""


class WaitedTooLong(Exception):
    """The turn came after the time that anybody may wait; nothing was done."""


class Line(msgspec.Struct, frozen=True):
    """Those who may share a set, by ``key``: how many sets at a time, and how many in one."""

    key: Hashable
    lanes: int
    set_size: int


class _Waiting(msgspec.Struct, eq=False):
    item: Any
    owner: UUID
    line: Line
    work: Callable[[Sequence[Any]], Awaitable[Sequence[Any]]]
    outcome: "asyncio.Future[Any]"
    until: float


class _Queue(msgspec.Struct, eq=False):
    waiting: deque[_Waiting]
    busy: int = 0


class Lanes:
    """The lines of one process; ``seconds`` is its steady clock."""

    def __init__(
        self,
        *,
        waiting_max: int,
        wait_seconds_max: float,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._waiting_max = waiting_max
        self._wait_seconds_max = wait_seconds_max
        self._seconds = seconds
        self._waiting = 0
        self._queues: dict[Hashable, _Queue] = {}
        self._behind: dict[UUID, deque[_Waiting]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def join(
        self,
        item: Item,
        *,
        owner: UUID,
        line: Line,
        work: Callable[[Sequence[Item]], Awaitable[Sequence[Answer | Exception]]],
    ) -> Answer:
        """What ``work`` made of ``item``, alone or in a set; an exception among it is raised.

        ``work`` answers a set in its order; what it raises instead, the whole set is told. It must
        do the same for everybody in a line. Raises ``LanesFull`` and ``WaitedTooLong``.
        """
        if self._waiting >= self._waiting_max:
            raise LanesFull
        outcome: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        until = self._seconds() + self._wait_seconds_max
        newcomer = _Waiting(item, owner, line, work, outcome, until)
        self._waiting += 1
        if (behind := self._behind.get(owner)) is not None:
            behind.append(newcomer)
        else:
            self._behind[owner] = deque()
            self._stand_in_line(newcomer)
        return await outcome

    async def finish(self) -> None:
        """Wait until nothing is under way; what was begun is not left half-way at the end."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    def _stand_in_line(self, newcomer: _Waiting) -> None:
        line = newcomer.line
        queue = self._queues.setdefault(line.key, _Queue(deque()))
        queue.waiting.append(newcomer)
        if queue.busy < line.lanes:
            queue.busy += 1
            # In a context of its own: a set has no one request whose id its log lines could bear.
            task = asyncio.create_task(self._run_lane(line, queue), context=Context())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _run_lane(self, line: Line, queue: _Queue) -> None:
        try:
            while taken := self._take(queue, line.set_size):
                await self._settle(taken)
        finally:
            queue.busy -= 1
            if not queue.busy and not queue.waiting:
                del self._queues[line.key]

    def _take(self, queue: _Queue, set_size: int) -> list[_Waiting]:
        taken: list[_Waiting] = []
        now = self._seconds()
        while queue.waiting and len(taken) < set_size:
            first = queue.waiting.popleft()
            self._waiting -= 1
            if not first.outcome.done() and first.until >= now:
                taken.append(first)
                continue
            _tell(first, WaitedTooLong())
            self._let_next_go(first.owner)
        return taken

    async def _settle(self, taken: Sequence[_Waiting]) -> None:
        try:
            outcomes = await taken[0].work([each.item for each in taken])
            for each, outcome in zip(taken, outcomes, strict=True):
                _tell(each, outcome)
        except Exception as error:  # noqa: BLE001 - raised to everybody who waits for it
            for each in taken:
                _tell(each, error)
        finally:
            for each in taken:
                # Left without an outcome only when the process itself is being stopped.
                each.outcome.cancel()
                self._let_next_go(each.owner)

    def _let_next_go(self, owner: UUID) -> None:
        behind = self._behind[owner]
        while behind:
            first = behind.popleft()
            if not first.outcome.done():
                self._stand_in_line(first)
                return
            self._waiting -= 1
        del self._behind[owner]


def _tell(waiting: _Waiting, outcome: object) -> None:
    if waiting.outcome.done():
        return
    if isinstance(outcome, Exception):
        waiting.outcome.set_exception(outcome)
    else:
        waiting.outcome.set_result(outcome)
