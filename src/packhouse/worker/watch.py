"""The watch's loop: tells now and then, as metrics, what waits in the queue and for how long."""

import asyncio
from contextlib import suppress
from datetime import datetime

from packhouse.foundation.errors import Outage
from packhouse.foundation.limits import QUEUE_WATCH_SECONDS
from packhouse.house import House
from packhouse.plumbing.dead_letters import JobCount, count_jobs
from packhouse.plumbing.logging import get_log
from packhouse.plumbing.metrics import QUEUE_AGE, QUEUE_JOBS

log = get_log(__name__)


async def run_watch(house: House, stop: asyncio.Event) -> None:
    """Watch until ``stop`` is set; during an outage the last that was seen stands."""
    while not stop.is_set():
        try:
            async with house.database.connection() as connection:
                counts = await count_jobs(connection)
        except Outage as outage:
            log.warning("The watch waits for the database", code=outage.code)
        else:
            tell_queue(counts, now=house.clock())
        with suppress(TimeoutError):
            async with asyncio.timeout(QUEUE_WATCH_SECONDS):
                await stop.wait()


def tell_queue(counts: list[JobCount], *, now: datetime) -> None:
    """Set the metrics of the queue; kinds that are not in it any more are told no longer."""
    levels: dict[tuple[str, ...], float] = {}
    for count in counts:
        levels[count.job, "waiting"] = count.waiting
        levels[count.job, "running"] = count.running
        levels[count.job, "dead"] = count.dead
    QUEUE_JOBS.replace(levels)
    QUEUE_AGE.replace({(count.job,): _age(count, now=now) for count in counts})


def _age(count: JobCount, *, now: datetime) -> float:
    """What is put off until later is not late."""
    return 0.0 if count.due_since is None else max(0.0, (now - count.due_since).total_seconds())
