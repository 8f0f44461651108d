"""What of the schema a database has: read without changing anything, and brought up to date."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import ClassVar, Literal

import msgspec

from packhouse.foundation.errors import Refusal
from packhouse.plumbing.job_schema import (
    PGQUEUER_VERSION,
    JobQueueState,
    has_job_queue,
    read_job_queue_state,
)
from packhouse.plumbing.migrations import Migration, list_migrations, migrate
from packhouse.plumbing.postgres import Connection, open_database
from packhouse.plumbing.sharding import distribute

CONNECT_TIMEOUT_SECONDS = 10.0
STATEMENT_TIMEOUT_MS = 10_000


class NotMigrated(Refusal):
    """The database is not what this version of the code works with."""

    code: ClassVar[str] = "not_migrated"


class MigrationState(msgspec.Struct, frozen=True):
    """One migration of this version; ``changed`` was run here with other words than it has now."""

    number: int
    name: str
    state: Literal["applied", "pending", "changed"]
    applied_at: datetime | None

    @property
    def title(self) -> str:
        """The name of its file, without the ending."""
        return f"{self.number:04d}_{self.name}"


async def read_schema_state(url: str) -> list[MigrationState]:
    """Every migration of this version, in order. Raises ``DatabaseUnavailable``."""
    applied: dict[int, tuple[str, datetime]] = {}
    async with _connection(url) as connection:
        if await _has_history(connection):
            rows = await connection.fetch(
                "SELECT number, sha256, applied_at FROM schema_migrations"
            )
            applied = {row["number"]: (row["sha256"], row["applied_at"]) for row in rows}
    return [_state_of(each, applied.get(each.number)) for each in list_migrations()]


async def require_migrated(url: str) -> None:
    """Raise ``NotMigrated`` unless the database has everything this version needs.

    Migrations of a newer version do no harm, unless they say that they do.
    """
    async with _connection(url) as connection:
        await _require_not_past(connection)
    states = await read_schema_state(url)
    changed = [each.title for each in states if each.state == "changed"]
    if changed:
        raise NotMigrated(
            f"The database has run {', '.join(changed)} with other words than this version has;"
            " start the version that it was migrated with."
        )
    pending = [each.title for each in states if each.state == "pending"]
    async with _connection(url) as connection:
        if not await has_job_queue(connection):
            pending.append(f"the job queue of PgQueuer {PGQUEUER_VERSION}")
    if pending:
        raise NotMigrated(
            f"The database lacks {', '.join(pending)}; run `packhouse db migrate` first."
        )


async def read_queue_state(url: str) -> JobQueueState:
    """Which job queue is there, and what ``migrate_database`` would still do to it."""
    async with _connection(url) as connection:
        return await read_job_queue_state(connection)


async def migrate_database(url: str) -> Sequence[Migration]:
    """Run what is pending on the database at ``url``; gives what was run.

    Raises ``NotMigrated`` when the database has left this version behind.
    """
    async with _connection(url) as connection:
        await _require_not_past(connection)
        return await migrate(connection)


async def distribute_database(url: str, *, announce: Callable[[str], None]) -> int:
    """Spread the users of the database at ``url`` over its cluster; gives how many tables moved.

    Raises ``NotMigrated`` and ``NoCluster``.
    """
    await require_migrated(url)
    async with _connection(url) as connection:
        return await distribute(connection, announce=announce)


async def _require_not_past(connection: Connection) -> None:
    if not await _has_history(connection):
        return
    # By way of JSON, for a database that was last migrated before the column was there.
    needed = await connection.fetchval(
        "SELECT max((to_jsonb(run) ->> 'needs')::integer) FROM schema_migrations AS run"
    )
    known = max(migration.number for migration in list_migrations())
    if (needed or 0) > known:
        raise NotMigrated(
            f"The database has been migrated past this version, which ends at {known:04d}: what it"
            f" uses was taken away from versions before {needed:04d}. Start a newer version."
        )


async def _has_history(connection: Connection) -> bool:
    return await connection.fetchval("SELECT to_regclass('schema_migrations')") is not None


@asynccontextmanager
async def _connection(url: str) -> AsyncIterator[Connection]:
    async with (
        open_database(
            url,
            pool_size=1,
            statement_timeout_ms=STATEMENT_TIMEOUT_MS,
            connect_timeout_seconds=CONNECT_TIMEOUT_SECONDS,
        ) as database,
        database.connection() as connection,
    ):
        yield connection


def _state_of(migration: Migration, applied: tuple[str, datetime] | None) -> MigrationState:
    if applied is None:
        return MigrationState(migration.number, migration.name, "pending", None)
    sha256, applied_at = applied
    state: Literal["applied", "changed"] = "applied" if sha256 == migration.sha256 else "changed"
    return MigrationState(migration.number, migration.name, state, applied_at)
