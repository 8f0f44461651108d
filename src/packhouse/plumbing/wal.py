"""How far the primary's log of changes (WAL) has come: the mark that a replica must have passed.

Every answered write lies before the position that the primary tells to a question asked after the
answer. So who asks for the position first, and reads from a replica that has replayed up to it,
reads what was written before: their own writes and everybody else's, on whichever device and
through whichever process they were made. One question is on its way at a time; whoever comes
meanwhile shares the next one, never this one, which may have been answered a moment too early.
"""

import asyncio
from contextvars import Context
from weakref import WeakKeyDictionary

import msgspec

from packhouse.plumbing.postgres import Connection, Database
from packhouse.plumbing.queries import load_queries

QUERIES = load_queries("packhouse.plumbing")


class WalHistory(msgspec.Struct, frozen=True):
    """What positions must have in common to be compared: cluster, database and timeline."""

    system: int
    database: str
    timeline: int


class WalPosition(msgspec.Struct, frozen=True):
    """So many bytes into one history."""

    history: WalHistory
    reached: int


class PrimaryWal:
    """The primary's log, as this process asks for it."""

    def __init__(self, primary: Database) -> None:
        self._primary = primary
        self._waiting: list[asyncio.Future[WalPosition]] = []
        self._asking: asyncio.Task[None] | None = None
        # A connection leads to one database as long as it lasts; its address may lead elsewhere.
        self._databases: WeakKeyDictionary[Connection, tuple[int, str]] = WeakKeyDictionary()

    async def find_position(self) -> WalPosition:
        """A position that nothing answered before this call lies beyond. Raises an ``Outage``."""
        answer: asyncio.Future[WalPosition] = asyncio.get_running_loop().create_future()
        self._waiting.append(answer)
        if self._asking is None:
            # In a context of its own: it asks for several requests, under the id of none.
            self._asking = asyncio.create_task(self._ask_while_wanted(), context=Context())
        return await answer

    async def finish(self) -> None:
        """Wait for the question that is on its way, at the end of the process."""
        if self._asking is not None:
            await asyncio.wait([self._asking])

    async def _ask_while_wanted(self) -> None:
        try:
            while self._waiting:
                await self._answer_all()
        finally:
            self._asking = None

    async def _answer_all(self) -> None:
        answers: list[asyncio.Future[WalPosition]] = []
        try:
            # At the head of the line: many wait for it.
            async with self._primary.connection(ahead=True) as connection:
                system, database = await self._database_of(connection)
                # Only now: who came while there was no connection is answered too.
                answers, self._waiting = self._waiting, []
                (row,) = await connection.fetch(QUERIES["find_wal_position"])
        except Exception as error:  # noqa: BLE001 - raised to everybody who waits for it
            if not answers:
                answers, self._waiting = self._waiting, []
            for answer in answers:
                if not answer.done():
                    answer.set_exception(error)
            return
        history = WalHistory(system, database, timeline=int(row["file"][:8], 16))
        position = WalPosition(history, row["reached"])
        for answer in answers:
            # Somebody may have stopped waiting for it.
            if not answer.done():
                answer.set_result(position)

    async def _database_of(self, connection: Connection) -> tuple[int, str]:
        known = self._databases.get(connection)
        if known is None:
            (row,) = await connection.fetch(QUERIES["find_cluster"])
            known = self._databases[connection] = (row["system_identifier"], row["database"])
        return known
