"""Checks of PostgreSQL: what is there, what it is set to, and whether every law holds."""

import time
from typing import Final

from packhouse.flows.check_laws import check_laws
from packhouse.plumbing.postgres import Connection
from packhouse.plumbing.queries import load_queries
from packhouse.plumbing.schema_state import read_queue_state, read_schema_state
from packhouse.plumbing.settings import require_setting
from packhouse.readiness.model import Seen, failed, judged, passed, sentence_of
from packhouse.readiness.shop import Shop

QUERIES = load_queries("packhouse.readiness")

PLANNED_INDEXES: Final = (
    "idx_user_cards_user_id",
    "idx_user_cards_tier",
    "idx_user_cards_created_at",
    "idx_shipping_requests_user_id",
    "idx_shipping_requests_status",
    "idx_global_feed_tier",
    "idx_global_feed_created_at",
)
"""The seven that the plan names."""
DURABLE: Final = ("fsync", "full_page_writes", "synchronous_commit")
RESERVED_CONNECTIONS: Final = 10
"""For superusers, migrations, backups and people who look."""
EVENT_SECONDS_MAX: Final = 10.0
RELAY_LOOK_SECONDS_MAX: Final = 10.0
SLOW_MS: Final = 100.0
SLOW_CALLS_MIN: Final = 20
DEAD_SHARE_MAX: Final = 0.3
DEAD_ROWS_MIN: Final = 10_000

# Not in queries.sql, whose statements all prepare against the shop's schema: this view belongs to
# an extension that only a superuser may create.
_SLOW_STATEMENTS: Final = """
SELECT query, calls, mean_exec_time AS mean_ms
FROM pg_stat_statements
WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND mean_exec_time > $1 AND calls >= $2
ORDER BY mean_exec_time DESC
LIMIT 20
"""


async def see_migrations(shop: Shop) -> Seen:
    """Every migration of this version has run, in its own words, and the job queue is there."""
    url = require_setting(shop.settings.database_url, name="database_url").reveal()
    states = await read_schema_state(url)
    queue = await read_queue_state(url)
    wrong = [each.title for each in states if each.state != "applied"]
    if not queue.is_up_to_date:
        wrong.append(f"the job queue of PgQueuer {queue.needed}")
    if wrong:
        return failed(f"Pending or changed: {', '.join(wrong)}.")
    return passed(
        f"All {len(states)} migrations have run; the job queue is PgQueuer {queue.installed}'s."
    )


async def see_indexes_exist(shop: Shop) -> Seen:
    """The plan's seven indexes are there, and valid."""
    async with shop.house.database.connection() as connection:
        found = {row["name"] for row in await connection.fetch(QUERIES["list_valid_indexes"])}
    missing = [name for name in PLANNED_INDEXES if name not in found]
    if missing:
        return failed(f"Missing or invalid: {', '.join(missing)}.")
    return passed(f"All seven of the plan are there, among {len(found)}.")


async def see_indexes_used(shop: Shop) -> Seen:
    """How often each of the seven was used since the statistics began; told, not judged."""
    async with shop.house.database.connection() as connection:
        rows = await connection.fetch(QUERIES["list_index_scans"], list(PLANNED_INDEXES))
    told = ", ".join(f"{row['name'].removeprefix('idx_')} {row['scans']:,}" for row in rows)
    return passed(f"Times used: {told}.")


async def see_durability(shop: Shop) -> Seen:
    """What is answered is on disk."""
    async with shop.house.database.connection() as connection:
        rows = await connection.fetch(QUERIES["list_server_settings"], list(DURABLE))
    values = {row["name"]: row["setting"] for row in rows}
    wrong = [f"{name} = {values.get(name)}" for name in DURABLE if values.get(name) == "off"]
    told = ", ".join(f"{name} = {value}" for name, value in sorted(values.items()))
    return failed(f"{', '.join(wrong)}.") if wrong else passed(f"{told}.")


async def see_pool_fits(shop: Shop) -> Seen:
    """The hosts that are connected could all fill their pools at once."""
    async with shop.house.database.connection() as connection:
        (row,) = await connection.fetch(QUERIES["count_connections"])
    hosts = max(1, row["hosts"])
    wanted = hosts * shop.settings.database_pool_size + RESERVED_CONNECTIONS
    return judged(
        f"{hosts} host(s) with a pool of {shop.settings.database_pool_size} and"
        f" {RESERVED_CONNECTIONS} in reserve want {wanted} of {row['allowed']} connections;"
        f" {row['used']} are open.",
        holds=wanted <= row["allowed"],
    )


async def see_laws(shop: Shop) -> Seen:
    """Every law, over the whole database."""
    findings = await check_laws(shop.house)
    broken = [finding for finding in findings if not finding.holds]
    if broken:
        return failed(" ".join(f"{each.law}: {each.evidence}" for each in broken))
    return passed(f"All {len(findings)} laws hold in the whole database.")


async def see_worker_runs(shop: Shop) -> Seen:
    """Events do not wait: the relay takes them within seconds."""
    async with shop.house.database.connection() as connection:
        (row,) = await connection.fetch(QUERIES["find_oldest_event"])
        is_at_work = await _sees_relay(connection)
    age = float(row["age_seconds"])
    return judged(
        f"{row['waiting']:,} events wait, the oldest for {age:.1f} s; a relay is"
        f" {'at work' if is_at_work else 'nowhere to be seen'}.",
        holds=is_at_work and age < EVENT_SECONDS_MAX,
    )


async def _sees_relay(connection: Connection) -> bool:
    """Look until the relay's lock is seen: it is held for a part of each twentieth of a second."""
    until = time.monotonic() + RELAY_LOOK_SECONDS_MAX
    while time.monotonic() < until:
        if await connection.fetchval(QUERIES["is_relay_at_work"]):
            return True
    return False


async def see_slow_statements(shop: Shop) -> Seen:
    """No statement of the shop's is slow on average, by PostgreSQL's own count."""
    async with shop.house.database.connection() as connection:
        if not await _has_statements(connection):
            return failed("pg_stat_statements is not there to tell.")
        rows = await connection.fetch(_SLOW_STATEMENTS, SLOW_MS, SLOW_CALLS_MIN)
    if not rows:
        return passed(f"None takes over {SLOW_MS:.0f} ms on average.")
    worst = rows[0]
    text = " ".join(worst["query"].split())[:120]
    return failed(
        f"{len(rows)} take over {SLOW_MS:.0f} ms on average; the worst {worst['mean_ms']:.0f} ms in"
        f" {worst['calls']:,} calls: {text}"
    )


async def see_bloat(shop: Shop) -> Seen:
    """Dead rows are cleaned away faster than they come."""
    async with shop.house.database.connection() as connection:
        rows = await connection.fetch(QUERIES["list_dead_rows"], DEAD_ROWS_MIN)
    wrong = [row for row in rows if row["dead"] > DEAD_SHARE_MAX * (row["dead"] + row["live"])]
    if wrong:
        told = ", ".join(f"{row['name']} {row['dead']:,} of {row['live']:,}" for row in wrong)
        return failed(f"Dead rows beside living ones: {told}.")
    return passed(f"No table has over {DEAD_ROWS_MIN:,} dead rows that are {DEAD_SHARE_MAX:.0%}.")


async def see_table_growth(shop: Shop) -> Seen:
    """The largest tables, and how many pulls came in a day; told, not judged."""
    async with shop.house.database.connection() as connection:
        rows = await connection.fetch(QUERIES["list_largest_tables"])
        pulls = await connection.fetchval(QUERIES["count_pulls_of_day"], shop.house.clock())
    told = ", ".join(f"{row['name']} {row['bytes'] / 2**20:,.0f} MiB" for row in rows)
    return passed(f"{told}; {pulls:,} pulls in the last day.")


async def see_secrets(shop: Shop) -> Seen:
    """No secret of the demo or of a hand-book opens anything here."""
    settings = shop.settings
    wrong = []
    key = require_setting(settings.seed_key, name="seed_key").reveal()
    if len(set(key)) < 8:
        wrong.append("PACKHOUSE_SEED_KEY is hardly random")
    url = require_setting(settings.database_url, name="database_url").reveal()
    if any(f":{word}@" in url for word in ("postgres", "packhouse", "password", "")):
        wrong.append("the database's password can be guessed")
    if not shop.is_embedded and (settings.demo_accounts or settings.payment_provider == "demo"):
        wrong.append("demo accounts or payments are on")
    if wrong:
        return failed(sentence_of(wrong))
    if shop.is_embedded and settings.demo_accounts:
        return passed("Keys and passwords are made up here; demo accounts exist, on purpose.")
    return passed("Keys are random, no demo account exists, no password can be guessed.")


async def _has_statements(connection: Connection) -> bool:
    return bool(await connection.fetchval(QUERIES["has_statement_times"]))
