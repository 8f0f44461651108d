"""Every statement that the application owns finds its rows by an index, within a stated budget.

Each is run as the application runs it, prepared, on a shop big enough that the planner behaves as
in production; with the generic plan, which our connections keep, and with a custom one, which Citus
must be free to make. Its budget is pages of ``shared_buffers``, found there or not: they do not
depend on the machine.
"""

import asyncio
from collections.abc import AsyncIterator, Collection, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import msgspec
import pytest

import packhouse
from packhouse.bench.bulk import load_bulk, settle_bulk
from packhouse.bench.explain import (
    PLAN_MODES,
    Explained,
    PlanMode,
    explain_prepared,
    prepare_named,
)
from packhouse.plumbing.postgres import Connection, open_database
from packhouse.plumbing.queries import load_queries
from worlds.planned_shop import PAGE, SHOP, Case
from worlds.planned_statements import ACCOUNTS, CLOSING, FEED, PLUMBING, SHIPPING, VAULT, WALLET
from worlds.planned_things import BOUNDED_BY_A_LOT, CATALOG, DRAWLOG, DRAWS, WHOLE_TABLES
from worlds.simulated_shop import ServersToUse, drop_database

pytestmark = pytest.mark.xdist_group("plans")

ROOT: Final = Path(packhouse.__file__).parent
QUERIES: Final = {
    f"{path.parent.name}.{name}": statement
    for path in sorted(ROOT.rglob("queries.sql"))
    for name, statement in load_queries(f"packhouse.{path.parent.name}").items()
}
CASES: Final = (
    *(*ACCOUNTS, *WALLET, *VAULT, *SHIPPING, *FEED, *PLUMBING, *CLOSING),
    *(*CATALOG, *DRAWS, *DRAWLOG, *BOUNDED_BY_A_LOT, *WHOLE_TABLES),
)
LARGE_ROWS: Final = 2_000
DATABASE: Final = "shop_of_plans"


class Measured(msgspec.Struct, frozen=True):
    """One execution of a case."""

    case: Case
    mode: PlanMode
    explained: Explained


@pytest.fixture(scope="module")
def shop_url(servers: ServersToUse, template: str) -> Iterator[str]:
    """A database with the whole bulk shop; whoever writes to it rolls back."""
    asyncio.run(_make_shop(servers, template))
    yield servers.url_of(DATABASE)
    asyncio.run(drop_database(servers, DATABASE))


@pytest.fixture(scope="module")
def large_tables(shop_url: str) -> frozenset[str]:
    """Tables that grow with the shop: nothing may read one of them whole."""
    return asyncio.run(_list_large_tables(shop_url))


@pytest.fixture(scope="module")
def measured(shop_url: str) -> list[Measured]:
    """Every case in both modes; those that write come last, since what they leave is in the way.

    For the same reason whoever breaks something asks for this first.
    """
    return asyncio.run(_measure_all(shop_url))


def test_every_statement_has_a_case() -> None:
    assert {case.query for case in CASES} == set(QUERIES)


def test_a_whole_table_is_read_only_by_who_may(large_tables: frozenset[str]) -> None:
    assert {"user_cards", "global_feed", "stock_items", "ledger_entries", "outbox"} <= large_tables
    assert [str(case) for case in CASES if case.buffers is None and not case.because] == []


def test_no_statement_reads_a_large_table_whole_or_sorts_without_bound_or_exceeds_its_budget(
    measured: list[Measured], large_tables: frozenset[str]
) -> None:
    assert len(measured) == len(CASES) * len(PLAN_MODES)
    assert [wrong for each in measured for wrong in list_wrongs(each, large_tables)] == []


def test_what_is_asked_for_is_there_to_be_found(measured: list[Measured]) -> None:
    found = {str(each.case): each.explained.plan["Actual Rows"] for each in measured}
    pages = [rows for case, rows in found.items() if f", {PAGE}" in case]
    assert len(pages) > 20
    assert sum(rows == PAGE for rows in pages) > len(pages) / 2


async def test_the_application_keeps_its_plans(shop_url: str) -> None:
    async with connected(shop_url) as connection:
        assert await connection.fetchval("SHOW plan_cache_mode") == "force_generic_plan"


@pytest.mark.parametrize(
    ("index", "query"),
    [
        ("idx_global_feed_tier", "feed.list_newest_pulls_of_tier"),
        ("idx_user_cards_user_id", "vault.list_user_cards_by_value"),
        ("idx_shipping_requests_status", "shipping.list_shipping_queue"),
        ("stock_items_card_id_idx", "draws.count_copies_now"),
        ("outbox_id_idx", "plumbing.list_waiting_events"),
        ("outbox_subject_id_id_idx", "plumbing.find_waiting_event"),
        ("shipping_requests_id_idx", "shipping.list_all_shipping_requests"),
        ("sessions_expires_at_idx", "accounts.delete_expired_sessions"),
        ("seed_pairs_first_used_at_idx", "draws.list_due_seed_pairs"),
    ],
)
async def test_a_statement_without_its_index_is_found_out(
    index: str,
    query: str,
    shop_url: str,
    large_tables: frozenset[str],
    measured: list[Measured],
) -> None:
    async with connected(shop_url) as connection, undone(connection):
        await connection.execute(f"DROP INDEX {index}")
        wrongs = await list_wrongs_of(connection, {query}, large_tables)
    assert wrongs != []


async def test_the_relay_needs_no_statistics_of_a_line_that_was_empty_when_they_were_taken(
    shop_url: str, large_tables: frozenset[str], measured: list[Measured]
) -> None:
    of_the_outbox = {
        case.query
        for case in CASES
        if " outbox" in QUERIES[case.query] and case.buffers is not None
    }
    assert len(of_the_outbox) == 5
    async with connected(shop_url) as connection, undone(connection):
        await connection.execute("SELECT pg_clear_relation_stats('public', 'outbox')")
        await connection.execute("DELETE FROM pg_statistic WHERE starelid = 'outbox'::regclass")
        wrongs = await list_wrongs_of(connection, of_the_outbox, large_tables)
    assert wrongs == []


def list_wrongs(measured: Measured, large_tables: frozenset[str]) -> list[str]:
    """What is wrong with how a case was run, in sentences."""
    case, explained = measured.case, measured.explained
    if case.buffers is None:
        return []
    wrongs = []
    for node in explained.nodes():
        kind = node["Node Type"]
        if kind == "Seq Scan" and node["Relation Name"] in large_tables:
            wrongs.append(f"reads {node['Relation Name']} whole")
        if kind in {"Sort", "Incremental Sort"}:
            (below,) = (child for child in node["Plans"] if child["Parent Relationship"] == "Outer")
            rows = below["Actual Rows"] * below["Actual Loops"]
            if rows > case.sorts:
                wrongs.append(f"sorts {rows:,.0f} rows, {case.sorts:,} at the most")
    if explained.buffers > case.buffers:
        wrongs.append(f"reads {explained.buffers:,} pages, {case.buffers:,} at the most")
    return [f"{case}, {measured.mode}: {wrong}" for wrong in wrongs]


async def list_wrongs_of(
    connection: Connection, queries: Collection[str], large_tables: frozenset[str]
) -> list[str]:
    """What is wrong with some statements in both modes."""
    return [
        wrong
        for case in CASES
        if case.query in queries
        for mode in PLAN_MODES
        for wrong in list_wrongs(await measure(connection, case, mode), large_tables)
    ]


async def measure(connection: Connection, case: Case, mode: PlanMode) -> Measured:
    """Run a case and undo what it did."""
    await connection.execute(f"SET plan_cache_mode = {mode}")
    async with undone(connection):
        await prepare_named(connection, case.query, QUERIES[case.query])
        explained = await explain_prepared(connection, case.query, case.arguments)
    await connection.execute(f'DEALLOCATE "{case.query}"')
    return Measured(case, mode, explained)


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[Connection]:
    """A connection as the application's are, but without a statement timeout."""
    async with (
        open_database(
            url, pool_size=1, statement_timeout_ms=0, connect_timeout_seconds=10
        ) as database,
        database.connection() as connection,
    ):
        yield connection


@asynccontextmanager
async def undone(connection: Connection) -> AsyncIterator[None]:
    """A transaction, or a part of one, that is rolled back."""
    transaction = connection.transaction()
    await transaction.start()
    try:
        yield
    finally:
        await transaction.rollback()


async def _make_shop(servers: ServersToUse, template: str) -> None:
    async with connected(servers.admin_url) as admin:
        await admin.execute(f"CREATE DATABASE {DATABASE} TEMPLATE {template} STRATEGY wal_log")
    url = servers.url_of(DATABASE)
    async with connected(url) as connection, connected(url) as another:
        await load_bulk((connection, another), SHOP)
        await settle_bulk(connection)


async def _list_large_tables(url: str) -> frozenset[str]:
    async with connected(url) as connection:
        rows = await connection.fetch(
            "SELECT relname FROM pg_class WHERE relkind = 'r'"
            " AND relnamespace = 'public'::regnamespace AND reltuples > $1",
            LARGE_ROWS,
        )
    return frozenset(row["relname"] for row in rows)


async def _measure_all(url: str) -> list[Measured]:
    async with connected(url) as connection:
        return [
            await measure(connection, case, mode)
            for case in sorted(CASES, key=lambda case: _writes(QUERIES[case.query]))
            for mode in PLAN_MODES
        ]


def _writes(statement: str) -> bool:
    return not statement.startswith("SELECT") or "FOR UPDATE" in statement
