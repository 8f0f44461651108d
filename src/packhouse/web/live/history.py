"""Pulls that are older than the ring, from PostgreSQL, for streams that come back late.

After an outage ten thousand may come back at once to the same few pages. So a page begins at a
multiple of its size, is read once for all who want it, stays in memory for the next ones, and only
so many pages are read at a time: the database never notices how many they are.
"""

import asyncio
from collections import OrderedDict
from typing import Final

from packhouse import feed
from packhouse.foundation.limits import LIVE_HISTORY_READS_MAX, LIVE_PAGE_PULLS
from packhouse.plumbing.postgres import Database
from packhouse.web.live.frames import Batch, encode_pull

PAGES_KEPT: Final = 32


class History:
    """Pages of the feed that are shared by everybody who reads them."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._reads = asyncio.Semaphore(LIVE_HISTORY_READS_MAX)
        self._pages: OrderedDict[int, Batch] = OrderedDict()
        self._reading: dict[int, asyncio.Task[Batch]] = {}

    async def page_after(self, position: int) -> Batch:
        """A batch that goes on after ``position``; empty at the feed's end.

        Raises ``DatabaseUnavailable``.
        """
        batch = await self._shared_page(position - position % LIVE_PAGE_PULLS)
        if batch.last > position:
            return batch
        # The page is the feed's last and was not full, or the sequence has a hole.
        return await self._read(position)

    async def _shared_page(self, after: int) -> Batch:
        if after in self._pages:
            self._pages.move_to_end(after)
            return self._pages[after]
        reading = self._reading.get(after)
        if reading is None:
            reading = self._reading[after] = asyncio.create_task(self._read_and_keep(after))
        # Who gives up waiting does not end it for the others.
        return await asyncio.shield(reading)

    async def _read_and_keep(self, after: int) -> Batch:
        try:
            batch = await self._read(after)
        finally:
            del self._reading[after]
        if len(batch.events) == LIVE_PAGE_PULLS:
            self._pages[after] = batch
            if len(self._pages) > PAGES_KEPT:
                self._pages.popitem(last=False)
        return batch

    async def _read(self, after: int) -> Batch:
        async with self._reads, self._database.reading() as connection:
            pulls = await feed.list_pulls_after(connection, sequence=after, limit=LIVE_PAGE_PULLS)
        return Batch(after=after, events=map(encode_pull, pulls))
