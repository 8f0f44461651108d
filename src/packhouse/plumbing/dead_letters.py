"""What the queue holds, for people: how many jobs of each kind, and those that nothing helped.

A dead letter stays in PgQueuer's table until somebody of the staff tries it again or discards it.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar

import asyncpg
import msgspec

from packhouse.foundation.errors import Breach, Refusal
from packhouse.plumbing.jobs import call_workers, queue_on
from packhouse.plumbing.postgres import Connection, ReadConnection, Record
from packhouse.plumbing.queries import load_queries

QUERIES = load_queries("packhouse.plumbing")


class JobWaitsAlready(Refusal):
    """The same job is in the queue once more; it need not be there twice."""

    code: ClassVar[str] = "job_waits_already"


class DeadLetter(msgspec.Struct, frozen=True):
    """A job that no attempt could do. ``about`` is what it was told, which is ids; ``reason`` is
    why the last attempt failed.
    """

    id: int
    job: str
    version: int
    about: dict[str, Any]
    attempts: int
    reason: str
    enqueued_at: datetime
    died_at: datetime


class JobCount(msgspec.Struct, frozen=True):
    """How many jobs of a kind wait, are in work, and are dead; and since when one is due."""

    job: str
    waiting: int
    running: int
    dead: int
    due_since: datetime | None


async def count_jobs(connection: ReadConnection) -> list[JobCount]:
    """Each kind of job that is in the queue at all."""
    rows = await connection.fetch(QUERIES["count_jobs"])
    return [JobCount(**row) for row in rows]


async def count_dead_letters(connection: ReadConnection) -> int:
    """How many there are, of all kinds."""
    return int(await connection.fetchval(QUERIES["count_dead_letters"]))


async def list_dead_letters(
    connection: ReadConnection, *, before: int | None, limit: int
) -> list[DeadLetter]:
    """A page of dead letters, the newest jobs first, older than the job ``before``."""
    rows = await connection.fetch(QUERIES["list_dead_letters"], before, limit)
    return [_read(row) for row in rows]


async def lock_dead_letter(connection: Connection, job_id: int) -> DeadLetter | None:
    """One of them, locked until the transaction ends; None when it is none (any more)."""
    row = await connection.fetchrow(QUERIES["lock_dead_letter"], job_id)
    return None if row is None else _read(row)


async def retry_dead_letter(connection: Connection, letter: DeadLetter) -> None:
    """Put one that is locked back into the queue, with all its attempts before it.

    Workers are called when the transaction is committed. Raises ``JobWaitsAlready``.
    """
    queue = queue_on(connection)
    try:
        await queue.requeue_jobs([_job_id(letter)])
    except asyncpg.UniqueViolationError as error:
        raise JobWaitsAlready(
            "The same job waits in the queue already; discard this one.", job=letter.job
        ) from error
    await call_workers(queue)


async def discard_dead_letter(connection: Connection, letter: DeadLetter) -> None:
    """Take one that is locked out of the queue for good; the queue's log keeps that it was."""
    queue = queue_on(connection)
    job = await queue.queue_job_by_id(_job_id(letter))
    if job is None:
        raise Breach("A locked dead letter vanished.")
    await queue.log_jobs([(job, "deleted", None)])


def _job_id(letter: DeadLetter) -> Any:  # noqa: ANN401 - PgQueuer has a type of its own for it
    return letter.id


def _read(row: Record) -> DeadLetter:
    name, _, version = row["entrypoint"].rpartition(".v")
    about: Mapping[str, Any] = msgspec.json.decode(row["payload"] or b"{}")
    return DeadLetter(
        id=row["id"],
        job=name,
        version=int(version),
        about=dict(about),
        # The last attempt is not counted in the row.
        attempts=row["attempts"] + 1,
        reason=row["reason"] or "It is not known.",
        enqueued_at=row["created"],
        died_at=row["updated"],
    )
