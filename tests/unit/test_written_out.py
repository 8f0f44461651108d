"""What a sharded database is sent instead of arrays says the same, and where its rows are."""

import pytest

from packhouse.plumbing.queries import load_queries
from packhouse.plumbing.written_out import ROWS_WRITTEN_OUT_MAX, insert_of_rows, write_out

INSERT = """INSERT INTO books (user_id, page, at)
SELECT b.user_id, b.page, $3
FROM unnest($1::uuid[], $2::bigint[])
    AS b (user_id, page)
ON CONFLICT DO NOTHING
RETURNING user_id"""

UPDATE = """UPDATE books
SET page = books.page + step.by, at = $3
FROM unnest($1::uuid[], $2::bigint[]) AS step (user_id, by)
WHERE books.user_id = step.user_id AND books.page + step.by > 0"""

SELECT = """SELECT b.page
FROM books b
JOIN unnest($2::uuid[], $1::bigint[]) AS wanted (user_id, page) ON b.user_id = wanted.user_id"""


def test_an_insert_takes_each_row_as_values() -> None:
    text, arguments = write_out(INSERT, (["ada", "ben"], [1, 2], "now"))
    assert text == (
        "INSERT INTO books (user_id, page, at)"
        " VALUES ($2::uuid, $3::bigint, $1), ($4::uuid, $5::bigint, $1)"
        "\nON CONFLICT DO NOTHING\nRETURNING user_id"
    )
    assert arguments == ["now", "ada", 1, "ben", 2]


def test_a_change_of_one_row_names_its_user_in_its_condition() -> None:
    text, arguments = write_out(UPDATE, (["ada"], [5], "now"))
    assert text == (
        "UPDATE books\nSET page = books.page + $3::bigint, at = $1"
        "\nWHERE books.user_id = $2::uuid AND books.page + $3::bigint > 0"
    )
    assert arguments == ["now", "ada", 5]


def test_a_question_about_one_row_has_it_as_values() -> None:
    text, arguments = write_out(SELECT, ([7], ["ada"]))
    assert "JOIN (VALUES ($1::uuid, $2::bigint)) AS wanted (user_id, page) ON" in text
    assert arguments == ["ada", 7]


@pytest.mark.parametrize(
    ("query", "given"),
    [
        (INSERT, ([], [], "now")),
        (INSERT, (["ada"] * (ROWS_WRITTEN_OUT_MAX + 1), [1] * (ROWS_WRITTEN_OUT_MAX + 1), "now")),
        (UPDATE, (["ada", "ben"], [1, 2], "now")),
        ("SELECT 1 FROM books WHERE user_id = ANY ($1::uuid[])", (["ada"],)),
    ],
    ids=["no row", "too many rows", "a change of several", "no unnest"],
)
def test_the_rest_stays_as_it_is(query: str, given: tuple[object, ...]) -> None:
    assert write_out(query, given) == (query, given)


def test_few_rows_of_a_copy_become_an_insert() -> None:
    assert insert_of_rows("books", ("user_id", "page"), rows=2) == (
        "INSERT INTO books (user_id, page) VALUES ($1, $2), ($3, $4)"
    )


def test_the_statements_of_an_opening_are_all_written_out() -> None:
    for room, name in (
        ("wallet", "advance_wallets"),
        ("wallet", "insert_ledger_entries"),
        ("plumbing", "insert_answers"),
        ("plumbing", "insert_events"),
        ("draws", "insert_openings"),
        ("draws", "mark_first_use"),
    ):
        query = load_queries(f"packhouse.{room}")[name]
        given = [[None]] * 8
        assert "unnest" not in write_out(query, given)[0], name
