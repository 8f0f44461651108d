"""What PostgreSQL itself counted: the statements of a scenario, by ``pg_stat_statements``."""

from typing import Final

from packhouse.bench.model import StatementTimes
from packhouse.plumbing.postgres import Connection

TOP: Final = 15
P95_DEVIATIONS: Final = 1.645
"""So many standard deviations above its mean lies the 95th percentile of a normal distribution."""

_TOP_STATEMENTS: Final = """
SELECT s.query, s.calls, s.mean_exec_time, s.stddev_exec_time, s.max_exec_time, s.total_exec_time,
       s.rows, s.shared_blks_hit + s.shared_blks_read AS buffers
FROM pg_stat_statements AS s
JOIN pg_database AS d ON d.oid = s.dbid
WHERE d.datname = current_database() AND s.toplevel
ORDER BY s.total_exec_time DESC
LIMIT $1
"""


async def prepare_statements(connection: Connection) -> bool:
    """Let this database tell what is counted; False where the server does not let us."""
    if not await is_superuser(connection):
        return False
    preloaded = await connection.fetchval("SHOW shared_preload_libraries")
    if "pg_stat_statements" not in preloaded:
        return False
    await connection.execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
    return True


async def is_superuser(connection: Connection) -> bool:
    """Whether our role may do everything on its server, as on an embedded one."""
    return bool(await connection.fetchval("SELECT current_setting('is_superuser') = 'on'"))


async def reset_statements(connection: Connection) -> None:
    """Begin to count anew, in every database."""
    await connection.execute("SELECT pg_stat_statements_reset()")


async def list_top_statements(connection: Connection) -> list[StatementTimes]:
    """Those of this database that took the most time, of the shop and of pgbench alike."""
    rows = await connection.fetch(_TOP_STATEMENTS, TOP)
    return [
        StatementTimes(
            statement=" ".join(row["query"].split()),
            calls=row["calls"],
            mean_ms=row["mean_exec_time"],
            p95_ms=min(
                row["max_exec_time"],
                row["mean_exec_time"] + P95_DEVIATIONS * row["stddev_exec_time"],
            ),
            max_ms=row["max_exec_time"],
            total_ms=row["total_exec_time"],
            rows=row["rows"],
            buffers=row["buffers"],
        )
        for row in rows
    ]
