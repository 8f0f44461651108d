"""The schema is what ``schema.sql`` says, can be sharded by user, and names everything alike."""

import subprocess
from collections.abc import AsyncIterator
from importlib.resources import files
from typing import Final

import asyncpg
import pytest

from packhouse.plumbing.embedded.programs import get_postgres_clients
from packhouse.plumbing.job_schema import PGQUEUER_VERSION, read_job_queue_state
from packhouse.plumbing.jobs import JOBS_SCHEMA, NAMES
from packhouse.plumbing.sharding import ON_EVERY_SERVER, USER_COLUMNS, place_of
from worlds.simulated_shop import ServersToUse, drop_database

OWNED_BY_A_USER: Final = (
    "wallets",
    "ledger_entries",
    "top_ups",
    "seed_pairs",
    "openings",
    "user_cards",
    "sell_back_notices",
    "shipping_requests",
    "shipping_request_items",
    "shipping_request_events",
    "idempotency_keys",
    "outbox",
)

REFERENCE_TABLES: Final = ("cards", "packs", "pack_versions")
"""Small tables that would be whole on every shard."""

IN_ONE_ORDER_FOR_EVERYBODY: Final = ("outbox", "stock_items", "global_feed", "log_leaves")
"""What a cluster keeps on its coordinator, the line of events too, though its rows are users'."""

FOUND_WITHOUT_A_USER: Final = {
    "user_emails": "unique over all shards by its value",
    "user_names": "unique over all shards by its value",
    "sessions": "a request brings nothing but the token",
    "feed_erasures": "the sweep takes any of the few that there are",
    "receipts": "looked up by its public id",
    "request_directory": "looked up by its public id",
}
"""Tables with a ``user_id`` that are keyed by something else, and why."""

NAMED_BY_THE_PLAN: Final = {
    "idx_user_cards_user_id": ("user_cards", "user_id"),
    "idx_user_cards_tier": ("user_cards", "tier"),
    "idx_user_cards_created_at": ("user_cards", "created_at"),
    "idx_global_feed_tier": ("global_feed", "tier"),
    "idx_global_feed_created_at": ("global_feed", "created_at"),
    "idx_shipping_requests_user_id": ("shipping_requests", "user_id"),
    "idx_shipping_requests_status": ("shipping_requests", "status"),
}
"""Index: its table, and the column it leads with."""


@pytest.fixture
async def migrated(servers: ServersToUse, template: str) -> AsyncIterator[asyncpg.Connection]:
    """The database that the migrations make; nobody writes to it."""
    connection = await asyncpg.connect(servers.url_of(template))
    yield connection
    await connection.close()


async def test_the_schema_to_read_is_what_the_migrations_make(
    servers: ServersToUse, template: str
) -> None:
    admin = await asyncpg.connect(servers.admin_url)
    await admin.execute("CREATE DATABASE schema_to_read TEMPLATE template0")
    await admin.close()
    connection = await asyncpg.connect(servers.url_of("schema_to_read"))
    await connection.execute((files("packhouse.schema") / "schema.sql").read_text(encoding="utf-8"))
    await connection.close()
    read, made = (dump(servers.url_of(name)) for name in ("schema_to_read", template))
    await drop_database(servers, "schema_to_read")
    assert read == made


async def test_the_job_queue_is_what_the_installed_pgqueuer_declares(
    migrated: asyncpg.Connection,
) -> None:
    state = await read_job_queue_state(migrated)
    assert (state.installed, state.pending) == (PGQUEUER_VERSION, ())


async def test_the_job_queue_keeps_to_its_own_schema(migrated: asyncpg.Connection) -> None:
    rows = await migrated.fetch(
        "SELECT nspname || '.' || relname AS name FROM pg_class"
        " JOIN pg_namespace ON pg_namespace.oid = relnamespace"
        " WHERE relkind = 'r' AND relname LIKE 'pgqueuer%'"
    )
    named = NAMES.qualified
    assert {row["name"] for row in rows} == {
        named.queue_table,
        named.queue_table_log,
        named.schedules_table,
        named.statistics_table,
    }
    assert {row["name"].partition(".")[0] for row in rows} == {JOBS_SCHEMA}


async def test_everything_of_a_user_is_keyed_by_the_user_first(
    migrated: asyncpg.Connection,
) -> None:
    rows = await migrated.fetch(
        "SELECT c.relname AS table, i.relname AS index, x.indisprimary AS primary,"
        " a.attname AS first"
        " FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid"
        " JOIN pg_class c ON c.oid = x.indrelid"
        " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = x.indkey[0]"
        " WHERE x.indisunique AND c.relname = ANY ($1)",
        list(OWNED_BY_A_USER),
    )
    assert {row["table"] for row in rows if row["primary"]} == set(OWNED_BY_A_USER)
    assert [row["index"] for row in rows if row["first"] != "user_id"] == []


async def test_a_table_with_a_user_belongs_to_the_user_or_says_why_not(
    migrated: asyncpg.Connection,
) -> None:
    rows = await migrated.fetch(
        "SELECT table_name FROM information_schema.columns"
        " WHERE table_schema = 'public' AND column_name = 'user_id'"
    )
    assert {row["table_name"] for row in rows} == {*OWNED_BY_A_USER, *FOUND_WITHOUT_A_USER}


async def test_foreign_keys_of_users_tables_stay_on_their_shard(
    migrated: asyncpg.Connection,
) -> None:
    rows = await migrated.fetch(
        "SELECT f.conname, c.relname AS from_table, t.relname AS to_table, a.attname AS first"
        " FROM pg_constraint f JOIN pg_class c ON c.oid = f.conrelid"
        " JOIN pg_class t ON t.oid = f.confrelid"
        " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = f.conkey[1]"
        " WHERE f.contype = 'f'"
    )
    for row in rows:
        if row["from_table"] in OWNED_BY_A_USER and row["to_table"] not in REFERENCE_TABLES:
            assert row["to_table"] in OWNED_BY_A_USER, row["conname"]
            assert row["first"] == "user_id", row["conname"]
        # Copies are claimed and pulls are shown without a look at users' tables.
        if row["from_table"] in ("stock_items", "global_feed"):
            assert row["to_table"] not in OWNED_BY_A_USER, row["conname"]


async def test_every_table_has_a_place_on_a_cluster(migrated: asyncpg.Connection) -> None:
    rows = await migrated.fetch(
        "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
    )
    tables = {row["relname"] for row in rows}
    with_their_user = {"users", *OWNED_BY_A_USER} - set(IN_ONE_ORDER_FOR_EVERYBODY)
    assert set(USER_COLUMNS) == with_their_user
    assert set(USER_COLUMNS) | set(ON_EVERY_SERVER) <= tables
    assert {place_of(table) for table in IN_ONE_ORDER_FOR_EVERYBODY} == {"on the coordinator"}


async def test_a_foreign_key_leads_to_where_its_row_is(migrated: asyncpg.Connection) -> None:
    rows = await migrated.fetch(
        "SELECT conname, conrelid::regclass::text AS child, confrelid::regclass::text AS parent"
        " FROM pg_constraint WHERE contype = 'f' AND connamespace = 'public'::regnamespace"
    )
    assert rows
    for row in rows:
        parent = place_of(row["parent"])
        assert parent in {"on every server", place_of(row["child"])}, row["conname"]


async def test_what_lies_with_its_user_is_unique_within_the_user(
    migrated: asyncpg.Connection,
) -> None:
    rows = await migrated.fetch(
        "SELECT i.relname AS index, c.relname AS table, a.attname AS first"
        " FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid"
        " JOIN pg_class c ON c.oid = x.indrelid"
        " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = x.indkey[0]"
        " WHERE x.indisunique AND c.relname = ANY ($1)",
        list(USER_COLUMNS),
    )
    assert {row["table"] for row in rows} == set(USER_COLUMNS)
    assert [row["index"] for row in rows if row["first"] != USER_COLUMNS[row["table"]]] == []


async def test_nothing_happens_behind_a_statements_back(migrated: asyncpg.Connection) -> None:
    hidden = await migrated.fetch(
        "SELECT tgname AS name FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid"
        "  WHERE NOT tgisinternal AND relnamespace = 'public'::regnamespace"
        " UNION ALL SELECT relname FROM pg_class"
        "  WHERE relkind = 'S' AND relnamespace = 'public'::regnamespace"
        " UNION ALL SELECT attrelid::regclass || '.' || attname"
        "  FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid"
        "  WHERE (attidentity <> '' OR attgenerated <> '')"
        "   AND relnamespace = 'public'::regnamespace"
        " UNION ALL SELECT rulename FROM pg_rules WHERE schemaname = 'public'"
        " UNION ALL SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace"
    )
    assert [row["name"] for row in hidden] == []


async def test_the_named_indexes_are_there_and_lead_with_their_column(
    migrated: asyncpg.Connection,
) -> None:
    rows = await migrated.fetch(
        "SELECT i.relname AS index, c.relname AS table, a.attname AS first"
        " FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid"
        " JOIN pg_class c ON c.oid = x.indrelid"
        " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = x.indkey[0]"
        " WHERE x.indisvalid AND x.indisready AND i.relname = ANY ($1)",
        list(NAMED_BY_THE_PLAN),
    )
    assert {row["index"]: (row["table"], row["first"]) for row in rows} == NAMED_BY_THE_PLAN


async def test_constraints_and_indexes_are_named_for_their_table_and_columns(
    migrated: asyncpg.Connection,
) -> None:
    rows = await migrated.fetch(
        "SELECT conname AS name, conrelid::regclass::text AS table, contype::text AS kind,"
        "  ARRAY (SELECT attname::text FROM pg_attribute a"
        "         WHERE a.attrelid = conrelid AND a.attnum = ANY (conkey)) AS columns"
        " FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND contype <> 'n'"
        " UNION ALL SELECT i.relname, x.indrelid::regclass::text,"
        "  CASE WHEN x.indisunique THEN 'u' ELSE 'i' END,"
        "  ARRAY (SELECT attname::text FROM pg_attribute a"
        "         WHERE a.attrelid = x.indrelid AND a.attnum = ANY (x.indkey))"
        " FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid"
        " WHERE i.relnamespace = 'public'::regnamespace"
        "  AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = i.oid)"
    )
    endings = {"p": "pkey", "u": "key", "c": "check", "f": "fkey", "i": "idx"}
    assert len(rows) > len(OWNED_BY_A_USER)
    for row in rows:
        name, table, ending = row["name"], row["table"], endings[row["kind"]]
        if name in NAMED_BY_THE_PLAN:
            continue
        assert name.startswith(f"{table}_"), name
        assert name.endswith(f"_{ending}"), name
        middle = name[len(table) + 1 : -len(ending)].rstrip("_")
        if row["kind"] != "p":
            assert any(middle.startswith(column) for column in row["columns"]), name


def dump(url: str) -> list[str]:
    """The schema as ``pg_dump`` writes it, without what differs from run to run."""
    done = subprocess.run(
        [
            get_postgres_clients() / "pg_dump",
            "--schema-only",
            "--no-owner",
            # Who may do what is in grants.sql, and has its own test.
            "--no-privileges",
            "--exclude-table=schema_migrations",
            f"--exclude-schema={JOBS_SCHEMA}",
            f"--dbname={url}",
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    noise = ("--", "\\restrict", "\\unrestrict")
    return [line for line in done.stdout.splitlines() if line and not line.startswith(noise)]
