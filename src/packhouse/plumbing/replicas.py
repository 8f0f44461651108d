"""Reads from replicas: shared among those that keep up, and never behind what was answered before.

A read asks the primary where its log is (``wal.py``: one question for all who ask at once), waits
until its replica has replayed up to there, and reads. So it sees every write that was answered
before it began, whoever made it and wherever: no token has to travel with a user or be kept
anywhere. Where no replica comes there in time the primary answers, as it does what a replica fails
at half-way.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from contextvars import Context
from types import TracebackType
from typing import Any, Literal

import asyncpg

from packhouse.foundation.errors import Outage
from packhouse.foundation.limits import (
    DATABASE_WAIT_SECONDS_MAX,
    DATABASE_WAITING_MAX,
    REPLICA_LOOK_SECONDS,
    REPLICA_WATCH_CONNECTIONS,
)
from packhouse.plumbing.metrics import (
    REPLICA_LAG,
    REPLICA_LAG_BYTES,
    REPLICA_READERS,
    REPLICA_READS,
    REPLICA_STATES,
)
from packhouse.plumbing.pool import Connection, Pool
from packhouse.plumbing.postgres import (
    Database,
    DatabaseUnavailable,
    Loan,
    ReadConnection,
    Record,
    ReplicaStanding,
    connector,
    open_pool,
)
from packhouse.plumbing.replica import Replica, is_of_the_server
from packhouse.plumbing.wal import PrimaryWal

Answered = Literal["replica", "none_in_rotation", "behind", "failed"]
"""Who answered a read: a replica, or the primary because none was in rotation, or because the one
whose turn it was did not come to the position in time, or failed."""


class Replicas:
    """The replicas of one process, and whose turn it is."""

    def __init__(self, primary: Database, replicas: Sequence[Replica]) -> None:
        self._wal = PrimaryWal(primary)
        self.replicas = tuple(replicas)
        self.reads: Counter[Answered] = Counter()
        self._turn = 0

    async def find_current(self) -> Replica | None:
        """A replica that has replayed all that was answered before this call, if one has.

        Raises an ``Outage`` when the primary does not say what that is.
        """
        rotation = [replica for replica in self.replicas if replica.is_in_rotation]
        if not rotation:
            self.count("none_in_rotation")
            return None
        self._turn += 1
        replica = rotation[self._turn % len(rotation)]
        try:
            position = await self._wal.find_position()
        except asyncpg.PostgresError:
            # A primary that cannot tell is none; whoever asks it is told what it is.
            return None
        if await replica.reaches(position):
            return replica
        replica.leave()
        self.count("behind")
        return None

    def count(self, answered: Answered) -> None:
        """One more read was answered so."""
        self.reads[answered] += 1
        REPLICA_READS.of(answered).add()

    async def oversee(self) -> None:
        """Follow all replicas, and judge for ever which of them keep up."""
        async with asyncio.TaskGroup() as tasks:
            for replica in self.replicas:
                tasks.create_task(replica.follow())
            while True:
                try:
                    position = await self._wal.find_position()
                except (Outage, asyncpg.PostgresError):
                    # Nobody can be judged. Reads need the primary's word as well.
                    pass
                else:
                    await asyncio.gather(*(each.judge(position) for each in self.replicas))
                for replica in self.replicas:
                    _measure(replica.standing())
                await asyncio.sleep(REPLICA_LOOK_SECONDS)

    async def finish(self) -> None:
        """Break the connections to all replicas off, at the end of the process."""
        await self._wal.finish()
        for replica in self.replicas:
            replica.pool.cut()
            await replica.pool.close()


def _measure(standing: ReplicaStanding) -> None:
    number = str(standing.number)
    REPLICA_LAG.of(number).set(standing.lag_seconds)
    if standing.lag_bytes is None:
        REPLICA_LAG_BYTES.of(number).unset()
    else:
        REPLICA_LAG_BYTES.of(number).set(standing.lag_bytes)
    for state in REPLICA_STATES:
        REPLICA_READERS.of(number, state).set(state == standing.state)


class ReplicatedDatabase(Database):
    """The primary for whatever writes, and its replicas for what is only read."""

    def __init__(self, primary: Pool, replicas: Replicas) -> None:
        super().__init__(primary)
        self.replicas = replicas

    def reading(self) -> AbstractAsyncContextManager[ReadConnection]:
        """Borrow a connection to a replica that is current, or to the primary."""
        return _Reading(self._pool, self.replicas)

    def list_replicas(self) -> list[ReplicaStanding]:
        """How each replica stands with this process."""
        return [replica.standing() for replica in self.replicas.replicas]


class _Reading:
    """One reading: from the replica it was given, and from the primary once that has failed it."""

    __slots__ = ("_connection", "_loan", "_primary", "_replica", "_replicas")

    def __init__(self, primary: Pool, replicas: Replicas) -> None:
        self._primary = primary
        self._replicas = replicas
        self._replica: Replica | None = None
        self._loan: Loan | None = None

    async def __aenter__(self) -> ReadConnection:
        replica = await self._replicas.find_current()
        if replica is None:
            return await self._borrow(self._primary)
        try:
            await self._borrow(replica.pool)
        except (DatabaseUnavailable, asyncpg.PostgresError):
            self._replicas.count("failed")
            replica.leave()
            return await self._borrow(self._primary)
        self._replica = replica
        self._replicas.count("replica")
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._loan is not None:
            await self._loan.__aexit__(kind, error, traceback)

    async def fetch(self, query: str, /, *args: object) -> list[Record]:
        rows: list[Record] = await self._ask(asyncpg.Connection.fetch, query, args)
        return rows

    async def fetchrow(self, query: str, /, *args: object) -> Record | None:
        row: Record | None = await self._ask(asyncpg.Connection.fetchrow, query, args)
        return row

    async def fetchval(self, query: str, /, *args: object) -> Any:  # noqa: ANN401 - any column
        return await self._ask(asyncpg.Connection.fetchval, query, args)

    async def _ask(
        self, ask: Callable[..., Awaitable[Any]], query: str, args: tuple[object, ...]
    ) -> Any:  # noqa: ANN401 - rows, a row or any column
        if self._replica is not None:
            try:
                return await ask(self._connection, query, *args)
            except Exception as error:
                if not is_of_the_server(error):
                    raise
                self._give_up(self._replica, error)
        if self._loan is None:
            await self._borrow(self._primary)
        return await ask(self._connection, query, *args)

    async def _borrow(self, pool: Pool) -> Connection:
        loan = Loan(pool, ahead=False)
        self._connection = await loan.__aenter__()
        self._loan = loan
        return self._connection

    def _give_up(self, replica: Replica, error: Exception) -> None:
        is_answer = isinstance(error, asyncpg.PostgresError)
        replica.pool.give_back(self._connection, is_clean=is_answer)
        self._loan = self._replica = None
        self._replicas.count("failed")
        if not is_answer or self._connection.is_closed():
            replica.leave()


@asynccontextmanager
async def open_databases(
    url: str,
    replica_urls: Sequence[str],
    *,
    pool_size: int,
    replica_lag_ms_max: int,
    statement_timeout_ms: int,
    connect_timeout_seconds: float,
) -> AsyncIterator[Database]:
    """The primary at ``url`` with its replicas, at most ``pool_size`` connections to each.

    Raises ``DatabaseUnavailable`` when there is no primary; replicas may come later.
    """
    async with open_pool(
        url,
        pool_size=pool_size,
        statement_timeout_ms=statement_timeout_ms,
        connect_timeout_seconds=connect_timeout_seconds,
    ) as primary:
        if not replica_urls:
            yield Database(primary)
            return

        def make_pool(connect: Callable[[], Awaitable[Connection]]) -> Pool:
            return Pool(
                connect,
                size=pool_size - REPLICA_WATCH_CONNECTIONS,
                waiting_max=DATABASE_WAITING_MAX,
                wait_seconds_max=DATABASE_WAIT_SECONDS_MAX,
            )

        replicas = Replicas(
            Database(primary),
            [
                Replica(
                    number,
                    connector(
                        replica_url,
                        statement_timeout_ms=statement_timeout_ms,
                        connect_timeout_seconds=connect_timeout_seconds,
                    ),
                    make_pool=make_pool,
                    lag_seconds_max=replica_lag_ms_max / 1000,
                )
                for number, replica_url in enumerate(replica_urls)
            ],
        )
        # In a context of its own: what it logs is about no request.
        overseeing = asyncio.create_task(replicas.oversee(), context=Context())
        try:
            yield ReplicatedDatabase(primary, replicas)
        finally:
            overseeing.cancel()
            with suppress(asyncio.CancelledError):
                await overseeing
            await replicas.finish()
