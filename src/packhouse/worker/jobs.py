"""The jobs' loop: what is done for each kind of job, and when some of them come by themselves.

A new kind of job is a line of ``DUTIES``; see ``docs/guides/add-a-job.md``.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, Final

import msgspec

from packhouse.flows.make_picture_forms import make_picture_forms
from packhouse.flows.remind_of_sell_backs import remind_of_sell_backs
from packhouse.flows.send_letter import send_letter, send_reminder
from packhouse.foundation.errors import Outage
from packhouse.foundation.jobs import (
    DeleteSessions,
    EraseFeedNames,
    Job,
    MakePictureForms,
    RemindOfSellBacks,
    RevealSeeds,
    SendLetter,
    SendReminder,
    TrimJobLog,
)
from packhouse.foundation.limits import JOB_SECONDS_MAX
from packhouse.house import House
from packhouse.plumbing.job_queue import Work, run_job_queue
from packhouse.plumbing.logging import get_log
from packhouse.worker.sweep import delete_sessions, erase_names, reveal_seeds, trim_job_log

OUTAGE_PAUSE_SECONDS: Final = 1.0
LONG_SECONDS: Final = 600.0
"""For what goes on until nothing is left, and may find much after a night without a worker."""

log = get_log(__name__)


class Duty(msgspec.Struct, frozen=True):
    """A kind of job and what is done for it; ``schedule`` is a cron expression, in UTC."""

    job: type[Job]
    run: Callable[[House, Any], Awaitable[None]]
    seconds_max: float = JOB_SECONDS_MAX
    schedule: str | None = None


DUTIES: Final = (
    Duty(SendLetter, send_letter),
    Duty(SendReminder, send_reminder),
    Duty(RemindOfSellBacks, remind_of_sell_backs, LONG_SECONDS, schedule="0 8 * * *"),
    Duty(RevealSeeds, reveal_seeds, LONG_SECONDS, schedule="* * * * *"),
    Duty(EraseFeedNames, erase_names, LONG_SECONDS, schedule="* * * * *"),
    Duty(DeleteSessions, delete_sessions, LONG_SECONDS, schedule="*/5 * * * *"),
    Duty(MakePictureForms, make_picture_forms, LONG_SECONDS),
    Duty(TrimJobLog, trim_job_log, LONG_SECONDS, schedule="23 4 * * *"),
)


async def run_jobs(house: House, stop: asyncio.Event) -> None:
    """Do jobs until ``stop`` is set; an outage is waited out, and no job's failure ends this."""
    works = [_work(house, duty) for duty in DUTIES]
    if house.mail is None:
        log.warning("No letters are sent: neither a mail server nor a folder for them is set")
    while not stop.is_set():
        try:
            async with house.database.connection() as connection:
                try:
                    await run_job_queue(connection, works, stop=stop)
                finally:
                    # It listens, so nobody else shall have it.
                    connection.terminate()
        except Outage as outage:
            log.warning("The jobs wait for the database", code=outage.code)
            with suppress(TimeoutError):
                async with asyncio.timeout(OUTAGE_PAUSE_SECONDS):
                    await stop.wait()


def _work(house: House, duty: Duty) -> Work:
    async def run(job: Job) -> None:
        await duty.run(house, job)

    return Work(job=duty.job, run=run, seconds_max=duty.seconds_max, schedule=duty.schedule)
