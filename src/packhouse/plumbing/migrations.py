"""Migrations: numbered, forward only, plain SQL, safe beside the running shop.

Each file in ``schema/migrations`` does one matter. It runs in one transaction with a short lock
timeout, so that a migration waiting for a lock never makes the shop wait behind it; a file whose
first line is ``-- transaction: none`` runs statement by statement (``CREATE INDEX CONCURRENTLY``)
and must be repeatable. One advisory lock keeps two deployments from migrating at once.

Code that does not know a migration yet runs on, unless the file says otherwise: ``-- Needs: 0007``
in its header means that it takes away what code without migration 7 still uses. It is kept beside
what was run, so that such code refuses to begin instead of failing here and there.

The job queue's tables come after the numbered files, by PgQueuer's own planner.
"""

import asyncio
import hashlib
import re
from collections.abc import Sequence
from importlib.resources import files
from typing import ClassVar

import asyncpg
import msgspec

from packhouse.foundation.errors import Breach, Outage
from packhouse.plumbing.database_roles import grant_roles
from packhouse.plumbing.job_schema import install_job_queue

LOCK_TIMEOUT_MS = 3_000
"""A migration that cannot get its lock in this time gives up and is tried again later."""

ADVISORY_LOCK = 0x5041434B
"""The bytes of 'PACK': the advisory lock that migrations hold."""

LOCK_ATTEMPTS = 600
LOCK_ATTEMPT_PAUSE_SECONDS = 0.1
"""Together a minute: how long one deployment waits for another's migrations."""

_NEEDS = re.compile(r"^-- Needs: (\d{4})\b", re.MULTILINE)

_MIGRATIONS_TABLE = """
CREATE TABLE IF NOT EXISTS schema_migrations (
    number     integer     NOT NULL,
    name       text        NOT NULL,
    sha256     text        NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT schema_migrations_pkey PRIMARY KEY (number)
)
"""

_NEEDS_COLUMN = """
ALTER TABLE schema_migrations ADD COLUMN IF NOT EXISTS needs integer NOT NULL DEFAULT 0
"""


class MigrationChanged(Breach):
    """A migration that this database has already run differs from the file of that number."""

    code: ClassVar[str] = "migration_changed"


class MigrationBlocked(Outage):
    """A lock that the migration needs is held by others; nothing was changed by this file."""

    code: ClassVar[str] = "migration_blocked"


class Migration(msgspec.Struct, frozen=True):
    """One numbered file: its statements in order, and whether they share a transaction.

    ``needs`` is the number of a migration: code that does not know that one cannot go on; or 0.
    """

    number: int
    name: str
    statements: tuple[str, ...]
    in_transaction: bool
    sha256: str
    needs: int = 0


def list_migrations() -> list[Migration]:
    """Every migration that this version of the code knows, in order."""
    folder = files("packhouse.schema") / "migrations"
    found = [
        parse_migration(entry.name, entry.read_text(encoding="utf-8"))
        for entry in folder.iterdir()
        if entry.name.endswith(".sql")
    ]
    return sorted(found, key=lambda migration: migration.number)


def parse_migration(file_name: str, text: str) -> Migration:
    """Read ``0001_name.sql``; statements are separated by a semicolon at the end of a line."""
    number, _, name = file_name.removesuffix(".sql").partition("_")
    without_comments = "\n".join(
        line.rstrip() for line in text.splitlines() if not line.lstrip().startswith("--")
    )
    statements = tuple(
        statement.strip() for statement in without_comments.split(";\n") if statement.strip("; \n")
    )
    return Migration(
        number=int(number),
        name=name,
        statements=tuple(statement.rstrip(";") for statement in statements),
        in_transaction=not text.startswith("-- transaction: none"),
        sha256=hashlib.sha256(text.encode()).hexdigest(),
        needs=max(map(int, _NEEDS.findall(text)), default=0),
    )


async def list_pending(connection: asyncpg.Connection) -> list[Migration]:
    """What is still to run here. Raises ``MigrationChanged`` when history was rewritten."""
    await connection.execute(_MIGRATIONS_TABLE)
    await connection.execute(_NEEDS_COLUMN)
    rows = await connection.fetch("SELECT number, sha256 FROM schema_migrations")
    applied = {row["number"]: row["sha256"] for row in rows}
    pending = []
    for migration in list_migrations():
        if migration.number not in applied:
            pending.append(migration)
        elif applied[migration.number] != migration.sha256:
            raise MigrationChanged(
                f"Migration {migration.number:04d}_{migration.name} was run here with other words"
                " than this version has. Restore the file, and put the change in a new migration."
            )
    return pending


async def migrate(connection: asyncpg.Connection) -> Sequence[Migration]:
    """Run what is pending, in order, and grant the shop's roles their rights; gives what was run.

    Two at once wait for each other. Raises ``RolesNotMade`` when all but the roles is done.
    """
    await connection.execute("SET statement_timeout = 0")
    await connection.execute(f"SET lock_timeout = {LOCK_TIMEOUT_MS}")
    await _lock_out_others(connection)
    try:
        pending = await list_pending(connection)
        for migration in pending:
            await _run(connection, migration)
        await _install_job_queue(connection)
        await grant_roles(connection)
        return pending
    finally:
        await connection.execute("SELECT pg_advisory_unlock($1)", ADVISORY_LOCK)


async def _install_job_queue(connection: asyncpg.Connection) -> None:
    try:
        await install_job_queue(connection)
    except asyncpg.LockNotAvailableError as error:
        raise MigrationBlocked(
            f"The job queue's tables waited {LOCK_TIMEOUT_MS} ms for a lock that a long transaction"
            " holds. Run it again; what was done stays."
        ) from error


async def _lock_out_others(connection: asyncpg.Connection) -> None:
    # Asking again and again instead of waiting inside PostgreSQL: a waiting statement would keep a
    # snapshot, for which the other's CREATE INDEX CONCURRENTLY would wait in turn.
    for _ in range(LOCK_ATTEMPTS):
        if await connection.fetchval("SELECT pg_try_advisory_lock($1)", ADVISORY_LOCK):
            return
        await asyncio.sleep(LOCK_ATTEMPT_PAUSE_SECONDS)
    raise MigrationBlocked(
        "Another process is migrating this database. Wait until it has ended, then start again."
    )


async def _run(connection: asyncpg.Connection, migration: Migration) -> None:
    try:
        if migration.in_transaction:
            async with connection.transaction():
                await _run_statements(connection, migration)
        else:
            await _drop_invalid_indexes(connection)
            await _run_statements(connection, migration)
    except asyncpg.LockNotAvailableError as error:
        raise MigrationBlocked(
            f"Migration {migration.number:04d}_{migration.name} waited {LOCK_TIMEOUT_MS} ms for a"
            " lock that a long transaction holds. Nothing of it was done; run it again."
        ) from error


async def _drop_invalid_indexes(connection: asyncpg.Connection) -> None:
    # An interrupted CREATE INDEX CONCURRENTLY leaves an index that is written but never read, and
    # that IF NOT EXISTS would take for a good one.
    names = await connection.fetch(
        "SELECT indexrelid::regclass::text AS name FROM pg_index WHERE NOT indisvalid"
        " AND indrelid IN (SELECT oid FROM pg_class"
        " WHERE relnamespace = current_schema()::regnamespace)"
    )
    for row in names:
        await connection.execute(f"DROP INDEX CONCURRENTLY {row['name']}")


async def _run_statements(connection: asyncpg.Connection, migration: Migration) -> None:
    for statement in migration.statements:
        await connection.execute(statement)
    await connection.execute(
        "INSERT INTO schema_migrations (number, name, sha256, needs) VALUES ($1, $2, $3, $4)",
        migration.number,
        migration.name,
        migration.sha256,
        migration.needs,
    )
