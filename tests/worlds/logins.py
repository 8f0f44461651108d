"""The logins of the shop's roles on the test servers, and databases opened with them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from packhouse.house import House
from packhouse.plumbing.logins import LOGIN_PREFIX, url_with_login
from packhouse.plumbing.postgres import Database, open_database
from packhouse.plumbing.settings import require_setting

LOGIN_PASSWORD = "not-a-secret"
"""Of every login that the test servers have."""


def url_of_role(house: House, role: str) -> str:
    """The test's own database, for a login that may do what ``packhouse_ROLE`` may."""
    url = require_setting(house.settings.database_url, name="database_url").reveal()
    return url_with_login(url, name=f"{LOGIN_PREFIX}packhouse_{role}", password=LOGIN_PASSWORD)


@asynccontextmanager
async def database_of_role(house: House, role: str) -> AsyncIterator[Database]:
    """The test's own database, opened so."""
    async with open_database(
        url_of_role(house, role),
        pool_size=4,
        statement_timeout_ms=10_000,
        connect_timeout_seconds=5,
    ) as database:
        yield database
