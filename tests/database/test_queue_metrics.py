"""What waits in the queue, and for how long, is a metric; and so is what became of each job."""

import asyncio
from datetime import timedelta

import pytest

from packhouse.foundation.jobs import DeleteSessions, Job, TrimJobLog
from packhouse.foundation.time import utc_now
from packhouse.house import House
from packhouse.plumbing.dead_letters import JobCount
from packhouse.plumbing.metrics import METERS
from packhouse.worker.watch import run_watch, tell_queue
from worlds.queued_jobs import enqueue, kill_job, until, until_queue_is, worker


def told(line: str) -> bool:
    return line in METERS.text()


async def test_the_watch_tells_what_the_queue_holds(house: House) -> None:
    await kill_job(house, DeleteSessions())
    await enqueue(house, TrimJobLog())
    stop = asyncio.Event()
    watch = asyncio.create_task(run_watch(house, stop))
    await until(lambda: told('packhouse_queue_jobs{kind="trim_job_log",state="waiting"} 1'))
    assert told('packhouse_queue_jobs{kind="delete_sessions",state="dead"} 1')
    stop.set()
    await watch


def test_the_age_is_that_of_what_is_due_longest() -> None:
    now = utc_now()
    late = JobCount("late", 2, 0, 0, now - timedelta(seconds=90))
    tell_queue([late, JobCount("later", 1, 0, 0, now + timedelta(seconds=90))], now=now)
    assert told('packhouse_queue_age_seconds{kind="late"} 90')
    assert told('packhouse_queue_age_seconds{kind="later"} 0')
    tell_queue([], now=now)
    assert not told('packhouse_queue_age_seconds{kind="late"}')


@pytest.mark.parametrize("outcome", ["done", "dead"])
async def test_what_became_of_a_job_is_counted(house: House, outcome: str) -> None:
    async def done(_: Job) -> None:
        """Nothing is to be done."""

    before = count_of("trim_job_log", outcome)
    if outcome == "dead":
        await kill_job(house, TrimJobLog())
    else:
        await enqueue(house, TrimJobLog())
        async with worker(house, done, job=TrimJobLog):
            await until_queue_is(house)
    assert count_of("trim_job_log", outcome) == before + 1


def count_of(kind: str, outcome: str) -> float:
    start = f'packhouse_jobs_total{{kind="{kind}",outcome="{outcome}"}} '
    lines = [line for line in METERS.text().splitlines() if line.startswith(start)]
    return float(lines[0].removeprefix(start)) if lines else 0.0
