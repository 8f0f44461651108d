"""What ``schema/grants.sql`` grants, as facts that tests ask, and as the page that people read.

Run as a program it writes the page:
``PYTHONPATH=src:tests .venv/bin/python -m worlds.role_rights``.
"""

import re
from collections.abc import Iterator, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Final

import msgspec

from packhouse.plumbing.database_roles import list_grants

PAGE: Final = Path(__file__).parents[2] / "docs/reference/rights.md"
ROLES: Final = ("web", "api", "live", "worker", "admin")
ALL_COLUMNS: Final = "*"
VERBS: Final = {"SELECT": "read", "INSERT": "add", "UPDATE": "change", "DELETE": "delete"}
"""What SQL calls it, and what the page does."""

INTRODUCTION: Final = """# Who may do what in the database

Made from [`schema/grants.sql`](../../src/packhouse/schema/grants.sql), which
`packhouse db migrate` grants. Columns are named where not all are meant. No role may truncate,
drop, alter or create anything, temporary tables included.

| table | web, api | live | worker | admin |
| --- | --- | --- | --- | --- |
"""

_GRANT: Final = re.compile(
    r"GRANT (\w+)(?: \(([^)]*)\))? ON (?!SCHEMA|SEQUENCE)(.*?) TO (.*)", re.DOTALL
)
_TABLE: Final = re.compile(r"CREATE TABLE (\w+)")


class Granted(msgspec.Struct, frozen=True):
    """One right of one role; of one column, or of all."""

    role: str
    table: str
    verb: str
    column: str = ALL_COLUMNS


def read_grants() -> frozenset[Granted]:
    """Everything that is granted on tables."""
    return frozenset(granted for statement in list_grants() for granted in _read(statement))


def _read(statement: str) -> Iterator[Granted]:
    grant = _GRANT.fullmatch(statement)
    if grant is None:
        # Of what is no table: anything else would be a right that nobody sees.
        assert re.search(r"ON (SCHEMA|SEQUENCE|DATABASE|ALL) |^REVOKE", statement), statement
        return
    verb, columns, tables, roles = grant.groups()
    for role in _words(roles):
        for table in _words(tables):
            for column in _words(columns or ALL_COLUMNS):
                yield Granted(role.removeprefix("packhouse_"), table, verb, column)


def _words(text: str) -> Sequence[str]:
    return [word.strip() for word in text.split(",")]


def render_page() -> str:
    """The page of who may do what; each table has a word for each role."""
    schema = (files("packhouse.schema") / "schema.sql").read_text(encoding="utf-8")
    grants = read_grants()
    tables = sorted({*_TABLE.findall(schema), *(granted.table for granted in grants)})
    rows = [
        f"| `{table}` | "
        + " | ".join(_cell(grants, table, role) for role in ROLES if role != "api")
        + " |\n"
        for table in tables
    ]
    return INTRODUCTION + "".join(rows)


def _cell(grants: frozenset[Granted], table: str, role: str) -> str:
    parts = []
    for verb, word in VERBS.items():
        columns = sorted(
            granted.column
            for granted in grants
            if (granted.role, granted.table, granted.verb) == (role, table, verb)
        )
        if ALL_COLUMNS in columns:
            parts.append(word)
        elif columns:
            parts.append(f"{word} {', '.join(f'`{column}`' for column in columns)}")
    return " · ".join(parts) or "nothing"


if __name__ == "__main__":
    PAGE.write_text(render_page(), encoding="utf-8")
