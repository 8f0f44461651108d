"""The queue's other end: takes jobs out, has each done at least once, and tries again what failed.

PgQueuer gives a job to one worker at a time and hears by heartbeat whether that one still lives.
What is ours is what becomes of an attempt:

- It fails: again after a pause that grows, with some chance in it so that what failed together does
  not come back together; after ``JOB_ATTEMPTS_MAX`` it is a dead letter, which stays in the queue's
  table until somebody of the staff tries it again or discards it. A Refusal would be one for ever,
  so it is a dead letter at once.
- The worker is told to stop: it may go on for ``JOB_STOP_SECONDS``. Then it is broken off and goes
  back into the queue at once. That counts as an attempt, or a job that never ends would be handed
  around for ever.
- The worker is killed: after ``JOB_HEARTBEAT_SECONDS`` another one takes it.

So a job may be begun again after it was done, and must not mind.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Final, NoReturn

import msgspec
from pgqueuer import models as queued
from pgqueuer.errors import RetryRequested
from pgqueuer.qm import QueueManager
from pgqueuer.queries import Queries
from pgqueuer.sm import SchedulerManager

from packhouse.foundation.errors import Outage, PackhouseError, Refusal
from packhouse.foundation.jobs import Job
from packhouse.foundation.limits import (
    JOB_ATTEMPTS_MAX,
    JOB_HEARTBEAT_SECONDS,
    JOB_LOOK_SECONDS,
    JOB_RETRY_FACTOR,
    JOB_RETRY_SECONDS_MAX,
    JOB_RETRY_SECONDS_MIN,
    JOB_STOP_SECONDS,
    JOBS_AT_ONCE,
    JOBS_PER_LOOK,
)
from packhouse.plumbing.jobs import (
    NAMES,
    call_workers,
    entrypoint_of,
    insert_jobs,
    queue_on,
)
from packhouse.plumbing.logging import get_log
from packhouse.plumbing.masking import mask_text
from packhouse.plumbing.metrics import JOBS
from packhouse.plumbing.postgres import Connection

END_SECONDS_MAX: Final = JOB_STOP_SECONDS + 5.0
"""How long the queue may take to put down what it has; then its connection is cut off."""
REASON_LENGTH_MAX: Final = 300

log = get_log(__name__)


class Work(msgspec.Struct, frozen=True):
    """What is done for one kind of job, how long it may take, and when it comes by itself.

    ``schedule`` is a cron expression, in UTC.
    """

    job: type[Job]
    run: Callable[[Job], Awaitable[None]]
    seconds_max: float
    schedule: str | None = None


class JobFailed(Exception):
    """An attempt was the last one. The text is for staff and names nobody."""


class JobTookTooLong(Exception):
    """An attempt did not end in its time, and was broken off."""


async def run_job_queue(
    connection: Connection, works: Sequence[Work], *, stop: asyncio.Event
) -> None:
    """Take jobs and do them until ``stop`` is set; the connection is no good to others afterwards.

    Raises what the driver raises when the connection fails. What was in hand is put down first,
    also when this is cancelled.
    """
    queue = queue_on(connection)
    attempts = _Attempts()
    takes = QueueManager(queue, channel=NAMES.channel)
    calls = SchedulerManager(queue)
    # As its own facade has it, which however cancels what is in hand when one of both fails, and a
    # job that is cancelled counts as done.
    takes.shutdown = calls.shutdown = ended = asyncio.Event()
    for work in works:
        name = entrypoint_of(work.job)
        takes.entrypoint(name, accepts_context=False, on_failure="hold")(attempts.at(work))
        if work.schedule is not None:
            calls.schedule(name, work.schedule, accepts_context=False)(_call(queue, work.job))
    loops = [
        asyncio.create_task(
            takes.run(
                dequeue_timeout=timedelta(seconds=JOB_LOOK_SECONDS),
                batch_size=JOBS_PER_LOOK,
                max_concurrent_tasks=JOBS_AT_ONCE,
                heartbeat_timeout=timedelta(seconds=JOB_HEARTBEAT_SECONDS),
                log_aggregation_interval=timedelta(),
            )
        ),
        asyncio.create_task(calls.run()),
    ]
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait([*loops, stopping], return_when=asyncio.FIRST_COMPLETED)
    finally:
        stopping.cancel()
        ended.set()
        attempts.break_off()
        await _wait_for_the_end(loops, connection)
    errors = [error for loop in loops if (error := loop.exception()) is not None]
    if errors:
        raise errors[0]
    if attempts.put_back:
        await call_workers(queue)


def pause_before_retry(attempts: int, *, chance: float) -> timedelta:
    """How long to wait after so many failed attempts; ``chance`` is between 0 and 1."""
    longest = min(
        JOB_RETRY_SECONDS_MIN * JOB_RETRY_FACTOR ** max(attempts - 1, 0), JOB_RETRY_SECONDS_MAX
    )
    return timedelta(seconds=longest * (0.5 + chance / 2))


class _Attempts:
    """Does jobs, one attempt each, and says what becomes of them."""

    def __init__(self) -> None:
        self._broken_off = asyncio.Event()
        self.put_back = 0

    def break_off(self) -> None:
        """No attempt goes on for longer than those may that were told to stop."""
        self._broken_off.set()

    def at(self, work: Work) -> Callable[[queued.Job], Awaitable[None]]:
        """What the queue calls for each job of this kind."""

        async def attempt(found: queued.Job) -> None:
            began = time.monotonic()
            result = "retried"
            try:
                await self._attempt(work, found)
                result = "done"
            except JobFailed:
                result = "dead"
                raise
            finally:
                JOBS.of(work.job.name, result).add()
                log.info(
                    "A job was tried",
                    job=work.job.name,
                    job_id=found.id,
                    result=result,
                    attempt=found.attempts + 1,
                    seconds=round(time.monotonic() - began, 3),
                )

        return attempt

    async def _attempt(self, work: Work, found: queued.Job) -> None:
        try:
            job = msgspec.json.decode(found.payload or b"{}", type=work.job)
            has_ended = await self._run(work, job)
        except Exception as error:  # noqa: BLE001 - whatever it is, the job must not be lost
            self._fail(work, found, error)
        if not has_ended:
            self.put_back += 1
            # Without its cause, as below.
            raise RetryRequested(timedelta(), "The worker was told to stop.") from None

    async def _run(self, work: Work, job: Job) -> bool:
        """Whether the job ended by itself; False when it was broken off for the worker's end."""
        task = asyncio.ensure_future(work.run(job))
        told = asyncio.create_task(self._broken_off.wait())
        try:
            await asyncio.wait(
                [task, told], timeout=work.seconds_max, return_when=asyncio.FIRST_COMPLETED
            )
            if told.done() and not task.done():
                await asyncio.wait([task], timeout=JOB_STOP_SECONDS)
            if task.done():
                await task
                return True
            if self._broken_off.is_set():
                return False
            raise JobTookTooLong(f"It took longer than {work.seconds_max:.0f} seconds.")
        finally:
            told.cancel()
            if not task.done():
                task.cancel()
                with suppress(asyncio.CancelledError, Exception):
                    await task

    def _fail(self, work: Work, found: queued.Job, error: Exception) -> NoReturn:
        reason = _reason(error)
        attempts = found.attempts + 1
        if not isinstance(error, Refusal | Outage | JobTookTooLong):
            log.error("A job failed", job=work.job.name, job_id=found.id, exc_info=error)
        # Never with its cause: PgQueuer keeps the whole traceback, and a mail server's answer, say,
        # quotes the address.
        if isinstance(error, Refusal) or attempts >= JOB_ATTEMPTS_MAX:
            log.error("A job is a dead letter", job=work.job.name, job_id=found.id, reason=reason)
            raise JobFailed(reason) from None
        chance = random.random()  # noqa: S311 - it spreads work, and guards nothing
        raise RetryRequested(pause_before_retry(attempts, chance=chance), reason) from None


def _reason(error: Exception) -> str:
    """Why it failed, for staff: our own sentences, and of what is not ours the kind alone."""
    if isinstance(error, PackhouseError):
        said = f"{error.code}: {error.message}"
    elif isinstance(error, JobTookTooLong):
        said = str(error)
    else:
        said = f"{type(error).__module__}.{type(error).__qualname__}"
    return mask_text(said)[:REASON_LENGTH_MAX]


def _call(queue: Queries, job: type[Job]) -> Callable[[queued.Schedule], Awaitable[None]]:
    """Put a job that falls due into the queue, where it is tried again if it fails."""

    async def call(_: queued.Schedule) -> None:
        # What comes by the clock has no fields.
        await insert_jobs(queue, [msgspec.convert({}, job)], once=True)

    return call


async def _wait_for_the_end(loops: Sequence[asyncio.Task[None]], connection: Connection) -> None:
    """Let the queue put down what it has, whoever cancels meanwhile.

    What it is cancelled at, it would note as done; so before that it is silenced.
    """
    is_cancelled = False
    until = time.monotonic() + END_SECONDS_MAX
    pending = set(loops)
    while pending and (left := until - time.monotonic()) > 0:
        try:
            _, pending = await asyncio.wait(pending, timeout=left)
        except asyncio.CancelledError:
            is_cancelled = True
            pending = {loop for loop in pending if not loop.done()}
    if pending:
        log.error("The job queue did not come to its end, and was cut off")
        connection.terminate()
        for loop in pending:
            loop.cancel()
        await asyncio.wait(pending)
    if is_cancelled:
        raise asyncio.CancelledError
    if pending:
        raise TimeoutError
