"""A shop grows while its connections keep the plans that they made when it was empty."""

from uuid import UUID

from packhouse.foundation.identifiers import new_id
from packhouse.plumbing.idempotency import QUERIES as IDEMPOTENCY
from packhouse.plumbing.postgres import Connection, Database

ROWS = 3_000
SEQUENTIAL_READS = (
    "SELECT coalesce(sum(seq_scan), 0) FROM pg_stat_xact_user_tables"
    " WHERE relname = 'idempotency_keys'"
)


async def find_answer(connection: Connection, user_id: UUID) -> None:
    await connection.fetchrow(IDEMPOTENCY["find_answer"], user_id, "POST /", "key")


async def test_a_plan_that_was_made_on_an_empty_table_serves_a_full_one(
    database: Database,
) -> None:
    user_id = new_id()
    async with database.transaction() as connection:
        await connection.execute("ANALYZE idempotency_keys")
        for _ in range(10):
            await find_answer(connection, user_id)
        await connection.execute(
            "INSERT INTO idempotency_keys"
            " (user_id, route, key, request_hash, status, answer, created_at)"
            " SELECT $1, 'POST /', number::text, '', 201, '{}', now()"
            " FROM generate_series(1, $2::integer) AS number",
            user_id,
            ROWS,
        )
        before = await connection.fetchval(SEQUENTIAL_READS)
        await find_answer(connection, user_id)
        assert await connection.fetchval(SEQUENTIAL_READS) == before


async def test_what_has_no_index_is_still_read(database: Database) -> None:
    async with database.connection() as connection:
        assert await connection.fetchval("SELECT count(*) FROM idempotency_keys") == 0
