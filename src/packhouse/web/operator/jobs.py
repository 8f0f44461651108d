"""Background jobs: what the queue holds, and the dead letters, to be tried again or discarded."""

from typing import Annotated, Any, Final

import msgspec
from litestar import get, post
from litestar.params import PathParameter

from packhouse.accounts import REASON_LENGTH_MAX
from packhouse.flows.retry_job import DiscardJob, RetryJob, discard_job, retry_job
from packhouse.foundation.errors import Refusal
from packhouse.plumbing.dead_letters import DeadLetter, count_jobs, list_dead_letters
from packhouse.web.api.pages_of_results import SequencePosition
from packhouse.web.context import context_of
from packhouse.web.operator.forms import Form, PageRequest, read_form
from packhouse.web.operator.frame import Page, address, back_to, operator_page, search_of
from packhouse.web.queries import read_cursor, write_cursor

LETTERS_PAGE: Final = 20
DONE: Final = {
    "retried": "It is in the queue again. If it comes back here, its reason tells why.",
    "discarded": "It was taken out of the queue.",
}

JobNumber = Annotated[int, PathParameter(ge=1, le=2**63 - 1)]


@get("/jobs")
async def show_jobs(request: PageRequest) -> Page:
    """Figures by kind of job, and a page of dead letters."""
    return await _jobs_page(request)


@post("/jobs/{job_id:int}/retries")
async def retry(request: PageRequest, job_id: JobNumber) -> Page:
    """Try a dead letter again."""
    context = context_of(request.scope)
    try:
        await retry_job(context.house, RetryJob(context.actor(), job_id))
    except Refusal as error:
        return await _jobs_page(request, error=error)
    return back_to("/admin/jobs", done="retried")


@post("/jobs/{job_id:int}/discard")
async def discard(request: PageRequest, job_id: JobNumber) -> Page:
    """Give a dead letter up for good."""
    context = context_of(request.scope)
    form = await read_form(request)
    reason = form.text("reason", length_max=REASON_LENGTH_MAX, is_required=True)
    if form.problems:
        return await _jobs_page(request, form=form)
    try:
        await discard_job(context.house, DiscardJob(context.actor(), job_id, reason))
    except Refusal as error:
        return await _jobs_page(request, form=form, error=error)
    return back_to("/admin/jobs", done="discarded")


async def _jobs_page(
    request: PageRequest, *, form: Form | None = None, error: Refusal | None = None
) -> Page:
    house = context_of(request.scope).house
    after = read_cursor(search_of(request, "after")["after"], SequencePosition)
    async with house.database.reading() as connection:
        counts = await count_jobs(connection)
        found = await list_dead_letters(
            connection,
            before=None if after is None else after.sequence,
            limit=LETTERS_PAGE + 1,
        )
    shown = found[:LETTERS_PAGE]
    more: str | None = None
    if len(found) > LETTERS_PAGE:
        more = address("/admin/jobs", after=write_cursor(SequencePosition(shown[-1].id)))
    values = {
        "counts": [(_title(each.job), each) for each in counts],
        "now": house.clock(),
        "letters": [_row(letter) for letter in shown],
        "sends_letters": house.mail is not None,
        "more_href": more,
    }
    return await operator_page(request, "jobs.html", values, form=form, error=error, done=DONE)


def _row(letter: DeadLetter) -> dict[str, Any]:
    return {
        "letter": letter,
        "title": _title(letter.job),
        "about": msgspec.json.format(msgspec.json.encode(letter.about), indent=2).decode(),
    }


def _title(name: str) -> str:
    return name.replace("_", " ").capitalize()


JOB_HANDLERS = [show_jobs, retry, discard]
