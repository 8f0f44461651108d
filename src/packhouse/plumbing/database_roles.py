"""The database roles of the shop: made, granted what ``schema/grants.sql`` says, and given logins.

Each role of the shop (web, api, live, worker, admin) has a role of its own in PostgreSQL that
cannot log in; a login that is a member of it may do what it may, and no more. Tables belong to
whoever migrates, who alone may change them.

Law held here: what a role was never granted it cannot do, by mistake or through a hole in our code.
"""

import asyncio
from collections.abc import Sequence
from importlib.resources import files
from typing import ClassVar, Final

import asyncpg

from packhouse.foundation.errors import Outage

DATABASE_ROLES: Final = (
    "packhouse_web",
    "packhouse_api",
    "packhouse_live",
    "packhouse_worker",
    "packhouse_admin",
)

CONFLICT_ATTEMPTS: Final = 20
CONFLICT_PAUSE_SECONDS: Final = 0.1


_MEANWHILE = (
    # "tuple concurrently updated" has no code of its own.
    asyncpg.InternalServerError,
    asyncpg.UniqueViolationError,
    asyncpg.DuplicateObjectError,
)


class RolesNotMade(Outage):
    """The migrating login may not make roles; the message has what somebody else must run."""

    code: ClassVar[str] = "database_roles_not_made"


def list_grants() -> Sequence[str]:
    """The statements of ``grants.sql``, in order."""
    text = (files("packhouse.schema") / "grants.sql").read_text(encoding="utf-8")
    lines = (line for line in text.splitlines() if not line.startswith("--"))
    return [statement.strip() for statement in "\n".join(lines).split(";") if statement.strip()]


async def grant_roles(connection: asyncpg.Connection) -> None:
    """Make the roles that are missing, and grant each exactly what is written. Repeatable.

    Roles are the whole server's, so that other databases' migrations may be at them at the same
    time; that is tried again. Raises ``RolesNotMade``.
    """
    for attempt in range(CONFLICT_ATTEMPTS):
        try:
            async with connection.transaction():
                await _make_roles(connection)
                await _grant(connection)
        except _MEANWHILE:
            if attempt == CONFLICT_ATTEMPTS - 1:
                raise
            await asyncio.sleep(CONFLICT_PAUSE_SECONDS)
        else:
            return


async def _make_roles(connection: asyncpg.Connection) -> None:
    rows = await connection.fetch(
        "SELECT rolname FROM pg_roles WHERE rolname = ANY ($1::text[])", list(DATABASE_ROLES)
    )
    known = {row["rolname"] for row in rows}
    missing = [role for role in DATABASE_ROLES if role not in known]
    try:
        for role in missing:
            await connection.execute(f"CREATE ROLE {role} NOLOGIN")
    except asyncpg.InsufficientPrivilegeError as error:
        wanted = " ".join(f"CREATE ROLE {role} NOLOGIN;" for role in missing)
        raise RolesNotMade(
            "The login that migrates may not make roles. Everything else is done; let an"
            f" administrator of the server run this once, and migrate again: {wanted}"
        ) from error


async def _grant(connection: asyncpg.Connection) -> None:
    everybody = ", ".join(DATABASE_ROLES)
    # At the level of a table this takes away what was granted on its columns, too.
    await connection.execute(f"REVOKE ALL ON ALL TABLES IN SCHEMA public, jobs FROM {everybody}")
    await connection.execute(f"REVOKE ALL ON ALL SEQUENCES IN SCHEMA jobs FROM {everybody}")
    await connection.execute(f"REVOKE ALL ON SCHEMA jobs FROM {everybody}")
    # PostgreSQL lets everybody make temporary tables, whose names would go before ours.
    revoke = "SELECT format('REVOKE TEMPORARY ON DATABASE %I FROM PUBLIC', current_database())"
    await connection.execute(await connection.fetchval(revoke))
    for statement in list_grants():
        await connection.execute(statement)


async def may_operate(connection: asyncpg.Connection) -> bool:
    """Whether this login may do what operators do: write what each of their calls writes first."""
    return bool(await connection.fetchval("SELECT has_table_privilege('audit_log', 'INSERT')"))


async def make_login(
    connection: asyncpg.Connection, *, name: str, role: str, password: str
) -> None:
    """A login that may do what ``role`` may; one that exists is given this password. Repeatable."""
    exists = await connection.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", name)
    verb = "ALTER" if exists else "CREATE"
    # Neither takes parameters, so PostgreSQL itself quotes what goes in.
    statement = await connection.fetchval(
        f"SELECT format('{verb} ROLE %I LOGIN PASSWORD %L', $1::text, $2::text)", name, password
    )
    await connection.execute(statement)
    await connection.execute(
        await connection.fetchval("SELECT format('GRANT %I TO %I', $1::text, $2::text)", role, name)
    )
