"""Code on a schema that a newer version has migrated: it goes on, unless it was left behind."""

import asyncpg
import pytest

from packhouse.plumbing.migrations import list_migrations
from packhouse.plumbing.schema_state import (
    NotMigrated,
    migrate_database,
    read_schema_state,
    require_migrated,
)

LATER = "INSERT INTO schema_migrations (number, name, sha256, needs) VALUES (9000, 'later', '', $1)"


async def run(url: str, statement: str, *values: int) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute(statement, *values)
    await connection.close()


async def test_migrations_of_a_newer_version_do_no_harm(database_url: str) -> None:
    await run(database_url, LATER, 0)
    await require_migrated(database_url)
    assert await migrate_database(database_url) == []
    assert {each.state for each in await read_schema_state(database_url)} == {"applied"}


async def test_a_contraction_of_what_this_version_has_left_behind_does_no_harm(
    database_url: str,
) -> None:
    await run(database_url, LATER, list_migrations()[-1].number)
    await require_migrated(database_url)


async def test_a_version_that_was_left_behind_does_not_begin(database_url: str) -> None:
    await run(database_url, LATER, list_migrations()[-1].number + 1)
    for begin in (require_migrated, migrate_database):
        with pytest.raises(NotMigrated, match="past this version"):
            await begin(database_url)


async def test_a_database_from_before_it_was_kept_what_a_migration_needs(database_url: str) -> None:
    await run(database_url, "ALTER TABLE schema_migrations DROP COLUMN needs")
    await require_migrated(database_url)
    assert await migrate_database(database_url) == []
    await run(database_url, LATER, 0)
