"""Every named query fits the real schema, is used, and keeps the rules of sharding."""

import ast
import re
from collections.abc import AsyncIterator, Iterator
from importlib import import_module
from pathlib import Path
from typing import Final

import asyncpg
import msgspec
import pytest

import packhouse
from packhouse.accounts import SessionUser
from packhouse.plumbing.postgres import prepare_connection
from packhouse.plumbing.queries import load_queries
from packhouse.vault import UserCard
from worlds.simulated_shop import ServersToUse

ROOT: Final = Path(packhouse.__file__).parent

QUERIES: Final = {
    f"{path.parent.name}.{name}": statement
    for path in sorted(ROOT.rglob("queries.sql"))
    for name, statement in load_queries(f"packhouse.{path.parent.name}").items()
}

OF_A_USER: Final = re.compile(
    r"\b(wallets|ledger_entries|top_ups|seed_pairs|openings|user_cards|sell_back_notices|shipping_requests"
    r"|shipping_request_items|shipping_request_events|idempotency_keys|outbox)\b"
)

ACROSS_USERS: Final = {
    "wallet.check_ledger": "a law over everybody's money",
    "vault.check_card_places": "a law over everybody's cards",
    "feed.check_feed": "a law over everybody's pulls",
    "accounts.check_closed_accounts": "a law over everybody's accounts",
    "drawlog.check_stock": "a law over everybody's draws",
    "draws.list_due_seed_pairs": "the sweep's search, by a small index of its own",
    "readiness.find_oldest_event": "how long the relay's line is, for a report",
    "plumbing.find_waiting_event": "the outbox is short; what is asked for has no user yet",
    "vault.list_users_with_ending": "whom to tell of an hour's cards, found by their age",
    "vault.delete_old_sell_back_notices": "what is over, by a job, once a day",
    "shipping.list_shipping_queue": "staff's queue",
    "shipping.list_all_shipping_requests": "staff's list",
    "shipping.count_shipping_requests": "staff's tabs",
}
"""Queries of users' tables that ask for no user, and why they may."""

VOLATILE: Final = re.compile(
    r"\b(random|clock_timestamp|timeofday|gen_random_uuid|uuidv4|uuidv7|nextval|currval|setval"
    r"|now|current_timestamp|pg_sleep)\b\s*\(?",
    re.IGNORECASE,
)

QUERY_HEADER: Final = re.compile(r"^-- name: (\w+)\n((?:--.*\n)*)", re.MULTILINE)


@pytest.fixture
async def migrated(servers: ServersToUse, template: str) -> AsyncIterator[asyncpg.Connection]:
    """The database that the migrations make; nobody writes to it."""
    connection = await asyncpg.connect(servers.url_of(template))
    await prepare_connection(connection)
    yield connection
    await connection.close()


async def test_every_query_prepares_against_the_schema(migrated: asyncpg.Connection) -> None:
    assert len(QUERIES) > 100
    for name, statement in QUERIES.items():
        try:
            await migrated.prepare(statement)
        except asyncpg.PostgresError as error:
            pytest.fail(f"{name} does not prepare: {error}")


@pytest.mark.parametrize(
    ("query", "leading", "struct"),
    [
        ("accounts.list_sessions", ("token_hash",), SessionUser),
        ("vault.list_user_cards", (), UserCard),
        ("vault.list_user_cards_by_newest", (), UserCard),
        ("vault.list_user_cards_by_value", (), UserCard),
        ("vault.list_user_cards_of_tier_by_newest", (), UserCard),
    ],
)
async def test_rows_that_are_read_by_place_have_the_fields_of_their_struct_in_order(
    migrated: asyncpg.Connection, query: str, leading: tuple[str, ...], struct: type[msgspec.Struct]
) -> None:
    prepared = await migrated.prepare(QUERIES[query])
    columns = tuple(column.name for column in prepared.get_attributes())
    assert columns == (*leading, *struct.__struct_fields__)


def test_every_query_is_used_and_none_is_asked_for_in_vain() -> None:
    asked = {
        f"{path.relative_to(ROOT).parts[0]}.{name}"
        for path in ROOT.rglob("*.py")
        for name in re.findall(r"QUERIES\[\s*\"(\w+)\"", path.read_text())
    }
    asked |= {
        f"{path.relative_to(ROOT).parts[0]}.{name}"
        for path in ROOT.rglob("*.py")
        for chosen in re.findall(r"QUERIES\[(\"\w+\" if \w+ else \"\w+\")\]", path.read_text())
        for name in re.findall(r"\"(\w+)\"", chosen)
    }
    assert asked == set(QUERIES)


@pytest.mark.parametrize("path", sorted(ROOT.rglob("queries.sql")), ids=lambda p: p.parent.name)
def test_every_query_says_what_it_is_for(path: Path) -> None:
    found = QUERY_HEADER.findall(path.read_text())
    assert len(found) == len(load_queries(f"packhouse.{path.parent.name}"))
    assert [name for name, comment in found if not comment.strip("- \n")] == []


def test_a_query_is_named_for_the_lock_it_takes() -> None:
    for name, statement in QUERIES.items():
        verb = name.partition(".")[2]
        if verb.startswith("lock_"):
            assert "FOR UPDATE" in statement, name
        if "SKIP LOCKED" in statement or "pg_try_advisory" in statement:
            assert verb.startswith("claim_"), name


def test_users_tables_are_asked_for_by_user() -> None:
    for name, statement in QUERIES.items():
        if OF_A_USER.search(statement) and name not in ACROSS_USERS:
            assert re.search(r"\buser_id\b", statement), f"{name} asks for no user"
    assert ACROSS_USERS.keys() <= QUERIES.keys()


def test_stock_and_feed_are_not_joined_to_users_tables() -> None:
    for name, statement in QUERIES.items():
        if re.search(r"\b(stock_items|global_feed)\b", statement) and name not in ACROSS_USERS:
            assert not OF_A_USER.search(statement), f"{name} joins across shards"


def test_writes_are_plain_statements_that_any_shard_can_run() -> None:
    for name, statement in QUERIES.items():
        assert not re.search(r"\bMERGE\b", statement, re.IGNORECASE), f"{name}: no MERGE"
        if re.match(r"(?:WITH|INSERT|UPDATE|DELETE)\b", statement):
            where = statement.partition("WHERE")[2]
            assert not VOLATILE.search(where), f"{name}: a volatile function in WHERE"


async def test_what_a_query_gives_is_what_its_struct_takes(migrated: asyncpg.Connection) -> None:
    checked = 0
    for module, name, struct in rows_made_into_structs():
        statement = await migrated.prepare(QUERIES[f"{module.split('.')[1]}.{name}"])
        columns = {attribute.name for attribute in statement.get_attributes()}
        kind = getattr(import_module(module), struct)
        assert columns == set(kind.__struct_fields__), (
            f"{module}: {name} gives other columns than {struct} has fields"
        )
        checked += 1
    assert checked >= 25


def rows_made_into_structs() -> Iterator[tuple[str, str, str]]:
    """Module, query and struct of each function that makes rows of one query into ``X(**row)``."""
    for path in sorted(ROOT.rglob("*.py")):
        module = ".".join(("packhouse", *path.relative_to(ROOT).with_suffix("").parts))
        for function in ast.walk(ast.parse(path.read_text())):
            if not isinstance(function, ast.AsyncFunctionDef):
                continue
            structs = {
                call.func.id
                for call in ast.walk(function)
                if isinstance(call, ast.Call)
                and isinstance(call.func, ast.Name)
                and [word.arg for word in call.keywords] == [None]
                and not call.args
            }
            names = {
                key.slice.value
                for key in ast.walk(function)
                if isinstance(key, ast.Subscript)
                and isinstance(key.value, ast.Name)
                and key.value.id == "QUERIES"
                and isinstance(key.slice, ast.Constant)
            }
            if len(structs) == 1:
                yield from ((module, str(name), next(iter(structs))) for name in names)
