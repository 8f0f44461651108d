"""One read replica: followed all the time, and read from only while it is known to keep up.

A connection of its own asks the replica how far it has replayed: some times a second, and again and
again while somebody waits for it to come to a position. What is known is thrown away with that
connection, and so are the connections that reads borrow: what one server said is never believed of
another that has taken its address.
"""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Final

import asyncpg
import msgspec

from packhouse.foundation.limits import REPLICA_ANSWER_SECONDS_MAX, REPLICA_LOOK_SECONDS
from packhouse.plumbing.logging import get_log
from packhouse.plumbing.pool import Connection, Pool
from packhouse.plumbing.postgres import AWAY, ReplicaStanding, ReplicaState
from packhouse.plumbing.queries import load_queries
from packhouse.plumbing.wal import WalHistory, WalPosition

QUERIES = load_queries("packhouse.plumbing")

PAUSE_SECONDS_MIN: Final = 0.001
PAUSE_SECONDS_MAX: Final = 0.016
"""Between two questions while somebody waits; the longer, the longer in vain."""

TRAIL_POSITIONS_MAX: Final = 1_000
"""Four minutes of looks; of a longer lag every second one, and so on."""

_OF_THE_SERVER: Final = frozenset({"08", "40", "53", "55", "57", "58", "XX"})
"""Classes of SQLSTATE that are about a server and not about what it was asked: connections,
conflicts with recovery, want of resources, shutdowns, files."""

log = get_log(__name__)


class Seen(msgspec.Struct, frozen=True):
    """What a replica last said of itself, over the connection that follows it."""

    started_at: datetime
    is_in_recovery: bool
    history: WalHistory
    replayed: int


class _Waiting(msgspec.Struct, frozen=True, eq=False):
    position: WalPosition
    outcome: "asyncio.Future[bool]"


class AnotherServer(OSError):
    """A connection to a replica's address came to another server than the one that is followed."""


def is_of_the_server(error: BaseException) -> bool:
    """Whether another server may well answer what failed here.

    A statement that took too long would take as long elsewhere.
    """
    if isinstance(error, asyncpg.QueryCanceledError):
        return False
    if isinstance(error, asyncpg.PostgresError):
        return (error.sqlstate or "")[:2] in _OF_THE_SERVER
    return isinstance(error, AWAY)


class Replica:
    """One server of ``PACKHOUSE_DATABASE_REPLICA_URLS``; ``number`` is its place in the list."""

    def __init__(
        self,
        number: int,
        connect: Callable[[], Awaitable[Connection]],
        *,
        make_pool: Callable[[Callable[[], Awaitable[Connection]]], Pool],
        lag_seconds_max: float,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self.number = number
        self.pool = make_pool(self._connect_to_the_same)
        self._connect = connect
        self._lag_seconds_max = lag_seconds_max
        self._seconds = seconds
        self._seen: Seen | None = None
        self._looked_at = float("-inf")
        self._keeps_up = False
        self._waiting: list[_Waiting] = []
        self._wanted = asyncio.Event()
        self._primary: WalPosition | None = None
        # Where the primary was and the replica is not yet, and when that was known.
        self._trail: deque[tuple[float, WalPosition]] = deque()
        self._told: ReplicaState | None = None

    @property
    def state(self) -> ReplicaState:
        """Whether reads may go there, and if not, why."""
        if self._seen is None:
            return "away"
        own, primary = self._seen.history, None if self._primary is None else self._primary.history
        if primary and (own.system, own.database) != (primary.system, primary.database):
            return "unrelated"
        if not self._seen.is_in_recovery:
            return "promoted"
        if primary and own != primary:
            return "diverged"
        return "in_rotation" if self._keeps_up else "behind"

    @property
    def is_in_rotation(self) -> bool:
        """Whether reads may go there."""
        return self._keeps_up and self._seen is not None and self._seen.is_in_recovery

    @property
    def lag_seconds(self) -> float:
        """How long ago the primary was where the replica is now; 0 when it has caught up."""
        return self._seconds() - self._trail[0][0] if self._trail else 0.0

    @property
    def lag_bytes(self) -> int | None:
        """How much of the primary's log it has not replayed; None when that cannot be told."""
        if self._seen is None or self._primary is None:
            return None
        if self._seen.history != self._primary.history:
            return None
        return max(0, self._primary.reached - self._seen.replayed)

    def standing(self) -> ReplicaStanding:
        """What is told of it."""
        return ReplicaStanding(self.number, self.state, round(self.lag_seconds, 4), self.lag_bytes)

    async def reaches(self, position: WalPosition) -> bool:
        """Whether it has replayed up to there; waits for it, as long as a replica may lag."""
        if self._has_replayed(position):
            return True
        if self._seen is None or not self._seen.is_in_recovery:
            return False
        loop = asyncio.get_running_loop()
        outcome: asyncio.Future[bool] = loop.create_future()
        self._waiting.append(_Waiting(position, outcome))
        self._wanted.set()
        timer = loop.call_later(self._lag_seconds_max, _answer, outcome, False)  # noqa: FBT003
        try:
            return await outcome
        finally:
            timer.cancel()

    async def judge(self, position: WalPosition) -> None:
        """Let it into the rotation or out of it, by whether it comes to ``position`` in time."""
        if self._primary is not None and self._primary.history != position.history:
            self._trail.clear()
        self._primary = position
        self._trail.append((self._seconds(), position))
        if len(self._trail) > TRAIL_POSITIONS_MAX:
            self._trail = deque(list(self._trail)[::2])
        self._keeps_up = await self.reaches(position)
        self._forget_trail()
        if self._seen is not None:
            self._tell_change()

    def leave(self) -> None:
        """Out of the rotation until it is judged again: a read failed there, or waited in vain."""
        self._keeps_up = False
        self._tell_change()

    async def follow(self) -> None:
        """Ask the replica about itself for ever, and connect again whenever it is lost."""
        while True:
            try:
                async with asyncio.timeout(REPLICA_ANSWER_SECONDS_MAX):
                    connection = await self._connect()
                try:
                    await self._ask_for_ever(connection)
                finally:
                    connection.terminate()
            except Exception as error:  # noqa: BLE001 - whatever is wrong with it, it is away
                self._lose(error)
            await asyncio.sleep(REPLICA_LOOK_SECONDS)

    async def _ask_for_ever(self, connection: Connection) -> None:
        pause = PAUSE_SECONDS_MIN
        while True:
            self._wanted.clear()
            async with asyncio.timeout(REPLICA_ANSWER_SECONDS_MAX):
                await self._look(connection)
            if self._tell_who_wait():
                pause = PAUSE_SECONDS_MIN
            if self._waiting:
                await asyncio.sleep(pause)
                pause = min(2 * pause, PAUSE_SECONDS_MAX)
            else:
                pause = PAUSE_SECONDS_MIN
                await _wait_for(self._wanted, seconds=REPLICA_LOOK_SECONDS)

    async def _look(self, connection: Connection) -> None:
        now = self._seconds()
        if self._seen is not None and now - self._looked_at < REPLICA_LOOK_SECONDS:
            (row,) = await connection.fetch(QUERIES["find_replayed"])
            self._seen = msgspec.structs.replace(
                self._seen, is_in_recovery=row["is_in_recovery"], replayed=row["replayed"] or 0
            )
            return
        (row,) = await connection.fetch(QUERIES["look_at_replica"])
        self._looked_at = now
        self._seen = Seen(
            started_at=row["started_at"],
            is_in_recovery=row["is_in_recovery"],
            history=WalHistory(row["system_identifier"], row["database"], row["timeline"]),
            replayed=row["replayed"] or 0,
        )

    def _tell_who_wait(self) -> bool:
        """Whether somebody who waited can go on."""
        reached = [each for each in self._waiting if self._has_replayed(each.position)]
        for each in reached:
            _answer(each.outcome, True)  # noqa: FBT003
        self._waiting = [each for each in self._waiting if not each.outcome.done()]
        self._forget_trail()
        if self._keeps_up and not self.is_in_rotation:
            self.leave()
        return bool(reached)

    def _forget_trail(self) -> None:
        while self._trail and self._has_replayed(self._trail[0][1]):
            self._trail.popleft()

    def _has_replayed(self, position: WalPosition) -> bool:
        seen = self._seen
        return (
            seen is not None
            and seen.is_in_recovery
            and seen.history == position.history
            and seen.replayed >= position.reached
        )

    def _lose(self, error: BaseException) -> None:
        self._seen = None
        self._keeps_up = False
        for each in self._waiting:
            _answer(each.outcome, False)  # noqa: FBT003
        self._waiting.clear()
        # Whoever reads there just now is told at once, and asks the primary.
        self.pool.cut()
        self._tell_change(cause=type(error).__name__)

    async def _connect_to_the_same(self) -> Connection:
        async with asyncio.timeout(REPLICA_ANSWER_SECONDS_MAX):
            connection = await self._connect()
            try:
                (row,) = await connection.fetch(QUERIES["look_at_replica"])
                if self._seen is None or row["started_at"] != self._seen.started_at:
                    raise AnotherServer("A replica's address leads to more than one server.")
            except BaseException:
                connection.terminate()
                raise
        return connection

    def _tell_change(self, **fields: str) -> None:
        state = self.state
        if state == self._told:
            return
        self._told = state
        if state == "in_rotation":
            log.info("A replica is read from", replica=self.number)
        else:
            log.warning("A replica is not read from", replica=self.number, state=state, **fields)


async def _wait_for(event: asyncio.Event, *, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return


def _answer(outcome: "asyncio.Future[bool]", reached: bool) -> None:  # noqa: FBT001 - by a timer
    if not outcome.done():
        outcome.set_result(reached)
