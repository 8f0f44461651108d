"""Jobs in the queue as a test sees them, and workers that do what the test says."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime

import msgspec

from packhouse.foundation.errors import Refusal
from packhouse.foundation.jobs import DeleteSessions, Job
from packhouse.foundation.limits import JOB_ATTEMPTS_MAX
from packhouse.house import House
from packhouse.plumbing.job_queue import Work, run_job_queue
from packhouse.plumbing.jobs import enqueue_jobs

PATIENCE_SECONDS = 60


class QueuedJob(msgspec.Struct, frozen=True):
    """A row of the queue."""

    id: int
    entrypoint: str
    status: str
    attempts: int
    execute_after: datetime


async def list_queue(house: House) -> list[QueuedJob]:
    async with house.database.connection() as connection:
        rows = await connection.fetch(
            "SELECT id, entrypoint, status::text, attempts, execute_after"
            " FROM jobs.pgqueuer ORDER BY id"
        )
    return [QueuedJob(**row) for row in rows]


async def list_payloads(house: House, name: str) -> list[bytes]:
    """What the waiting jobs of a name were told, whatever their version."""
    async with house.database.connection() as connection:
        rows = await connection.fetch(
            "SELECT payload FROM jobs.pgqueuer WHERE entrypoint LIKE $1 || '.v%' ORDER BY id", name
        )
    return [row["payload"] for row in rows]


async def enqueue(house: House, *jobs: Job) -> None:
    async with house.database.transaction() as connection:
        await enqueue_jobs(connection, jobs)


async def let_pauses_end(house: House) -> None:
    async with house.database.connection() as connection:
        await connection.execute("UPDATE jobs.pgqueuer SET execute_after = now()")


async def use_up_attempts(house: House) -> None:
    """All but the last one."""
    async with house.database.connection() as connection:
        await connection.execute("UPDATE jobs.pgqueuer SET attempts = $1", JOB_ATTEMPTS_MAX - 1)


async def kill_job(house: House, job: Job, *, reason: str = "It cannot be done.") -> int:
    """Let a job become a dead letter; gives its number."""

    async def refuse(_: Job) -> None:
        raise Refusal(reason)

    known = {each.id for each in await list_queue(house)}
    await enqueue(house, job)
    async with worker(house, refuse, job=type(job)):

        async def is_dead() -> bool:
            return all(each.status == "failed" for each in await list_queue(house))

        await until(is_dead)
    (killed,) = {each.id for each in await list_queue(house)} - known
    return killed


async def list_reasons(house: House) -> list[str]:
    """Everything that was noted of failures, tracebacks too."""
    async with house.database.connection() as connection:
        rows = await connection.fetch(
            "SELECT traceback::text AS told FROM jobs.pgqueuer_log"
            " WHERE traceback IS NOT NULL ORDER BY id"
        )
    return [row["told"] for row in rows]


@asynccontextmanager
async def worker(
    house: House,
    run: Callable[[Job], Awaitable[None]],
    *,
    job: type[Job] = DeleteSessions,
    seconds_max: float = 60.0,
) -> AsyncIterator[asyncio.Task[None]]:
    """A worker that does ``run`` for each job; stopped, and then waited for, at the end."""
    stop = asyncio.Event()

    async def work() -> None:
        async with house.database.connection() as connection:
            try:
                works = [Work(job=job, run=run, seconds_max=seconds_max)]
                await run_job_queue(connection, works, stop=stop)
            finally:
                connection.terminate()

    task = asyncio.create_task(work())
    try:
        yield task
    finally:
        stop.set()
        async with asyncio.timeout(PATIENCE_SECONDS):
            await task


async def until(holds: Callable[[], bool | Awaitable[bool]]) -> None:
    """Until something holds; a test that waits in vain fails."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            found = holds()
            if found if isinstance(found, bool) else await found:
                return
            await asyncio.sleep(0.01)


async def until_queue_is(house: House, *wanted: tuple[str, int]) -> None:
    """Until the queue's jobs have these states after so many attempts."""

    async def is_so() -> bool:
        return [(each.status, each.attempts) for each in await list_queue(house)] == [*wanted]

    await until(is_so)
