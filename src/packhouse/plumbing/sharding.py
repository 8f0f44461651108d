"""Users spread over the servers of a Citus cluster: where each table lies, and bringing it there.

What belongs to one person lies with that person, all of it on one server. What is one for everybody
and written in one order (stock, the line of events, feed, log, books) stays on the coordinator.
The catalogue, which everybody's statements may need, is whole on every server.

Everything is known to Citus, also what stays: only so does it commit in two phases where a
transaction writes on the coordinator and on another server. Otherwise a crash between the two
commits would leave half an opening.
"""

from collections.abc import Callable, Mapping
from typing import ClassVar, Final, Literal

import asyncpg

from packhouse.foundation.errors import Refusal

Place = Literal["with its user", "on every server", "on the coordinator"]

USER_COLUMNS: Final[Mapping[str, str]] = {
    "users": "id",
    "wallets": "user_id",
    "ledger_entries": "user_id",
    "top_ups": "user_id",
    "seed_pairs": "user_id",
    "openings": "user_id",
    "user_cards": "user_id",
    "shipping_requests": "user_id",
    "shipping_request_items": "user_id",
    "shipping_request_events": "user_id",
    "idempotency_keys": "user_id",
    "sell_back_notices": "user_id",
}
"""Tables that lie with their user, and the column that names them; ``users`` is the first."""

ON_EVERY_SERVER: Final = ("packs", "cards", "pack_drafts", "pack_versions", "pack_pauses")
"""In the order of their foreign keys."""

_TABLES = """
SELECT relname AS name
FROM pg_class
WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
    AND NOT EXISTS (SELECT FROM pg_dist_shard WHERE relname LIKE '%' || '_' || shardid)
ORDER BY relname
"""

_IS_PLACED = """
SELECT EXISTS (SELECT FROM pg_dist_partition WHERE logicalrelid = to_regclass($1::text))
"""


class NoCluster(Refusal):
    """The database is not the coordinator of a Citus cluster."""

    code: ClassVar[str] = "no_cluster"


def place_of(table: str) -> Place:
    """Where a table lies; whatever nobody named stays on the coordinator."""
    if table in USER_COLUMNS:
        return "with its user"
    return "on every server" if table in ON_EVERY_SERVER else "on the coordinator"


async def distribute(connection: asyncpg.Connection, *, announce: Callable[[str], None]) -> int:
    """Bring every table to its place; gives how many were moved, 0 when all are where they belong.

    One table at a time, each wholly or not at all, so that a run that was cut short goes on where
    it ended. Rows of a table that moves cannot be written meanwhile: the shop must not run.
    Raises ``NoCluster``.
    """
    await _require_cluster(connection)
    await connection.execute("SET statement_timeout = 0")
    moved = 0
    for table in (*ON_EVERY_SERVER, *USER_COLUMNS):
        moved += await _bring(connection, table, announce=announce)
    # Afterwards, because what refers to the catalogue by a foreign key is brought along with it.
    for row in await connection.fetch(_TABLES):
        moved += await _bring(connection, row["name"], announce=announce)
    return moved


async def _bring(
    connection: asyncpg.Connection, table: str, *, announce: Callable[[str], None]
) -> bool:
    if await connection.fetchval(_IS_PLACED, table):
        return False
    announce(f"{table} goes {place_of(table)}.")
    await connection.execute(_statement_for(table))
    return True


def _statement_for(table: str) -> str:
    if table in ON_EVERY_SERVER:
        return f"SELECT create_reference_table('{table}')"
    if table in USER_COLUMNS:
        beside = "none" if table == "users" else "users"
        column = USER_COLUMNS[table]
        return (
            f"SELECT create_distributed_table('{table}', '{column}', colocate_with => '{beside}')"
        )
    return f"SELECT citus_add_local_table_to_metadata('{table}')"


async def _require_cluster(connection: asyncpg.Connection) -> None:
    if await connection.fetchval("SELECT to_regclass('pg_dist_node')") is None:
        raise NoCluster(
            "This database has no Citus. Create the extension citus in it on every server, name the"
            " coordinator by citus_set_coordinator_host, and add the workers by citus_add_node."
        )
    workers = "SELECT count(*) FROM pg_dist_node WHERE isactive AND shouldhaveshards"
    coordinator = "SELECT count(*) FROM pg_dist_node WHERE groupid = 0"
    if not await connection.fetchval(workers) or not await connection.fetchval(coordinator):
        raise NoCluster(
            "The cluster has no worker yet, or its coordinator no name: citus_add_node adds one,"
            " citus_set_coordinator_host gives the other."
        )
