"""Background jobs, for operators: what the queue holds, and the jobs that nothing helped."""

from typing import Annotated

import msgspec
from litestar import get, post
from litestar.params import FromQuery, JSONBody, PathParameter

from packhouse.flows.retry_job import DiscardJob, RetryJob, discard_job, retry_job
from packhouse.foundation.limits import PAGE_LIMIT_DEFAULT
from packhouse.plumbing.dead_letters import DeadLetter, JobCount, count_jobs, list_dead_letters
from packhouse.web.api.admin.reasons import Reason
from packhouse.web.api.pages_of_results import ResultPage, SequencePosition, page_of
from packhouse.web.api.requests import ApiRequest, Limit
from packhouse.web.context import context_of
from packhouse.web.queries import read_cursor

JobNumber = Annotated[int, PathParameter(ge=1, le=2**63 - 1)]


class JobQueue(msgspec.Struct, frozen=True):
    """How many jobs of each kind wait, are in work, and are dead; a kind without any is left out.

    ``due_since`` is when the one that has waited longest should have been begun, at the earliest.
    """

    jobs: tuple[JobCount, ...]


class Discard(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why a job need not be done."""

    reason: Reason


@get("/job-queue")
async def get_job_queue(request: ApiRequest) -> JobQueue:
    """What the queue holds."""
    async with context_of(request.scope).house.database.reading() as connection:
        return JobQueue(jobs=tuple(await count_jobs(connection)))


@get("/jobs")
async def list_jobs_given_up(
    request: ApiRequest,
    limit: Limit = PAGE_LIMIT_DEFAULT,
    cursor: FromQuery[str | None] = None,
) -> ResultPage[DeadLetter]:
    """Jobs that no attempt could do, the newest first; ``id`` is the queue's own number."""
    async with context_of(request.scope).house.database.reading() as connection:
        after = read_cursor(cursor, SequencePosition)
        found = await list_dead_letters(
            connection, before=None if after is None else after.sequence, limit=limit + 1
        )
    return page_of(found, limit=limit, position=lambda letter: SequencePosition(letter.id))


@post("/jobs/{job_id:int}/retries", status_code=201)
async def create_retry(request: ApiRequest, job_id: JobNumber) -> DeadLetter:
    """Put one back into the queue, with all its attempts before it."""
    context = context_of(request.scope)
    return await retry_job(context.house, RetryJob(actor=context.actor(), job_id=job_id))


@post("/jobs/{job_id:int}/discard", status_code=201)
async def create_discard(
    request: ApiRequest, job_id: JobNumber, data: JSONBody[Discard]
) -> DeadLetter:
    """Take one out of the queue for good."""
    context = context_of(request.scope)
    command = DiscardJob(actor=context.actor(), job_id=job_id, reason=data.reason)
    return await discard_job(context.house, command)


JOB_HANDLERS = [get_job_queue, list_jobs_given_up, create_retry, create_discard]
