"""Logins of an embedded shop: one for each of its programs, with a new password at each start."""

from collections.abc import Mapping
from typing import Final
from urllib.parse import quote, urlsplit, urlunsplit

from packhouse.plumbing.database_roles import make_login
from packhouse.plumbing.postgres import open_database

LOGIN_PREFIX: Final = "login_"
"""Before the name of the database role whose rights a login has."""


async def make_logins(url: str, passwords: Mapping[str, str]) -> None:
    """Make or renew the login of each database role; ``url`` is a superuser's."""
    async with (
        open_database(
            url, pool_size=1, statement_timeout_ms=10_000, connect_timeout_seconds=10
        ) as database,
        database.connection() as connection,
    ):
        for role, password in passwords.items():
            name = f"{LOGIN_PREFIX}{role}"
            await make_login(connection, name=name, role=role, password=password)


def url_with_login(url: str, *, name: str, password: str) -> str:
    """The same database, for another login."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{quote(name)}:{quote(password)}@{host}"))
