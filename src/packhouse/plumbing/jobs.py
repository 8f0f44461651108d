"""Jobs on their way to a worker: put into the queue in the transaction of what they follow from.

The queue is PgQueuer's: tables in this same database, in the schema ``jobs``, so that a job is
there exactly when its cause is committed. Its texts of SQL stay its own; this module says where its
tables are and speaks to it over the shop's connections.
"""

import hashlib
import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec
from pgqueuer.adapters.persistence.qb import (
    DBSettings,
    QueryBuilderEnvironment,
    QueryQueueBuilder,
    QuerySchedulerBuilder,
)
from pgqueuer.db import AsyncpgDriver
from pgqueuer.models import Channel, TableChangedEvent
from pgqueuer.queries import Queries

from packhouse.foundation.jobs import Job
from packhouse.foundation.time import utc_now
from packhouse.plumbing.postgres import Connection
from packhouse.plumbing.queries import load_queries

QUERIES = load_queries("packhouse.plumbing")

JOBS_SCHEMA: Final = "jobs"

# Its own names, so that its own tools find them. All are said, because it would else take them from
# variables such as TRIGGER or FUNCTION, whoever set those.
NAMES: Final = DBSettings(
    prefix="",
    db_schema=JOBS_SCHEMA,
    channel=Channel("ch_pgqueuer"),
    function="fn_pgqueuer_changed",
    statistics_table="pgqueuer_statistics",
    queue_status_type="pgqueuer_status",
    queue_table="pgqueuer",
    queue_table_log="pgqueuer_log",
    trigger="tg_pgqueuer_changed",
    schedules_table="pgqueuer_schedules",
    widen_id=True,
)

_JSON_ARGUMENT: Final = re.compile(r"\$(\d+)::jsonb", re.IGNORECASE)


class ShopDriver(AsyncpgDriver):
    """PgQueuer on a connection of the shop: JSON is text to it, and values to the connection."""

    async def fetch(self, query: str, *args: object) -> list[dict[str, object]]:
        """Rows of a query, with JSON as text."""
        rows = await super().fetch(query, *_with_values(query, args))
        return [{name: _as_text(value) for name, value in row.items()} for row in rows]

    async def execute(self, query: str, *args: object) -> str:
        """Run a statement."""
        return await super().execute(query, *_with_values(query, args))


def queue_on(connection: Connection) -> Queries:
    """PgQueuer's questions to the queue, asked on this connection, one after the other."""
    return Queries(
        ShopDriver(connection),
        qbe=QueryBuilderEnvironment(NAMES),
        qbq=QueryQueueBuilder(NAMES),
        qbs=QuerySchedulerBuilder(NAMES),
    )


async def enqueue_jobs(
    connection: Connection, jobs: Sequence[Job], *, after: timedelta = timedelta()
) -> None:
    """Put jobs into the queue, in the caller's transaction; not to be begun before ``after``."""
    await insert_jobs(queue_on(connection), jobs, after=after)


async def insert_jobs(
    queue: Queries, jobs: Sequence[Job], *, after: timedelta = timedelta(), once: bool = False
) -> None:
    """Put jobs into the queue; with ``once`` not those that wait there already, or are in work."""
    if not jobs:
        return
    names = [entrypoint_of(type(job)) for job in jobs]
    payloads: list[bytes | None] = [msgspec.json.encode(job) for job in jobs]
    nothing, later = [0] * len(jobs), [after] * len(jobs)
    if once:
        await queue.enqueue(
            names,
            payloads,
            nothing,
            list(later),
            [_key_of(job) for job in jobs],
            on_conflict="skip",
        )
    else:
        await queue.enqueue(names, payloads, nothing, list(later))


async def call_workers(queue: Queries) -> None:
    """Have workers look for jobs, once this transaction is committed.

    A job that is put into the queue calls them by itself; one that is put back does not.
    """
    event = TableChangedEvent(
        channel=NAMES.channel,
        sent_at=utc_now(),
        type="table_changed_event",
        operation="update",
        table=NAMES.queue_table,
    )
    await queue.driver.notify(NAMES.channel, event.model_dump_json())


async def delete_job_log(connection: Connection, *, before: datetime, limit: int) -> int:
    """Delete what was noted of jobs before then; gives how many rows, ``limit`` at most."""
    told = await connection.execute(QUERIES["delete_job_log"], before, limit)
    return int(told.removeprefix("DELETE "))


def entrypoint_of(job: type[Job]) -> str:
    """What the queue calls a job. Workers take only what they know by name and version."""
    return f"{job.name}.v{job.version}"


def _key_of(job: Job) -> str:
    told = hashlib.sha256(msgspec.json.encode(job)).hexdigest()
    return f"{entrypoint_of(type(job))}:{told}"


def _with_values(query: str, args: Sequence[object]) -> list[object]:
    """The arguments of a statement, with JSON as the shop's connections take it."""
    values = list(args)
    for found in _JSON_ARGUMENT.finditer(query):
        place = int(found[1]) - 1
        given = values[place]
        values[place] = (
            [_as_value(each) for each in given] if isinstance(given, list) else _as_value(given)
        )
    return values


def _as_value(text: object) -> object:
    return msgspec.Raw(text.encode()) if isinstance(text, str) else text


def _as_text(value: object) -> object:
    return msgspec.json.encode(value).decode() if isinstance(value, dict) else value
