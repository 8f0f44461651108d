"""PostgreSQL, the one source of truth: a bounded pool of prepared connections.

Reads borrow a connection; only a flow opens a transaction. A database that is away becomes
``DatabaseUnavailable`` (an Outage) here, at one place, so that nothing above has to know the
driver's errors; one that has more to do than it can becomes ``DatabaseBusy``. asyncpg prepares each
statement once for a connection and keeps it, and PostgreSQL keeps its plan: ``tests/plans`` holds
every statement to a budget with that one.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from types import TracebackType
from typing import Any, ClassVar, Final, Literal, Protocol

import asyncpg
import msgspec

from packhouse.foundation.errors import Outage
from packhouse.foundation.limits import (
    DATABASE_STATEMENTS_KEPT,
    DATABASE_WAIT_SECONDS_MAX,
    DATABASE_WAITING_MAX,
    WORKER_CONNECTIONS,
)
from packhouse.plumbing.pool import Connection as Connection
from packhouse.plumbing.pool import Pool, PoolBusy, PoolClosed
from packhouse.plumbing.sharded_connection import ShardedConnection
from packhouse.plumbing.sharded_connection import is_sharded as is_sharded

Record = asyncpg.Record

AWAY = (
    OSError,
    TimeoutError,
    PoolClosed,
    asyncpg.InterfaceError,
    # A backend killed in the middle of an answer leaves the driver's protocol in no state it knows.
    asyncpg.InternalClientError,
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.TooManyConnectionsError,
    asyncpg.QueryCanceledError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.DiskFullError,
)


class ReadConnection(Protocol):
    """A connection that is only asked: what takes no more than this may be read from a replica."""

    async def fetch(self, query: str, /, *args: object) -> list[Record]:
        """All rows of a SELECT."""

    async def fetchrow(self, query: str, /, *args: object) -> Record | None:
        """Its first row."""

    async def fetchval(self, query: str, /, *args: object) -> Any:  # noqa: ANN401 - any column
        """The first value of its first row."""


SHARDED_SETTINGS: Final = {
    # To hide its shards, Citus looks at every table for each question about types: the driver asks
    # one of each new connection, which then took a second.
    "citus.override_table_visibility": "off",
}

ReplicaState = Literal["in_rotation", "away", "behind", "promoted", "diverged", "unrelated"]
"""``diverged`` follows another timeline than the primary's; ``unrelated`` is of another cluster or
database; ``promoted`` is in recovery no more, so a server of its own."""


class ReplicaStanding(msgspec.Struct, frozen=True):
    """A replica as this process sees it, by its place in the settings.

    ``lag_seconds`` tells how long ago the primary was where the replica is now, 0 when it has
    caught up. ``lag_bytes`` is None when positions cannot be compared.
    """

    number: int
    state: ReplicaState
    lag_seconds: float
    lag_bytes: int | None


class DatabaseUnavailable(Outage):
    """PostgreSQL did not answer, or not in time; what was not committed did not happen."""

    code: ClassVar[str] = "database_unavailable"


class DatabaseBusy(Outage):
    """More wants to be asked of PostgreSQL than it can answer in time; nothing was done."""

    code: ClassVar[str] = "database_busy"


class TransactionRaced(Outage):
    """PostgreSQL ended the transaction to let another one through; nothing of it was done."""

    code: ClassVar[str] = "transaction_raced"


class Database:
    """A pool of connections to the primary, which answers all reads where there is no replica."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def connection(self, *, ahead: bool = False) -> AbstractAsyncContextManager[Connection]:
        """Borrow a connection for reads; each statement sees what is committed when it starts.

        ``ahead`` goes before all who wait: for what does the work of many, such as a set.
        Raises ``DatabaseBusy`` when the line for one is full or too slow, ``DatabaseUnavailable``.
        """
        return Loan(self._pool, ahead=ahead)

    def reading(self) -> AbstractAsyncContextManager[ReadConnection]:
        """Borrow a connection for what a replica may answer as well as the primary.

        Each statement sees all that was committed when this was entered. Never for what decides a
        write. Raises what ``connection`` raises.
        """
        return Loan(self._pool, ahead=False)

    @property
    def is_sharded(self) -> bool:
        """Whether users are spread over several servers, as ``packhouse db distribute`` does.

        A statement is cheap there when it is about one user.
        """
        return self._pool.is_sharded

    def list_replicas(self) -> list[ReplicaStanding]:
        """All replicas that the settings name, in their order."""
        return []

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """Borrow a connection and open a transaction: all of the block is committed, or nothing."""
        async with self.connection() as connection, transaction_on(connection):
            yield connection

    async def close(self) -> None:
        """Wait for borrowed connections, then close all."""
        await self._pool.close()


class Loan:
    """One borrowing. A class, because a generator would cost as much as the pool itself."""

    __slots__ = ("_ahead", "_connection", "_pool")

    def __init__(self, pool: Pool, *, ahead: bool) -> None:
        self._pool = pool
        self._ahead = ahead

    async def __aenter__(self) -> Connection:
        try:
            self._connection = await self._pool.take(ahead=self._ahead)
        except PoolBusy as error:
            raise DatabaseBusy(
                "More is going on than the shop can serve at once. Try again in a moment, with the"
                " same Idempotency-Key if there was one: nothing was done."
            ) from error
        except AWAY as error:
            raise _unavailable(error) from error
        return self._connection

    async def __aexit__(
        self,
        _kind: type[BaseException] | None,
        error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        # A cancellation or the end of somebody's patience may have left a query half-way.
        is_clean = error is None or (
            isinstance(error, Exception) and not isinstance(error, TimeoutError)
        )
        self._pool.give_back(self._connection, is_clean=is_clean)
        if isinstance(error, AWAY):
            raise _unavailable(error) from error


@asynccontextmanager
async def transaction_on(connection: Connection) -> AsyncIterator[None]:
    """Open a transaction on a connection that is borrowed already: a flow that has just read."""
    try:
        async with connection.transaction():
            yield
    except (asyncpg.DeadlockDetectedError, asyncpg.SerializationError) as error:
        raise TransactionRaced("Others changed the same things; try again.") from error


@asynccontextmanager
async def open_database(
    url: str,
    *,
    pool_size: int,
    statement_timeout_ms: int,
    connect_timeout_seconds: float,
    waiting_max: int = DATABASE_WAITING_MAX,
    wait_seconds_max: float = DATABASE_WAIT_SECONDS_MAX,
) -> AsyncIterator[Database]:
    """Open a pool of at most ``pool_size`` connections; raises ``DatabaseUnavailable``.

    At most ``waiting_max`` may wait for one of them, each for at most ``wait_seconds_max``.
    """
    async with open_pool(
        url,
        pool_size=pool_size,
        statement_timeout_ms=statement_timeout_ms,
        connect_timeout_seconds=connect_timeout_seconds,
        waiting_max=waiting_max,
        wait_seconds_max=wait_seconds_max,
    ) as pool:
        yield Database(pool)


@asynccontextmanager
async def open_pool(
    url: str,
    *,
    pool_size: int,
    statement_timeout_ms: int,
    connect_timeout_seconds: float,
    waiting_max: int = DATABASE_WAITING_MAX,
    wait_seconds_max: float = DATABASE_WAIT_SECONDS_MAX,
) -> AsyncIterator[Pool]:
    """What ``open_database`` lends from."""
    connect = connector(
        url,
        statement_timeout_ms=statement_timeout_ms,
        connect_timeout_seconds=connect_timeout_seconds,
    )
    pool = Pool(connect, size=pool_size, waiting_max=waiting_max, wait_seconds_max=wait_seconds_max)
    try:
        # The first ones now, so that a shop whose database is away does not begin at all.
        try:
            await pool.fill(min(2, pool_size))
        except AWAY as error:
            raise DatabaseUnavailable(
                "The database does not answer at PACKHOUSE_DATABASE_URL: is it running, and do its"
                f" host, port, name and password fit? ({error})"
            ) from error
        yield pool
    finally:
        await pool.close()


def connector(
    url: str, *, statement_timeout_ms: int, connect_timeout_seconds: float
) -> Callable[[], Awaitable[Connection]]:
    """What opens one more connection to the server at ``url``, ready for the shop's statements."""
    kind: type[Connection] = asyncpg.Connection

    async def open_one() -> Connection:
        return await asyncpg.connect(
            url,
            timeout=connect_timeout_seconds,
            connection_class=kind,
            statement_cache_size=DATABASE_STATEMENTS_KEPT,
            # Prepared once for good: its plans are made anew when the tables or their sizes change.
            max_cached_statement_lifetime=0,
            server_settings={
                "application_name": "packhouse",
                "statement_timeout": str(statement_timeout_ms),
                "idle_in_transaction_session_timeout": "30000",
                "timezone": "UTC",
                **(SHARDED_SETTINGS if kind is ShardedConnection else {}),
            },
        )

    async def connect() -> Connection:
        nonlocal kind
        connection = await open_one()
        try:
            if kind is not ShardedConnection and await is_distributed(connection):
                connection.terminate()
                kind = ShardedConnection
                connection = await open_one()
            await prepare_connection(connection)
            if kind is not ShardedConnection:
                await connection.execute(_KEEP_PLANS)
        except BaseException:
            connection.terminate()
            raise
        return connection

    return connect


def _unavailable(error: BaseException) -> DatabaseUnavailable:
    return DatabaseUnavailable(
        # A commit whose answer was lost may have been done: only its key can tell.
        "The database is away just now. Try again in a moment, with the same"
        " Idempotency-Key if there was one: then nothing is done twice.",
        cause=type(error).__name__,
    )


# Left to itself PostgreSQL takes a LIMIT by parameter for a tenth of the table, thinks the plan
# that it could keep a dear one, and plans anew each time: two thirds of what a page of the feed
# costs. But a plan that is kept was made for the table of that moment: reading an empty one whole
# is cheapest, and goes on until somebody analyses it, a thousand rows later. So no plan reads a
# table whole where there is an index.
# Where users are distributed, the shard is found while planning, which is left free to do so.
_KEEP_PLANS = """
SELECT set_config('plan_cache_mode', 'force_generic_plan', false),
       set_config('enable_seqscan', 'off', false)
"""

_IS_DISTRIBUTED = """
SELECT EXISTS (
    SELECT FROM pg_dist_partition WHERE logicalrelid = to_regclass('wallets') AND partmethod = 'h'
)
"""


async def is_distributed(connection: Connection) -> bool:
    """Whether the users of this database are spread over a Citus cluster."""
    if await connection.fetchval("SELECT to_regclass('pg_dist_partition')") is None:
        return False
    return bool(await connection.fetchval(_IS_DISTRIBUTED))


def pool_size_per_web_worker(*, pool_size: int, workers: int) -> int:
    """One web worker's share of the host's connections, after what the worker program keeps.

    Never below 2: with a single one, a transaction would hold up every read of its worker.
    """
    return max(2, (pool_size - WORKER_CONNECTIONS) // workers)


async def prepare_connection(connection: Any) -> None:  # noqa: ANN401 - asyncpg's stubs disagree
    """Make ``jsonb`` columns Python values in both directions."""
    await connection.set_type_codec(
        "jsonb", schema="pg_catalog", encoder=_encode_json, decoder=msgspec.json.decode
    )


def _encode_json(value: object) -> str:
    return msgspec.json.encode(value).decode()
