"""Recording: the very statements that a flow sends, with their arguments, as the driver sent them.

So the limit that the shop is held against is always made of today's statements, in today's order,
and a changed flow changes the limit with it.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import msgspec

from packhouse.house import House
from packhouse.plumbing.postgres import Connection, Database, open_database
from packhouse.plumbing.settings import require_setting

_PREPARATIONS: Final = ("SELECT pg_advisory_unlock_all", "SET ", "RESET ")


class SentStatement(msgspec.Struct, frozen=True):
    """One statement with its arguments as Python values."""

    text: str
    arguments: tuple[Any, ...]


class RecordingDatabase(Database):
    """A database that notes what is sent through it."""

    def __init__(self, database: Database) -> None:
        self._inner = database
        self.sent: list[SentStatement] = []

    @asynccontextmanager
    async def connection(self, *, ahead: bool = False) -> AsyncIterator[Connection]:
        """A connection whose statements are noted."""
        async with self._inner.connection(ahead=ahead) as connection:
            with connection.query_logger(self._note):
                yield connection

    @property
    def is_sharded(self) -> bool:
        """As the database inside is."""
        return self._inner.is_sharded

    async def close(self) -> None:
        """The database inside is closed by whoever opened it."""

    def _note(self, logged: Any) -> None:  # noqa: ANN401 - the driver's own record
        if not logged.query.startswith(_PREPARATIONS):
            self.sent.append(SentStatement(logged.query.strip().rstrip(";"), tuple(logged.args)))


@asynccontextmanager
async def recording_house(house: House) -> AsyncIterator[tuple[House, RecordingDatabase]]:
    """A copy of ``house`` on one connection of its own that notes every statement."""
    settings = house.settings
    async with open_database(
        require_setting(settings.database_url, name="database_url").reveal(),
        pool_size=2,
        statement_timeout_ms=settings.database_statement_timeout_ms,
        connect_timeout_seconds=settings.database_connect_timeout_seconds,
    ) as database:
        recording = RecordingDatabase(database)
        yield msgspec.structs.replace(house, database=recording), recording
