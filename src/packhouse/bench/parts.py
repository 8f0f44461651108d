"""How many cores each part of the shop takes while a crowd is there.

``packhouse plan`` reckons from these figures, so they count what a machine of one's own would have
to supply: the web, the live role, the worker, PostgreSQL with its backends, and Valkey.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from statistics import median
from typing import Final

from packhouse.bench.processor import parent_of, processor_seconds_of
from packhouse.bench.stage import Stage

LOOK_SECONDS: Final = 0.5
LEAVING_SECONDS: Final = 0.5
"""A crowd that leaves closes its connections; that is no work of a shop in use."""


class PartsWatch:
    """Processor time by part, looked at twice a second."""

    def __init__(self) -> None:
        self._looks: list[tuple[float, Mapping[str, float]]] = []

    def add(self, at: float, seconds: Mapping[str, float]) -> None:
        """Keep what was used up to now."""
        self._looks.append((at, seconds))

    def cores_of_last(self, seconds: float) -> dict[str, float]:
        """Cores by part, over so many seconds before the end; empty where nothing tells."""
        if not self._looks:
            return {}
        until = self._looks[-1][0] - LEAVING_SECONDS
        looks = [each for each in self._looks if until - seconds <= each[0] <= until]
        if len(looks) < 2:
            return {}
        (begun_at, begun), (ended_at, ended) = looks[0], looks[-1]
        return {
            name: (used - begun[name]) / (ended_at - begun_at)
            for name, used in ended.items()
            if name in begun
        }


@asynccontextmanager
async def watched_parts(stage: Stage) -> AsyncIterator[PartsWatch]:
    """Watch what the shop's parts use for as long as the block lasts."""
    roots = await list_roots(stage)
    watch = PartsWatch()

    async def look() -> None:
        while True:
            found = await asyncio.to_thread(processor_seconds_of, roots)
            if any(found.values()):
                watch.add(time.monotonic(), found)
            await asyncio.sleep(LOOK_SECONDS)

    looking = asyncio.create_task(look())
    try:
        yield watch
    finally:
        looking.cancel()
        await asyncio.wait([looking])


def median_cores(rounds: list[dict[str, float]]) -> dict[str, float]:
    """Each part's median over the rounds that tell of it."""
    parts = {name for each in rounds for name in each}
    return {name: median(each[name] for each in rounds if name in each) for name in sorted(parts)}


async def list_roots(stage: Stage) -> dict[str, int]:
    """The first process of each part, by the part's name; servers only where they run here."""
    roots = {program.name.split("-")[1]: program.pid for program in stage.list_programs()}
    if not stage.servers.is_embedded:
        return roots
    async with stage.house.database.connection() as connection:
        backend = await connection.fetchval("SELECT pg_backend_pid()")
    postmaster = parent_of(backend)
    if postmaster is not None:
        roots["database"] = postmaster
    cache = await stage.house.valkey.ask(stage.house.valkey.client.info("server"))
    roots["cache"] = int(cache["process_id"])
    return roots
