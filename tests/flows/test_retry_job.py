"""A dead letter is tried again, or discarded, once, and who did it is on record."""

import asyncio
from uuid import UUID

import pytest

from packhouse.flows.retry_job import DiscardJob, RetryJob, discard_job, retry_job
from packhouse.foundation.errors import InvalidInput, NotFound
from packhouse.foundation.jobs import DeleteSessions, SendLetter
from packhouse.house import House
from packhouse.plumbing.audit import AuditEntry, list_audit_entries
from packhouse.plumbing.dead_letters import (
    DeadLetter,
    JobCount,
    JobWaitsAlready,
    count_dead_letters,
    count_jobs,
    list_dead_letters,
)
from packhouse.plumbing.jobs import insert_jobs, queue_on
from packhouse.plumbing.postgres import Connection
from worlds.ember_counter import Person
from worlds.queued_jobs import enqueue, kill_job, list_queue, until_queue_is

LETTER = SendLetter(letter="welcome", id=UUID(int=1), user_id=UUID(int=2), subject_id=UUID(int=2))


async def list_dead(house: House) -> list[DeadLetter]:
    async with house.database.connection() as connection:
        return await list_dead_letters(connection, before=None, limit=10)


async def last_act(house: House) -> AuditEntry:
    async with house.database.connection() as connection:
        (entry, *_) = await list_audit_entries(connection, before=None, limit=1)
    return entry


async def test_a_dead_letter_tells_what_it_was_and_why_it_failed(house: House) -> None:
    killed = await kill_job(house, LETTER, reason="The mail server refuses it.")
    [letter] = await list_dead(house)
    assert (letter.id, letter.job, letter.version) == (killed, "send_letter", 1)
    assert letter.about == {
        "letter": "welcome",
        "id": str(UUID(int=1)),
        "user_id": str(UUID(int=2)),
        "subject_id": str(UUID(int=2)),
    }
    assert letter.attempts == 1
    assert letter.reason == "refused: The mail server refuses it."
    assert letter.died_at >= letter.enqueued_at


async def test_it_is_tried_again_from_the_beginning(house: House, olga: Person) -> None:
    killed = await kill_job(house, LETTER)
    letter = await retry_job(house, RetryJob(olga.actor, killed))
    assert letter.job == "send_letter"
    await until_queue_is(house, ("queued", 0))
    assert await list_dead(house) == []
    entry = await last_act(house)
    assert (entry.action, entry.subject) == ("retry_job", f"job:{killed}")
    assert entry.details["about"]["id"] == str(UUID(int=1))


async def test_it_is_discarded_with_a_reason(house: House, olga: Person) -> None:
    killed = await kill_job(house, LETTER)
    await discard_job(house, DiscardJob(olga.actor, killed, "The address is wrong."))
    assert await list_queue(house) == []
    entry = await last_act(house)
    assert (entry.action, entry.reason) == ("discard_job", "The address is wrong.")


async def test_without_a_reason_nothing_is_discarded(house: House, olga: Person) -> None:
    killed = await kill_job(house, LETTER)
    with pytest.raises(InvalidInput):
        await discard_job(house, DiscardJob(olga.actor, killed, "  "))
    assert [letter.id for letter in await list_dead(house)] == [killed]


@pytest.mark.parametrize("state", ["waiting", "unknown"])
async def test_only_dead_letters_are_tried_again_or_discarded(
    house: House, olga: Person, state: str
) -> None:
    number = 2**63 - 1
    if state == "waiting":
        await enqueue(house, DeleteSessions())
        number = (await list_queue(house))[0].id
    with pytest.raises(NotFound):
        await retry_job(house, RetryJob(olga.actor, number))
    with pytest.raises(NotFound):
        await discard_job(house, DiscardJob(olga.actor, number, "Why not."))


async def test_two_who_act_at_once_act_once(house: House, olga: Person) -> None:
    killed = await kill_job(house, LETTER)
    outcomes = await asyncio.gather(
        retry_job(house, RetryJob(olga.actor, killed)),
        discard_job(house, DiscardJob(olga.actor, killed, "Enough.")),
        return_exceptions=True,
    )
    assert [type(each) for each in outcomes if isinstance(each, Exception)] == [NotFound]


async def enqueue_due(connection: Connection) -> None:
    await insert_jobs(queue_on(connection), [DeleteSessions()], once=True)


async def test_what_is_due_anyway_is_not_queued_twice(house: House, olga: Person) -> None:
    async with house.database.transaction() as connection:
        await enqueue_due(connection)
        await connection.execute("UPDATE jobs.pgqueuer SET status = 'failed'")
    [dead] = await list_dead(house)
    assert dead.reason == "It is not known."
    async with house.database.transaction() as connection:
        await enqueue_due(connection)
    with pytest.raises(JobWaitsAlready):
        await retry_job(house, RetryJob(olga.actor, dead.id))
    await discard_job(house, DiscardJob(olga.actor, dead.id, "It comes again."))
    await until_queue_is(house, ("queued", 0))


async def test_a_worker_is_called_for_what_is_tried_again(house: House, olga: Person) -> None:
    killed = await kill_job(house, LETTER)
    called = asyncio.Event()
    async with house.database.connection() as connection:
        await connection.add_listener("ch_pgqueuer", lambda *_: called.set())
        await retry_job(house, RetryJob(olga.actor, killed))
        async with asyncio.timeout(20):
            await called.wait()
        await connection.close()


async def test_the_queue_is_counted_by_kind(house: House) -> None:
    await kill_job(house, LETTER)
    await kill_job(house, LETTER)
    await enqueue(house, DeleteSessions())
    async with house.database.connection() as connection:
        counts = await count_jobs(connection)
        assert await count_dead_letters(connection) == 2
    waiting, dead = counts
    assert waiting.due_since is not None
    assert waiting == JobCount("delete_sessions", 1, 0, 0, waiting.due_since)
    assert dead == JobCount("send_letter", 0, 0, 2, None)
