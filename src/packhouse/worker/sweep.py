"""The sweep: what falls due by the passing of time alone, each a job that a schedule calls."""

from datetime import timedelta

from packhouse import accounts
from packhouse.flows.erase_feed_names import erase_feed_names
from packhouse.flows.reveal_due_seeds import reveal_due_seeds
from packhouse.foundation.jobs import DeleteSessions, EraseFeedNames, RevealSeeds, TrimJobLog
from packhouse.foundation.limits import (
    JOB_LOG_DAYS,
    JOB_LOG_ROWS_PER_STEP,
    SEED_PAIRS_PER_SWEEP,
    SESSIONS_PER_SWEEP,
)
from packhouse.house import House
from packhouse.plumbing.jobs import delete_job_log
from packhouse.plumbing.logging import get_log

log = get_log(__name__)


async def reveal_seeds(house: House, _: RevealSeeds) -> None:
    """Reveal the seed pairs that are due, batch after batch."""
    while True:
        batch = await reveal_due_seeds(house)
        if batch.revealed:
            log.info("Seeds in use for long were revealed", pairs=batch.revealed)
        if batch.late:
            log.error("Seeds were revealed later than promised", pairs=batch.late)
        # A full batch of which nothing was left to do is another worker's; it goes on with it.
        if batch.due < SEED_PAIRS_PER_SWEEP or not batch.revealed:
            return


async def erase_names(house: House, _: EraseFeedNames) -> None:
    """Take the names of closed accounts out of the feed, step after step."""
    while await erase_feed_names(house):
        pass


async def delete_sessions(house: House, _: DeleteSessions) -> None:
    """Delete the sessions that have ended."""
    while True:
        async with house.database.connection() as connection:
            deleted = await accounts.delete_expired_sessions(
                connection, now=house.clock(), limit=SESSIONS_PER_SWEEP
            )
        if deleted < SESSIONS_PER_SWEEP:
            return


async def trim_job_log(house: House, _: TrimJobLog) -> None:
    """Delete what the queue noted long ago."""
    before = house.clock() - timedelta(days=JOB_LOG_DAYS)
    while True:
        async with house.database.connection() as connection:
            deleted = await delete_job_log(connection, before=before, limit=JOB_LOG_ROWS_PER_STEP)
        if deleted < JOB_LOG_ROWS_PER_STEP:
            return
