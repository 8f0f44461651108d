"""Staff try a dead letter again, or discard it.

Lock order: the job's row in the queue, which no worker looks at while it is a dead letter.
"""

import msgspec

from packhouse import accounts
from packhouse.foundation.errors import NotFound
from packhouse.house import House
from packhouse.plumbing.audit import Actor, insert_audit_entry
from packhouse.plumbing.dead_letters import (
    DeadLetter,
    discard_dead_letter,
    lock_dead_letter,
    retry_dead_letter,
)
from packhouse.plumbing.postgres import Connection


class RetryJob(msgspec.Struct, frozen=True):
    """Which job, by the queue's own number."""

    actor: Actor
    job_id: int


class DiscardJob(msgspec.Struct, frozen=True):
    """Which job, and why it need not be done."""

    actor: Actor
    job_id: int
    reason: str


async def retry_job(house: House, command: RetryJob) -> DeadLetter:
    """Put a dead letter back into the queue, with all attempts before it.

    Raises ``NotFound``, ``JobWaitsAlready``.
    """
    async with house.database.transaction() as connection:
        letter = await _lock(connection, command.job_id)
        await retry_dead_letter(connection, letter)
        await _note(house, connection, command.actor, letter, action="retry_job", reason=None)
    return letter


async def discard_job(house: House, command: DiscardJob) -> DeadLetter:
    """Take a dead letter out of the queue for good. Raises ``NotFound``, ``InvalidInput``."""
    reason = accounts.require_reason(command.reason)
    async with house.database.transaction() as connection:
        letter = await _lock(connection, command.job_id)
        await discard_dead_letter(connection, letter)
        await _note(house, connection, command.actor, letter, action="discard_job", reason=reason)
    return letter


async def _lock(connection: Connection, job_id: int) -> DeadLetter:
    letter = await lock_dead_letter(connection, job_id)
    if letter is None:
        raise NotFound("There is no such dead letter (any more).")
    return letter


async def _note(
    house: House,
    connection: Connection,
    actor: Actor,
    letter: DeadLetter,
    *,
    action: str,
    reason: str | None,
) -> None:
    await insert_audit_entry(
        connection,
        actor=actor,
        action=action,
        subject=f"job:{letter.id}",
        reason=reason,
        details={"job": letter.job, "about": letter.about},
        now=house.clock(),
    )
