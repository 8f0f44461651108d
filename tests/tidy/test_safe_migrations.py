"""Every migration can run beside the running shop, and says what it does to it.

A table that the same file makes is nobody's yet; everything else is in use.
"""

import re
from importlib.resources import files
from typing import Final

import pytest

from packhouse.plumbing.migrations import Migration, list_migrations, parse_migration

HEADER: Final = re.compile(r"^-- (What|Why|Locks|Duration): \S", re.MULTILINE)

NAMED_BY_THE_PLAN: Final = (
    "idx_user_cards_user_id",
    "idx_user_cards_tier",
    "idx_user_cards_created_at",
    "idx_global_feed_tier",
    "idx_global_feed_created_at",
    "idx_shipping_requests_user_id",
    "idx_shipping_requests_status",
)

STOPS_THE_SHOP: Final = {
    r"^CREATE (UNIQUE )?INDEX (?!CONCURRENTLY)": "builds an index under a lock; say CONCURRENTLY",
    r"^DROP INDEX (?!CONCURRENTLY)": "drops an index under a lock; say CONCURRENTLY",
    r"ALTER (COLUMN )?\w+ (SET DATA )?TYPE": "rewrites the table; add a column and backfill it",
    r"ALTER (COLUMN )?\w+ SET NOT NULL": "reads the whole table under a lock; add a CHECK first",
    r"ADD (COLUMN )?(IF NOT EXISTS )?\w+ (?!.*DEFAULT).*NOT NULL": "fails on a table with rows",
    r"DEFAULT \w*(random|uuidv7|uuidv4|gen_random_uuid|clock_timestamp)\w*\(": "rewrites the table",
    r"ADD CONSTRAINT(?!.*(NOT VALID|USING INDEX))": "checks each row under a lock; say NOT VALID",
    r"^(LOCK|CLUSTER|VACUUM FULL|REINDEX (?!.*CONCURRENTLY)|TRUNCATE)": "locks everybody out",
    r"\bRENAME (TO|COLUMN)\b": "breaks the version that still runs; expand, then contract",
    r"SET TABLESPACE|SET LOGGED|SET UNLOGGED": "rewrites the table",
}
"""What a statement must not do to a table in use, and what is wrong with it."""

TAKES_AWAY: Final = re.compile(r"^DROP (TABLE|VIEW|FUNCTION|TYPE)|\bDROP (COLUMN|DEFAULT)\b")
"""What code of the version before may still use."""

_MADE_TABLE: Final = re.compile(r"^CREATE TABLE (?:IF NOT EXISTS )?(\w+)", re.IGNORECASE)
_TOUCHED_TABLE: Final = re.compile(
    r"\b(?:ALTER TABLE(?: IF EXISTS)?(?: ONLY)?|ON|TABLE|CLUSTER|VACUUM FULL|TRUNCATE) (\w+)",
    re.IGNORECASE,
)


@pytest.mark.parametrize("migration", list_migrations(), ids=lambda migration: migration.name)
def test_a_migration_says_what_why_which_locks_and_how_long(migration: Migration) -> None:
    file = files("packhouse.schema") / "migrations" / f"{migration.number:04d}_{migration.name}.sql"
    head = file.read_text(encoding="utf-8").partition("\n\n")[0]
    assert HEADER.findall(head) == ["What", "Why", "Locks", "Duration"]


@pytest.mark.parametrize("migration", list_migrations(), ids=lambda migration: migration.name)
def test_a_migration_stops_nobody(migration: Migration) -> None:
    assert list_dangers(migration) == []


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE INDEX users_role_idx ON users (role)",
        "DROP INDEX users_role_idx",
        "ALTER TABLE wallets ALTER COLUMN balance TYPE numeric",
        "ALTER TABLE users ALTER email SET NOT NULL",
        "ALTER TABLE users ADD COLUMN country text NOT NULL",
        "ALTER TABLE users ADD COLUMN tag uuid NOT NULL DEFAULT gen_random_uuid()",
        "ALTER TABLE users ADD CONSTRAINT users_email_check CHECK (email <> '')",
        "LOCK TABLE users",
        "TRUNCATE users",
        "ALTER TABLE users RENAME COLUMN email TO mail",
    ],
)
def test_what_would_stop_the_shop_is_seen(statement: str) -> None:
    assert len(list_dangers(parse_migration("0009_bad.sql", statement))) == 1


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE INDEX CONCURRENTLY IF NOT EXISTS users_role_idx ON users (role)",
        "ALTER TABLE users ADD COLUMN country text",
        "ALTER TABLE users ADD COLUMN strikes integer NOT NULL DEFAULT 0",
        "ALTER TABLE users ADD CONSTRAINT users_email_check CHECK (email <> '') NOT VALID",
        "ALTER TABLE users VALIDATE CONSTRAINT users_email_check",
        "CREATE TABLE clubs (id uuid NOT NULL);\\nCREATE INDEX clubs_id_idx ON clubs (id)",
    ],
)
def test_what_is_safe_is_let_through(statement: str) -> None:
    migration = parse_migration("0009_good.sql", statement.replace("\\n", "\n"))
    assert list_dangers(migration) == []


@pytest.mark.parametrize("migration", list_migrations(), ids=lambda migration: migration.name)
def test_what_takes_something_away_says_whose_code_needed_it_last(migration: Migration) -> None:
    assert leaves_everybody_on_board(migration)


@pytest.mark.parametrize(
    ("text", "is_right"),
    [
        ("ALTER TABLE users DROP COLUMN motto", False),
        ("DROP TABLE mottos", False),
        ("-- Needs: 0010\nALTER TABLE users DROP COLUMN motto", True),
        # Nobody could run before and after it: whoever knows it was started after it was run.
        ("-- Needs: 0012\nDROP TABLE mottos", False),
        ("ALTER TABLE users DROP CONSTRAINT users_motto_check", True),
    ],
)
def test_a_contraction_that_would_leave_somebody_behind_is_seen(
    text: str, *, is_right: bool
) -> None:
    assert leaves_everybody_on_board(parse_migration("0012_contract.sql", text)) is is_right


def leaves_everybody_on_board(migration: Migration) -> bool:
    """Whether some version can run before and after a migration."""
    takes_away = any(TAKES_AWAY.search(each) for each in migration.statements)
    return migration.needs < migration.number and (migration.needs > 0 or not takes_away)


@pytest.mark.parametrize("index", NAMED_BY_THE_PLAN)
def test_the_plans_indexes_are_built_beside_the_running_shop(index: str) -> None:
    statements = [each for migration in list_migrations() for each in migration.statements]
    assert any(
        re.match(rf"CREATE INDEX CONCURRENTLY IF NOT EXISTS {index} ON ", each)
        for each in statements
    )


def list_dangers(migration: Migration) -> list[str]:
    """What is wrong with the statements of a migration, each with its statement."""
    made = {found[1] for each in migration.statements if (found := _MADE_TABLE.match(each))}
    dangers = []
    for statement in migration.statements:
        if _MADE_TABLE.match(statement):
            continue
        touched = _TOUCHED_TABLE.search(statement)
        if touched is not None and touched[1] in made:
            continue
        dangers += [
            f"{wrong}: {statement}"
            for pattern, wrong in STOPS_THE_SHOP.items()
            if re.search(pattern, statement, re.IGNORECASE | re.DOTALL)
        ]
    return dangers
