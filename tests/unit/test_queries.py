"""Reading ``queries.sql`` files."""

import pytest

from packhouse.plumbing.queries import load_queries, parse_queries

TWO = """
-- Statements of a room.

-- name: find_card
-- What for, which index.
SELECT id
FROM cards
-- a word in between
WHERE id = $1;

-- name: count_cards
SELECT count(*) FROM cards
"""


def test_statements_are_found_by_name_without_their_comments() -> None:
    assert parse_queries(TWO) == {
        "find_card": "SELECT id\nFROM cards\nWHERE id = $1",
        "count_cards": "SELECT count(*) FROM cards",
    }


def test_a_file_without_statements_has_none() -> None:
    assert parse_queries("-- Nothing yet.\n") == {}


def test_a_name_that_is_used_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="'find_card' twice"):
        parse_queries(TWO + "-- name: find_card\nSELECT 1\n")


def test_a_statement_before_the_first_name_is_refused() -> None:
    with pytest.raises(ValueError, match="before the first"):
        parse_queries("SELECT 1;\n" + TWO)


@pytest.mark.parametrize(
    "line",
    [
        "-- name: Find_card",
        "-- name: find-card",
        "-- name: find_card ",
        "-- name:find_card",
        "--name: find_card",
        "  -- name: find_card",
        "-- Name: find_card",
        "-- name:",
    ],
)
def test_a_malformed_name_is_refused_instead_of_read_as_a_comment(line: str) -> None:
    with pytest.raises(ValueError, match="malformed name"):
        parse_queries(f"-- name: count_cards\nSELECT 1\n\n{line}\nSELECT 2\n")


def test_a_name_without_a_statement_is_refused() -> None:
    with pytest.raises(ValueError, match="'count_cards' and has no statement"):
        parse_queries("-- name: count_cards\n-- Soon.\n\n-- name: find_card\nSELECT 1\n")


def test_found_statements_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        parse_queries(TWO)["find_card"] = "SELECT 2"  # type: ignore[index] # what is refused


@pytest.mark.parametrize(
    "package",
    [
        "packhouse.accounts",
        "packhouse.catalog",
        "packhouse.draws",
        "packhouse.feed",
        "packhouse.plumbing",
        "packhouse.shipping",
        "packhouse.vault",
        "packhouse.wallet",
    ],
)
def test_every_rooms_statements_can_be_read(package: str) -> None:
    assert load_queries(package)
