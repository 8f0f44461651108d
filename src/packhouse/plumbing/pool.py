"""The pool: a few connections, opened when they are first wanted, and a bounded line before them.

A connection is lent to one borrower at a time and keeps what it prepared for the next. Taking one
that lies idle is no more than taking it off a list: no query, no task, no future. Who finds none
stands in line, first come, first served; the line has an end and so has the waiting, because a
request that waited longer than its visitor would only slow those behind it.

What comes back is lent again only when it is known to be clean. After a cancellation in the middle
of a query, or with a transaction still open, a connection is closed, and its place in the pool is
free again when it is: there are never more connections than the pool's size.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import TypeAlias

import asyncpg

from packhouse.plumbing.sharded_connection import is_sharded

# The stubs know a type parameter that the class itself does not have.
Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

CLOSE_SECONDS_MAX = 5.0
"""How long a connection may take to say goodbye before it is cut off."""


class PoolBusy(Exception):
    """As many wait as may wait, or the waiting took as long as it may."""


class PoolClosed(Exception):
    """The pool is being closed and lends nothing more."""


class Pool:
    """At most ``size`` connections, and at most ``waiting_max`` borrowers in line for them."""

    def __init__(
        self,
        connect: Callable[[], Awaitable[Connection]],
        *,
        size: int,
        waiting_max: int,
        wait_seconds_max: float,
    ) -> None:
        self._connect = connect
        self._waiting_max = waiting_max
        self._wait_seconds_max = wait_seconds_max
        self._idle: list[Connection] = []
        self._open: set[Connection] = set()
        self._unopened = size
        self._size = size
        self.is_sharded = False
        """Whether the connections, of which some were opened, lead to a sharded database."""
        # None stands for a free place: whoever gets it opens a connection there.
        self._line: deque[asyncio.Future[Connection | None]] = deque()
        self._closing: set[asyncio.Task[None]] = set()
        self._is_closed = False
        self._all_back = asyncio.Event()

    @property
    def waiting(self) -> int:
        """How many stand in line."""
        return len(self._line)

    @property
    def opened(self) -> int:
        """How many connections there are, lent or idle."""
        return len(self._open)

    async def fill(self, count: int) -> None:
        """Open so many connections beforehand; raises what ``connect`` raises."""
        for _ in range(count):
            self._unopened -= 1
            self._hand_on(await self._open_one())

    async def take(self, *, ahead: bool = False) -> Connection:
        """Borrow a connection; ``give_back`` has to follow. Raises ``PoolBusy``, ``PoolClosed``.

        ``ahead`` stands at the head of the line. What ``connect`` raises is raised to whoever had
        to open one.
        """
        if self._is_closed:
            raise PoolClosed
        while self._idle:
            connection = self._idle.pop()
            if not connection.is_closed():
                return connection
            self._forget(connection)
            self._unopened += 1
        if self._unopened:
            self._unopened -= 1
            return await self._open_one()
        found = await self._wait(ahead=ahead)
        if found is not None:
            if not found.is_closed():
                return found
            self._forget(found)
        return await self._open_one()

    def give_back(self, connection: Connection, *, is_clean: bool) -> None:
        """Return what was borrowed. ``is_clean`` is false when it may be in the middle of a query.

        Never waits: what cannot be lent again is closed in the background.
        """
        if connection.is_closed():
            self._forget(connection)
            self._hand_on(None)
        elif is_clean and not connection.is_in_transaction():
            self._hand_on(connection)
        else:
            task = asyncio.get_running_loop().create_task(self._replace(connection))
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)

    def cut(self) -> None:
        """Break all connections off, also in the middle of a query, which then fails at once."""
        for connection in self._open:
            connection.terminate()

    async def close(self) -> None:
        """Lend nothing more, wait for what is lent, then close everything."""
        self._is_closed = True
        try:
            while self._unopened + len(self._idle) < self._size:
                self._all_back.clear()
                await self._all_back.wait()
            await asyncio.gather(*(_close(connection) for connection in self._idle))
        finally:
            for connection in self._open:
                connection.terminate()
            self._open.clear()
            self._idle.clear()
            self._unopened = self._size
            self._all_back.set()

    async def _open_one(self) -> Connection:
        try:
            connection = await self._connect()
        except BaseException:
            self._hand_on(None)
            raise
        self._open.add(connection)
        self.is_sharded = is_sharded(connection)
        return connection

    async def _wait(self, *, ahead: bool) -> "Connection | None":
        # Those ahead are few and have waited in a line of their own: its bound holds for them.
        if len(self._line) >= self._waiting_max and not ahead:
            raise PoolBusy
        loop = asyncio.get_running_loop()
        place: asyncio.Future[Connection | None] = loop.create_future()
        if ahead:
            self._line.appendleft(place)
        else:
            self._line.append(place)
        timer = loop.call_later(self._wait_seconds_max, self._send_away, place)
        try:
            return await place
        except asyncio.CancelledError:
            if place.cancelled():
                self._line.remove(place)
            elif place.exception() is None:
                # Handed over in the very moment in which its borrower gave up.
                self._hand_on(place.result())
            raise
        finally:
            timer.cancel()

    def _send_away(self, place: "asyncio.Future[Connection | None]") -> None:
        if not place.done():
            self._line.remove(place)
            place.set_exception(PoolBusy())

    def _hand_on(self, connection: "Connection | None") -> None:
        while self._line:
            first = self._line.popleft()
            if not first.done():
                first.set_result(connection)
                return
        if connection is None:
            self._unopened += 1
        else:
            self._idle.append(connection)
        if self._is_closed:
            self._all_back.set()

    async def _replace(self, connection: Connection) -> None:
        try:
            await _close(connection)
        finally:
            self._forget(connection)
            self._hand_on(None)

    def _forget(self, connection: Connection) -> None:
        # A connection that the server closed still holds what it had prepared.
        connection.terminate()
        self._open.discard(connection)


async def _close(connection: Connection) -> None:
    """Wait for a cancellation that is under way, and say goodbye; cut it off when that fails."""
    try:
        await connection.close(timeout=CLOSE_SECONDS_MAX)
    except Exception:  # noqa: BLE001 - it is thrown away, for whatever reason it does not answer
        connection.terminate()
