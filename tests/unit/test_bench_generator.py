"""The load generator against a server of the test's own: what it sends, counts and charges."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from packhouse.bench.generator import carry_out
from packhouse.bench.latencies import Latencies
from packhouse.bench.load import Job, LoadPlan, Sample
from packhouse.bench.requests import get, post

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
SOLD_OUT = b'HTTP/1.1 409 Conflict\r\nContent-Length: 19\r\n\r\n{"code":"sold_out"}'

Answer = Callable[[bytes], Awaitable[bytes]]


@asynccontextmanager
async def server(answer: Answer) -> AsyncIterator[int]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                if b"Content-Length: " in head:
                    length = int(head.split(b"Content-Length: ")[1].split(b"\r\n")[0])
                    head += await reader.readexactly(length)
                writer.write(await answer(head))
        except asyncio.IncompleteReadError:
            writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with listening:
        yield listening.sockets[0].getsockname()[1]


async def send(plan: LoadPlan, answer: Answer, *, seconds: float) -> Sample:
    async with server(answer) as port:
        job = Job(
            plan=plan, host="127.0.0.1", port=port, seconds=seconds, parent=os.getpid(), seed=1
        )
        return await carry_out(job)


async def fine(_request: bytes) -> bytes:
    return ANSWER


async def test_each_request_of_a_plan_is_sent_once_when_asked_so() -> None:
    seen: list[bytes] = []

    async def note(request: bytes) -> bytes:
        seen.append(request)
        return ANSWER

    requests = [get(f"/{number}") for number in range(50)]
    plan = LoadPlan(requests=requests, clients=4, is_once=True)
    sample = await send(plan, note, seconds=20)
    assert sorted(seen) == sorted(request.before for request in requests)
    assert (sample.requests, sample.errors) == (50, 0)


async def test_no_two_posts_share_a_key() -> None:
    keys: list[bytes] = []

    async def note(request: bytes) -> bytes:
        keys.append(request.split(b"Idempotency-Key: ")[1][:36])
        return ANSWER

    plan = LoadPlan(requests=[post("/x", {})] * 100, clients=3, is_once=True)
    await send(plan, note, seconds=20)
    assert len(set(keys)) == 100


async def test_a_refusal_is_an_error_unless_it_is_expected() -> None:
    async def refuse(_request: bytes) -> bytes:
        return SOLD_OUT

    plan = LoadPlan(requests=[get("/")] * 10, clients=2, is_once=True)
    sample = await send(plan, refuse, seconds=20)
    assert (sample.errors, sample.codes) == (10, {"sold_out": 10})
    expecting = LoadPlan(
        requests=[get("/")] * 10, clients=2, is_once=True, expected=frozenset({409})
    )
    assert (await send(expecting, refuse, seconds=20)).errors == 0


async def test_a_stalled_server_is_charged_for_all_who_had_to_wait() -> None:
    async def slow(_request: bytes) -> bytes:
        await asyncio.sleep(0.01)
        return ANSWER

    # 120 are due within 0.3 s, and one connection takes 10 ms for each: the last waits a second.
    plan = LoadPlan(requests=[get("/")], clients=1, rate=400.0)
    sample = await send(plan, slow, seconds=0.3)
    latencies = Latencies(sample.routes["GET /"].latencies)
    assert sample.requests > 60
    assert latencies.percentile_ms(99) > 300


async def test_the_closed_model_only_tells_of_the_answers_own_time() -> None:
    plan = LoadPlan(requests=[get("/")], clients=2)
    sample = await send(plan, fine, seconds=0.2)
    assert sample.requests > 2
    assert sample.errors == 0
    assert sample.answer_bytes_each == len(ANSWER)
