"""How far the primary's log of changes (WAL) has come: the mark that a replica must have passed.

Every answered write lies before the position that the primary tells to a question asked after the
answer. So who asks for the position first, and reads from a replica that has replayed up to it,
reads what was written before: their own writes and everybody else's, on whichever device and
through whichever process they were made. One question is on its way at a time; whoever comes
meanwhile shares the next one, never this one, which may have been answered a moment too early.
"""

import asyncio
from contextvars import Context

import msgspec

from packhouse.plumbing.postgres import Database
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
        self._next: asyncio.Future[WalPosition] | None = None
        self._asking: asyncio.Task[None] | None = None

    async def find_position(self) -> WalPosition:
        """A position that nothing answered before this call lies beyond. Raises an ``Outage``."""
        if self._next is None:
            self._next = asyncio.get_running_loop().create_future()
        answer = self._next
        if self._asking is None:
            # In a context of its own: it asks for several requests, under the id of none.
            self._asking = asyncio.create_task(self._ask_while_wanted(), context=Context())
        return await asyncio.shield(answer)

    async def finish(self) -> None:
        """Wait for the question that is on its way, at the end of the process."""
        if self._asking is not None:
            await asyncio.wait([self._asking])

    async def _ask_while_wanted(self) -> None:
        try:
            while (wanted := self._next) is not None:
                await self._answer(wanted)
        finally:
            self._asking = None

    async def _answer(self, wanted: "asyncio.Future[WalPosition]") -> None:
        try:
            # At the head of the line: many wait for it.
            async with self._primary.connection(ahead=True) as connection:
                # Only now: who came while there was no connection is answered too.
                self._next = None
                (row,) = await connection.fetch(QUERIES["find_wal_position"])
        except Exception as error:  # noqa: BLE001 - raised to everybody who waits for it
            if self._next is wanted:
                self._next = None
            wanted.set_exception(error)
            # Everybody may have stopped waiting for it.
            wanted.exception()
            return
        history = WalHistory(row["system_identifier"], row["database"], row["timeline"])
        wanted.set_result(WalPosition(history, row["reached"]))
