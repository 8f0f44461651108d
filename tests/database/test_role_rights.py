"""What no line of ``grants.sql`` grants is tried, column by column, by each role's own login.

The statements that would hurt most are named one by one in ``test_database_roles.py``; here is the
rest, so that nothing is open only because nobody thought of it.
"""

from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Final

import asyncpg
import pytest

from packhouse.house import House
from packhouse.plumbing import database_roles
from packhouse.plumbing.database_roles import RolesNotMade, grant_roles
from worlds.logins import url_of_role
from worlds.role_rights import ALL_COLUMNS, ROLES, Granted, read_grants

COLUMNS: Final = """
SELECT CASE WHEN table_schema = 'public' THEN table_name ELSE table_schema || '.' || table_name END,
    column_name
FROM information_schema.columns
WHERE table_schema IN ('public', 'jobs')
ORDER BY 1, 2
"""

ON_A_COLUMN: Final = {
    "SELECT": "SELECT {column} FROM {table} LIMIT 0",
    "UPDATE": "UPDATE {table} SET {column} = NULL",
}
ON_A_TABLE: Final = {
    "INSERT": "INSERT INTO {table} DEFAULT VALUES",
    "DELETE": "DELETE FROM {table}",
    "TRUNCATE": "TRUNCATE {table}",
    "ALTER": "ALTER TABLE {table} ADD COLUMN mine int",
    "DROP": "DROP TABLE {table}",
}
"""What is tried where no line grants it."""

NOBODY_MAY: Final = (
    "CREATE TEMPORARY TABLE mine (id int)",
    "CREATE SCHEMA mine",
    "CREATE FUNCTION mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "CREATE EXTENSION pg_trgm",
    "CREATE ROLE mine",
    "CREATE DATABASE mine",
    "CREATE PUBLICATION mine",
    "GRANT packhouse_admin TO packhouse_live",
    "SET SESSION AUTHORIZATION packhouse",
    "ALTER SYSTEM SET fsync = off",
    "COPY schema_migrations TO '/taken'",
    "COPY (SELECT 1) TO PROGRAM 'true'",
    "SELECT pg_read_file('postgresql.conf')",
)


@pytest.fixture(params=ROLES)
def role(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
async def login(house: House, role: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection of the role's own login."""
    connection = await asyncpg.connect(url_of_role(house, role))
    yield connection
    await connection.close()


async def test_what_is_not_granted_is_refused_column_by_column(
    house: House, role: str, login: asyncpg.Connection
) -> None:
    async with house.database.connection() as connection:
        columns = [(row[0], row[1]) for row in await connection.fetch(COLUMNS)]
    tried = list(not_granted(role, columns))
    assert len(tried) > len(columns)
    assert [each for each in tried if not await is_refused(login, each)] == []


async def test_no_role_may_define_anything_or_reach_the_servers_files(
    house: House, role: str, login: asyncpg.Connection
) -> None:
    async with house.database.connection() as owner:
        # A copied database has its tables' grants, and not those on the database itself.
        await grant_roles(owner)
    others = [f"SET ROLE packhouse_{other}" for other in ROLES if other != role]
    tried = [*NOBODY_MAY, *others]
    assert [each for each in tried if not await is_refused(login, each)] == []


async def test_who_may_not_make_roles_is_told_what_an_administrator_has_to_run(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    roles = (*database_roles.DATABASE_ROLES, "packhouse_newcomer")
    monkeypatch.setattr(database_roles, "DATABASE_ROLES", roles)
    login = await asyncpg.connect(url_of_role(house, "web"))
    with pytest.raises(RolesNotMade, match=r"CREATE ROLE packhouse_newcomer NOLOGIN;$"):
        await grant_roles(login)
    await login.close()


def not_granted(role: str, columns: Sequence[tuple[str, str]]) -> Iterator[str]:
    """A statement for everything on every table that nobody granted the role."""
    grants = read_grants()
    for table, column in columns:
        for verb, statement in ON_A_COLUMN.items():
            may = {Granted(role, table, verb, column), Granted(role, table, verb, ALL_COLUMNS)}
            if not may & grants:
                yield statement.format(table=table, column=column)
    for table in dict(columns):
        for verb, statement in ON_A_TABLE.items():
            if Granted(role, table, verb) not in grants:
                yield statement.format(table=table)


async def is_refused(connection: asyncpg.Connection, statement: str) -> bool:
    """Whether PostgreSQL says that this login may not; any other answer lets it through."""
    try:
        await connection.execute(statement)
    except asyncpg.InsufficientPrivilegeError:
        return True
    except asyncpg.PostgresError:
        return False
    return False
