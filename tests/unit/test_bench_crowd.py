"""The crowd against a server of the test's own: who is charged for what, and what is done of it."""

import asyncio
import os
import re
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import msgspec

from packhouse.bench.activities import CANCELLATION, SHIPPING, VAULT, list_activities
from packhouse.bench.crowd import CrowdJob, CrowdPlan, CrowdSample, Visitor
from packhouse.bench.crowd_generator import carry_out
from packhouse.bench.latencies import Latencies
from packhouse.bench.load import measurement_of

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
BUSY = b'HTTP/1.1 503 Service Unavailable\r\nContent-Length: 20\r\n\r\n{"code":"shop_busy"}'
PARCEL = "0198f000-0000-7000-8000-00000000000a"

Answer = Callable[[bytes], Awaitable[bytes | None]]


@asynccontextmanager
async def server(answer: Answer) -> AsyncIterator[int]:
    serving: set[asyncio.Task[None] | None] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        serving.add(task)
        try:
            while True:
                request = await reader.readuntil(b"\r\n\r\n")
                if (length := re.search(rb"Content-Length: (\d+)", request)) is not None:
                    request += await reader.readexactly(int(length[1]))
                answered = await answer(request)
                if answered is None:
                    break
                writer.write(answered)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()
            serving.discard(task)

    listening = await asyncio.start_server(serve, "127.0.0.1", 0, backlog=1000)
    async with listening:
        yield listening.sockets[0].getsockname()[1]
    async with asyncio.timeout(20):
        while serving:  # noqa: ASYNC110 - the crowd has left; the last of it is being noticed
            await asyncio.sleep(0.01)


async def let_in(
    answer: Answer,
    *,
    visitors: int,
    think_seconds: float,
    seconds: float,
    cards: int = 0,
    streams: int = 0,
    expected: frozenset[int] = frozenset(),
) -> CrowdSample:
    plan = CrowdPlan(
        visitors=[
            Visitor(f"token-{number}", tuple(f"{number:018}{card:018}" for card in range(cards)))
            for number in range(visitors)
        ],
        activities=list_activities(),
        think_seconds=think_seconds,
        streams=streams,
        expected=expected,
    )
    async with server(answer) as port:
        return await carry_out(
            CrowdJob(
                plan=plan,
                host="127.0.0.1",
                port=port,
                seconds=seconds,
                warm_up_seconds=0,
                parent=os.getpid(),
                seed=7,
            )
        )


async def fine(_request: bytes) -> bytes:
    return OK


async def test_every_arrival_is_answered_and_counted_once() -> None:
    found = await let_in(fine, visitors=40, think_seconds=0.5, seconds=1.0)
    assert found.sample.requests == found.arrivals
    assert found.sample.errors == 0
    assert sum(found.lag.values()) == found.arrivals
    # 80 a second are due; chance keeps within five of its standard deviations.
    assert 35 < found.arrivals < 125


async def test_a_server_that_stalls_shows_in_the_percentiles() -> None:
    begun = asyncio.get_running_loop().time()

    async def stall(_request: bytes) -> bytes:
        # All that come within the first half second wait for its end.
        left = begun + 0.5 - asyncio.get_running_loop().time()
        await asyncio.sleep(max(0.0, left))
        return OK

    found = await let_in(stall, visitors=3, think_seconds=0.02, seconds=1.0)
    whole = measurement_of("", clients=3, samples=[found.sample])
    # Three connections, so only three requests waited on the wire; all the others that were due
    # stood behind them and are charged all the same.
    assert whole.requests == found.arrivals
    waited = Latencies()
    for route in found.sample.routes.values():
        waited.add(Latencies(route.latencies))
    long = sum(count for bucket, count in waited.counts().items() if bucket > 2_000)
    assert long > 30
    assert whole.p95_ms > 200


async def test_refusals_are_errors_unless_they_are_expected() -> None:
    async def refuse(_request: bytes) -> bytes:
        return BUSY

    found = await let_in(refuse, visitors=5, think_seconds=0.1, seconds=0.3)
    assert found.sample.errors == found.sample.requests > 0
    assert found.sample.codes == {"shop_busy": found.sample.requests}
    found = await let_in(
        refuse, visitors=5, think_seconds=0.1, seconds=0.3, expected=frozenset({503})
    )
    assert found.sample.errors == 0


async def test_each_visitor_has_a_session_and_a_connection_of_their_own() -> None:
    seen: Counter[bytes] = Counter()

    async def note(request: bytes) -> bytes:
        token = re.search(rb"packhouse_session=(\S+)", request)
        assert token is not None
        seen[token[1]] += 1
        return OK

    await let_in(note, visitors=10, think_seconds=0.02, seconds=0.5)
    assert set(seen) == {f"token-{number}".encode() for number in range(10)}


async def test_a_connection_that_was_closed_while_idle_is_opened_again_without_harm() -> None:
    seen: Counter[bytes] = Counter()

    async def close_once_for_each(request: bytes) -> bytes | None:
        token = re.search(rb"packhouse_session=(\S+)", request)
        assert token is not None
        seen[token[1]] += 1
        # Never at the second try, which is cut off by chance otherwise.
        return None if seen[token[1]] == 2 else OK

    found = await let_in(close_once_for_each, visitors=20, think_seconds=0.1, seconds=0.6)
    assert found.reopened > 0
    assert found.sample.errors == 0
    assert found.sample.requests == found.arrivals


async def test_a_request_that_is_cut_off_twice_is_an_error() -> None:
    async def hang_up(request: bytes) -> bytes | None:
        return None if b"GET /vault " in request else OK

    found = await let_in(hang_up, visitors=20, think_seconds=0.1, seconds=0.5)
    assert found.sample.broken > 0
    assert found.sample.errors == found.sample.broken
    assert found.sample.requests + found.sample.broken == found.arrivals


async def test_parcels_are_called_off_when_no_card_is_left_so_the_work_never_ends() -> None:
    placed = (
        b"HTTP/1.1 201 Created\r\nContent-Length: 45\r\n\r\n" + b'{"id":"%b"}' % PARCEL.encode()
    )
    seen: Counter[str] = Counter()
    cards: list[str] = []

    async def note(request: bytes) -> bytes:
        path = request.split(b" ")[1].decode()
        seen[path] += 1
        if path == "/api/v1/shipping-requests":
            cards.append(msgspec.json.decode(request.split(b"\r\n\r\n")[1])["user_card_ids"][0])
            return placed
        return OK

    activities = {SHIPPING, CANCELLATION, VAULT}
    plan = CrowdPlan(
        visitors=[Visitor("token", ("c" * 36,))],
        activities=[
            msgspec.structs.replace(each, per_mille=each.per_mille if each.name == SHIPPING else 0)
            for each in list_activities()
            if each.name in activities
        ],
        think_seconds=0.01,
    )
    async with server(note) as port:
        found = await carry_out(
            CrowdJob(
                plan=plan,
                host="127.0.0.1",
                port=port,
                seconds=0.5,
                warm_up_seconds=0,
                parent=os.getpid(),
                seed=7,
            )
        )
    asked = seen["/api/v1/shipping-requests"]
    called_off = seen[f"/api/v1/shipping-requests/{PARCEL}/cancellation"]
    assert asked > 3
    assert abs(asked - called_off) <= 1
    assert set(cards) == {"c" * 36}
    assert found.sample.errors == 0


async def test_live_streams_stay_open_and_one_that_ends_is_counted() -> None:
    opened = 0

    async def stream(request: bytes) -> bytes | None:
        nonlocal opened
        if b"/feed/live" not in request:
            return OK
        opened += 1
        if opened == 1:
            return BUSY
        return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nb\r\n: welcome\n\n\r\n"

    found = await let_in(stream, visitors=5, think_seconds=0.1, seconds=0.5, streams=4)
    assert found.stream_bytes > 3 * len(": welcome")
    assert found.lost_streams == 1
    assert found.sample.errors == 0
