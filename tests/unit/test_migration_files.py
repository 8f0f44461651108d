"""Reading migration files, and the rules that every one of them keeps."""

import hashlib

import pytest

from packhouse.plumbing.migrations import Migration, list_migrations, parse_migration

TWO_TABLES = """-- What: two tables.
-- Why: a test.

CREATE TABLE one (
    id integer -- not a comment line
);

-- The other one.
CREATE TABLE two (id integer);
"""


def test_a_file_name_gives_number_and_name() -> None:
    migration = parse_migration("0012_add_two_tables.sql", TWO_TABLES)
    assert (migration.number, migration.name) == (12, "add_two_tables")


def test_statements_end_with_a_semicolon_at_the_end_of_a_line() -> None:
    assert parse_migration("0001_x.sql", TWO_TABLES).statements == (
        "CREATE TABLE one (\n    id integer -- not a comment line\n)",
        "CREATE TABLE two (id integer)",
    )


@pytest.mark.parametrize("ending", ["", "\n", ";", ";\n", ";\n\n", ";  \n", ";\r\n"])
def test_the_last_statement_ends_with_the_file(ending: str) -> None:
    statements = parse_migration("0001_x.sql", "SELECT 1;\nSELECT 2" + ending).statements
    assert statements == ("SELECT 1", "SELECT 2")


@pytest.mark.parametrize("gap", [";\n", "; \n", ";\t\n\n", ";\r\n", ";\n-- between\n"])
def test_blanks_after_a_semicolon_do_not_join_two_statements(gap: str) -> None:
    statements = parse_migration("0001_x.sql", f"SELECT 1{gap}SELECT 2;\n").statements
    assert statements == ("SELECT 1", "SELECT 2")


def test_a_semicolon_within_a_line_ends_nothing() -> None:
    assert parse_migration("0001_x.sql", "SELECT ';' AS mark;\n").statements == (
        "SELECT ';' AS mark",
    )


def test_a_file_shares_one_transaction_unless_its_first_line_says_no() -> None:
    assert parse_migration("0001_x.sql", TWO_TABLES).in_transaction
    assert parse_migration("0001_x.sql", "\n-- transaction: none\nSELECT 1;\n").in_transaction
    assert not parse_migration("0001_x.sql", "-- transaction: none\n" + TWO_TABLES).in_transaction


def test_a_file_is_known_again_by_the_hash_of_its_words() -> None:
    migration = parse_migration("0001_x.sql", TWO_TABLES)
    assert migration.sha256 == hashlib.sha256(TWO_TABLES.encode()).hexdigest()
    assert migration.sha256 != parse_migration("0001_x.sql", TWO_TABLES + "\n").sha256


def test_migrations_are_numbered_densely_from_one() -> None:
    assert [migration.number for migration in list_migrations()] == list(
        range(1, len(list_migrations()) + 1)
    )


@pytest.mark.parametrize("migration", list_migrations(), ids=lambda migration: migration.name)
def test_every_migration_does_something(migration: Migration) -> None:
    assert migration.statements


@pytest.mark.parametrize("migration", list_migrations(), ids=lambda migration: migration.name)
def test_an_index_is_built_beside_the_running_shop_and_can_be_built_again(
    migration: Migration,
) -> None:
    concurrent = [s for s in migration.statements if "CONCURRENTLY" in s]
    assert all("IF NOT EXISTS" in s for s in concurrent if s.startswith("CREATE"))
    assert not (concurrent and migration.in_transaction)
