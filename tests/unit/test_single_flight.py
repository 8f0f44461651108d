"""What many ask in one moment is asked once, and its failure is everybody's."""

import asyncio

import pytest

from packhouse.plumbing.single_flight import SingleFlight


class Question:
    def __init__(self) -> None:
        self.asked = 0
        self.may_answer = asyncio.Event()

    async def __call__(self) -> int:
        self.asked += 1
        await self.may_answer.wait()
        return self.asked

    async def fail(self) -> int:
        await self()
        raise ConnectionError


async def test_a_thousand_at_once_ask_once() -> None:
    question, flight = Question(), SingleFlight[int]()
    tasks = [asyncio.create_task(flight.ask(question)) for _ in range(1_000)]
    await asyncio.sleep(0)
    question.may_answer.set()
    assert set(await asyncio.gather(*tasks)) == {1}


async def test_who_comes_after_the_answer_asks_anew() -> None:
    question, flight = Question(), SingleFlight[int]()
    question.may_answer.set()
    assert [await flight.ask(question), await flight.ask(question)] == [1, 2]


async def test_a_failure_is_told_to_all_at_once_and_the_next_asks_anew() -> None:
    question, flight = Question(), SingleFlight[int]()
    tasks = [asyncio.create_task(flight.ask(question.fail)) for _ in range(100)]
    await asyncio.sleep(0)
    question.may_answer.set()
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert {type(outcome) for outcome in outcomes} == {ConnectionError}
    assert question.asked == 1
    assert await flight.ask(question) == 2


async def test_who_stops_waiting_does_not_stop_the_others() -> None:
    question, flight = Question(), SingleFlight[int]()
    leaving, staying = (asyncio.create_task(flight.ask(question)) for _ in range(2))
    await asyncio.sleep(0)
    leaving.cancel()
    question.may_answer.set()
    assert await staying == 1
    with pytest.raises(asyncio.CancelledError):
        await leaving


async def test_a_failure_that_nobody_waited_for_is_no_complaint() -> None:
    question, flight = Question(), SingleFlight[int]()
    alone = asyncio.create_task(flight.ask(question.fail))
    await asyncio.sleep(0)
    alone.cancel()
    question.may_answer.set()
    await asyncio.sleep(0.01)
    with pytest.raises(asyncio.CancelledError):
        await alone


def test_a_loop_that_has_ended_keeps_nobody_waiting() -> None:
    flight = SingleFlight[int]()

    async def leave_behind() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(flight.ask(Question()), 0.01)

    async def ask_again() -> int:
        question = Question()
        question.may_answer.set()
        return await flight.ask(question)

    asyncio.run(leave_behind())
    assert asyncio.run(ask_again()) == 1
