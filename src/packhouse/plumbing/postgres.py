"""PostgreSQL, the one source of truth: a bounded pool of prepared connections.

Reads borrow a connection; only a flow opens a transaction. A database that is away becomes
``DatabaseUnavailable`` (an Outage) here, at one place, so that nothing above has to know the
driver's errors. asyncpg prepares each statement once for a connection and keeps it.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, ClassVar, TypeAlias

import asyncpg
import msgspec
from asyncpg.pool import PoolConnectionProxy

from packhouse.foundation.errors import Outage
from packhouse.foundation.limits import WORKER_CONNECTIONS

# The stubs know a type parameter that the classes themselves do not have.
Connection: TypeAlias = "PoolConnectionProxy[asyncpg.Record]"
Record = asyncpg.Record

_AWAY = (
    OSError,
    TimeoutError,
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


class DatabaseUnavailable(Outage):
    """PostgreSQL did not answer, or not in time; what was not committed did not happen."""

    code: ClassVar[str] = "database_unavailable"


class TransactionRaced(Outage):
    """PostgreSQL ended the transaction to let another one through; nothing of it was done."""

    code: ClassVar[str] = "transaction_raced"


class Database:
    """A pool of connections to the primary."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]") -> None:
        self._pool = pool

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """Borrow a connection for reads; each statement sees what is committed when it starts."""
        try:
            async with self._pool.acquire() as connection:
                yield connection
        except _AWAY as error:
            raise DatabaseUnavailable(
                # A commit whose answer was lost may have been done: only its key can tell.
                "The database is away just now. Try again in a moment, with the same"
                " Idempotency-Key if there was one: then nothing is done twice.",
                cause=type(error).__name__,
            ) from error

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """Borrow a connection and open a transaction: all of the block is committed, or nothing."""
        async with self.connection() as connection, transaction_on(connection):
            yield connection

    async def close(self) -> None:
        """Wait for borrowed connections, then close all."""
        await self._pool.close()


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
    url: str, *, pool_size: int, statement_timeout_ms: int, connect_timeout_seconds: float
) -> AsyncIterator[Database]:
    """Open a pool of at most ``pool_size`` connections; raises ``DatabaseUnavailable``."""
    try:
        pool = await asyncpg.create_pool(
            url,
            min_size=min(2, pool_size),
            max_size=pool_size,
            timeout=connect_timeout_seconds,
            init=prepare_connection,
            # asyncpg's own reset is a query for each release; we leave no session state behind.
            reset=_leave_as_is,
            max_inactive_connection_lifetime=0,
            server_settings={
                "application_name": "packhouse",
                "statement_timeout": str(statement_timeout_ms),
                "idle_in_transaction_session_timeout": "30000",
                "timezone": "UTC",
            },
        )
    except _AWAY as error:
        raise DatabaseUnavailable(
            "The database does not answer at PACKHOUSE_DATABASE_URL: is it running, and do its"
            f" host, port, name and password fit? ({error})"
        ) from error
    database = Database(pool)
    try:
        yield database
    finally:
        await database.close()


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


async def _leave_as_is(connection: object) -> None:
    """Do nothing on release."""
