"""Every job is done at least once, and what cannot be done is kept for people to see."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from packhouse.foundation.errors import Outage, Refusal
from packhouse.foundation.jobs import DeleteSessions, Job, RevealSeeds
from packhouse.foundation.limits import JOB_ATTEMPTS_MAX, JOBS_AT_ONCE
from packhouse.house import House
from packhouse.plumbing.job_queue import pause_before_retry
from packhouse.plumbing.jobs import enqueue_jobs, insert_jobs, queue_on
from packhouse.worker.jobs import DUTIES, run_jobs
from worlds.queued_jobs import (
    enqueue,
    let_pauses_end,
    list_queue,
    list_reasons,
    until,
    until_queue_is,
    use_up_attempts,
    worker,
)

DEAD = ("failed", JOB_ATTEMPTS_MAX - 1)
"""The last attempt failed, and is counted no more."""


class Bench:
    """Where jobs are done: counts, and fails, waits or goes on as told."""

    def __init__(self) -> None:
        self.begun = 0
        self.ended = 0
        self.at_once_max = 0
        self.error: Exception | None = None
        self.goes_on = asyncio.Event()
        self.goes_on.set()

    async def __call__(self, _: Job) -> None:
        self.begun += 1
        self.at_once_max = max(self.at_once_max, self.begun - self.ended)
        if self.error is not None:
            raise self.error
        await self.goes_on.wait()
        self.ended += 1


@pytest.fixture
def bench() -> Bench:
    return Bench()


async def test_a_job_is_done_and_gone(house: House, bench: Bench) -> None:
    await enqueue(house, DeleteSessions())
    async with worker(house, bench):
        await until_queue_is(house)
    assert bench.ended == 1


async def test_a_job_is_there_exactly_when_its_cause_is_committed(house: House) -> None:
    async def fail_after_enqueueing() -> None:
        async with house.database.transaction() as connection:
            await enqueue_jobs(connection, [DeleteSessions()])
            raise ConnectionError

    with pytest.raises(Outage):
        await fail_after_enqueueing()
    assert await list_queue(house) == []


async def test_no_jobs_are_no_question(house: House) -> None:
    await enqueue(house)
    assert await list_queue(house) == []


async def test_a_worker_that_waits_is_called(house: House, bench: Bench) -> None:
    async with worker(house, bench):
        for _ in range(3):
            await enqueue(house, DeleteSessions())
            await until_queue_is(house)
    assert bench.ended == 3


async def test_what_fails_is_tried_again_later(house: House, bench: Bench) -> None:
    bench.error = Outage("The mail server is away.")
    await enqueue(house, DeleteSessions())
    async with worker(house, bench):
        await until_queue_is(house, ("queued", 1))
        assert bench.begun == 1
        bench.error = None
        await let_pauses_end(house)
        await until_queue_is(house)
    assert (bench.begun, bench.ended) == (2, 1)


async def test_after_the_last_attempt_it_is_a_dead_letter(house: House, bench: Bench) -> None:
    bench.error = Outage("The mail server is away.")
    await enqueue(house, DeleteSessions())
    await use_up_attempts(house)
    async with worker(house, bench):
        await until_queue_is(house, DEAD)
    assert bench.begun == 1
    assert "The mail server is away." in (await list_reasons(house))[-1]


async def test_a_refusal_is_a_dead_letter_at_once(house: House, bench: Bench) -> None:
    bench.error = Refusal("There is no such picture.")
    await enqueue(house, DeleteSessions())
    async with worker(house, bench):
        await until_queue_is(house, ("failed", 0))
    assert bench.begun == 1


@pytest.mark.parametrize(
    ("error", "kept"), [(ValueError, "builtins.ValueError"), (Refusal, "refused: 550")]
)
async def test_why_it_failed_names_nobody(
    house: House, bench: Bench, error: type[Exception], kept: str
) -> None:
    bench.error = error("550 <ada@example.com> is unknown here")
    await enqueue(house, DeleteSessions())
    await use_up_attempts(house)
    async with worker(house, bench):
        await until_queue_is(house, DEAD)
    [told] = await list_reasons(house)
    assert "ada" not in told
    assert kept in told


async def test_what_takes_too_long_is_broken_off_and_tried_again(
    house: House, bench: Bench
) -> None:
    bench.goes_on.clear()
    await enqueue(house, DeleteSessions())
    async with worker(house, bench, seconds_max=0.05):
        await until_queue_is(house, ("queued", 1))
    assert "longer than" in (await list_reasons(house))[0]


async def test_a_worker_that_stops_ends_what_it_can_end(house: House, bench: Bench) -> None:
    bench.goes_on.clear()
    await enqueue(house, DeleteSessions())
    async with worker(house, bench):
        await until(lambda: bench.begun == 1)
        asyncio.get_running_loop().call_later(0.1, bench.goes_on.set)
    assert bench.ended == 1
    assert await list_queue(house) == []


async def test_a_worker_that_stops_puts_back_what_it_has_and_calls_the_others(
    house: House, bench: Bench
) -> None:
    hangs = Bench()
    hangs.goes_on.clear()
    async with worker(house, bench):
        async with worker(house, hangs):
            while not hangs.begun:
                # Until the job that hangs is not the other one's, who is as fast to take it.
                await enqueue(house, DeleteSessions())
                await asyncio.sleep(0.02)
        await until_queue_is(house)
    assert hangs.ended == 0
    assert bench.ended >= hangs.begun


async def test_a_worker_that_is_cancelled_loses_nothing(house: House, bench: Bench) -> None:
    """So ends the worker when the relay finds a law broken: its jobs go back, too."""
    bench.goes_on.clear()
    await enqueue(house, DeleteSessions())

    async def cancel_at_work() -> None:
        async with worker(house, bench) as task:
            await until(lambda: bench.begun == 1)
            task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await cancel_at_work()
    await until_queue_is(house, ("queued", 1))


async def test_many_workers_share_the_work_and_none_is_done_twice(house: House) -> None:
    benches = [Bench() for _ in range(3)]
    async with worker(house, benches[0]), worker(house, benches[1]), worker(house, benches[2]):
        await enqueue(house, *[DeleteSessions()] * 60)
        await until_queue_is(house)
    assert sum(each.ended for each in benches) == sum(each.begun for each in benches) == 60
    assert max(each.at_once_max for each in benches) <= JOBS_AT_ONCE


async def test_a_job_that_a_version_does_not_know_waits_for_one_that_does(
    house: House, bench: Bench
) -> None:
    await enqueue(house, RevealSeeds(), DeleteSessions())
    async with worker(house, bench):
        await until_queue_is(house, ("queued", 0))
    assert bench.ended == 1
    assert [each.entrypoint for each in await list_queue(house)] == ["reveal_seeds.v1"]


async def test_what_is_due_is_in_the_queue_once(house: House) -> None:
    async with house.database.transaction() as connection:
        for _ in range(2):
            await insert_jobs(queue_on(connection), [DeleteSessions(), RevealSeeds()], once=True)
    assert [each.entrypoint for each in await list_queue(house)] == [
        "delete_sessions.v1",
        "reveal_seeds.v1",
    ]


async def test_the_jobs_go_on_after_the_database_was_away(house: House) -> None:
    stop = asyncio.Event()
    loop = asyncio.create_task(run_jobs(house, stop))
    await until(lambda: are_planned(house))
    async with house.database.connection() as connection:
        await connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    await enqueue(house, DeleteSessions())
    await until_queue_is(house)
    stop.set()
    await loop


async def test_schedules_call_every_duty_and_only_one_of_many_workers(house: House) -> None:
    await run_until(house, lambda: are_planned(house))
    async with house.database.connection() as connection:
        await connection.execute("UPDATE jobs.pgqueuer_schedules SET next_run = now()")
    planned = {duty.job.name for duty in DUTIES if duty.schedule is not None}

    async def are_done() -> bool:
        return {name for name, count in (await count_done(house)).items() if count} == planned

    await run_until(house, are_done)
    # Those of every minute may just have come again.
    assert (await count_done(house))["trim_job_log"] == 1


def test_pauses_grow_to_an_hour_and_differ() -> None:
    longest = [
        pause_before_retry(attempts, chance=1.0).total_seconds()
        for attempts in range(1, JOB_ATTEMPTS_MAX)
    ]
    assert longest == sorted(longest)
    assert (longest[0], longest[-1]) == (4, 3600)
    assert pause_before_retry(3, chance=0.0) * 2 == pause_before_retry(3, chance=1.0)
    assert 4 * 3600 < sum(longest) < 8 * 3600


async def run_until(house: House, holds: Callable[[], Awaitable[bool]]) -> None:
    """Run the jobs of two workers until something holds."""
    stop = asyncio.Event()
    loops = [asyncio.create_task(run_jobs(house, stop)) for _ in range(2)]
    await until(holds)
    stop.set()
    await asyncio.gather(*loops)


async def are_planned(house: House) -> bool:
    """Whether a worker has begun: the schedules stand in their table."""
    async with house.database.connection() as connection:
        planned = await connection.fetchval("SELECT count(*) FROM jobs.pgqueuer_schedules")
    return bool(planned == sum(duty.schedule is not None for duty in DUTIES))


async def count_done(house: House) -> dict[str, int]:
    """How often each kind of job was done."""
    async with house.database.connection() as connection:
        rows = await connection.fetch(
            "SELECT split_part(entrypoint, '.', 1) AS name, count(*) AS done"
            " FROM jobs.pgqueuer_log WHERE status = 'successful' GROUP BY name"
        )
    return {row["name"]: row["done"] for row in rows}
