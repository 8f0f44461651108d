"""The job queue's tables are made by PgQueuer's planner, and only ever brought forward."""

import asyncpg
import pytest

from packhouse.plumbing.job_schema import PGQUEUER_VERSION, install_job_queue
from packhouse.plumbing.migrations import migrate
from packhouse.plumbing.schema_state import NotMigrated, read_queue_state, require_migrated


async def run(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute(statement)
    await connection.close()


async def migrate_again(url: str) -> None:
    connection = await asyncpg.connect(url)
    await migrate(connection)
    await connection.close()


async def test_a_queue_that_is_up_to_date_is_left_alone(database_url: str) -> None:
    connection = await asyncpg.connect(database_url)
    assert await install_job_queue(connection) == ()
    await connection.close()
    assert (await read_queue_state(database_url)).is_up_to_date


async def test_without_a_queue_no_program_begins(database_url: str) -> None:
    await run(database_url, "DROP SCHEMA jobs CASCADE")
    with pytest.raises(NotMigrated, match=f"job queue of PgQueuer {PGQUEUER_VERSION}"):
        await require_migrated(database_url)
    await migrate_again(database_url)
    await require_migrated(database_url)


async def test_a_queue_of_an_older_version_is_brought_up_to_date(database_url: str) -> None:
    await run(database_url, "ALTER TABLE jobs.pgqueuer DROP COLUMN slot")
    await run(database_url, "COMMENT ON SCHEMA jobs IS 'PgQueuer 1.5.9'")
    with pytest.raises(NotMigrated):
        await require_migrated(database_url)
    before = await read_queue_state(database_url)
    assert (before.installed, before.is_up_to_date) == ("1.5.9", False)
    assert before.pending
    await migrate_again(database_url)
    assert (await read_queue_state(database_url)).installed == PGQUEUER_VERSION


async def test_what_was_changed_behind_its_back_is_seen_and_mended(database_url: str) -> None:
    await run(database_url, "DROP TRIGGER tg_pgqueuer_changed ON jobs.pgqueuer")
    assert not (await read_queue_state(database_url)).is_up_to_date
    await migrate_again(database_url)
    assert (await read_queue_state(database_url)).is_up_to_date


async def test_a_queue_of_a_newer_version_is_used_and_left_alone(database_url: str) -> None:
    await run(database_url, "ALTER TABLE jobs.pgqueuer ALTER COLUMN attempts SET DEFAULT 1")
    await run(database_url, "COMMENT ON SCHEMA jobs IS 'PgQueuer 99.10.0'")
    await require_migrated(database_url)
    await migrate_again(database_url)
    state = await read_queue_state(database_url)
    assert (state.installed, state.pending) == ("99.10.0", ())
