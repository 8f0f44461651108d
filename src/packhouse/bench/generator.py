"""The load generator: ``python -m packhouse.bench.generator`` reads a job and writes a sample.

It is made to be light: bare uvloop Protocols, requests that were built beforehand, and no more of
an answer looked at than its end. How fast it is alone is measured in every run (``trivial.py``),
because a ratio found with a slow generator would only tell of the generator.
"""

import asyncio
import gc
import random
import sys
import time
from collections import Counter, deque
from collections.abc import Callable
from typing import cast

import msgspec
import uvloop

from packhouse.bench.answers import (
    AnswerGarbled,
    answer_length,
    problem_code,
    says_close,
    status_of,
)
from packhouse.bench.latencies import bucket_of
from packhouse.bench.load import CONNECT_SECONDS_MAX, DRAIN_SECONDS_MAX, Job, RouteSample, Sample
from packhouse.bench.requests import WireRequest, new_keys
from packhouse.plumbing.handover import tie_to_parent

_CONNECTING_AT_ONCE = 200
_RETRY_SECONDS = 0.05


class Client(asyncio.Protocol):
    """One keep-alive connection with at most one request in flight."""

    __slots__ = ("_finished", "_lost", "_received", "_wanted", "route", "started", "transport")

    def __init__(
        self,
        finished: Callable[["Client", bytes | bytearray], None],
        lost: Callable[["Client"], None],
    ) -> None:
        self._finished = finished
        self._lost = lost
        self._received: bytes | bytearray = b""
        self._wanted = 0
        self.transport: asyncio.Transport | None = None
        self.route: str | None = None
        self.started = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep what we write to."""
        # uvloop has a class of its own for it.
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Collect the answer until it is whole."""
        if self._received:
            self._received += data
            received = self._received
        else:
            received = data
        wanted = self._wanted or answer_length(received)
        if wanted == 0 or len(received) < wanted:
            self._received = bytearray(received) if received is data else received
            self._wanted = wanted
            return
        self._received = b""
        self._wanted = 0
        self._finished(self, received)

    def connection_lost(self, _error: Exception | None) -> None:
        """Tell that this client needs a new connection."""
        self.transport = None
        self._received = b""
        self._wanted = 0
        self._lost(self)


class Generator:
    """Carries out one job."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._plan = job.plan
        self._chance = random.Random(job.seed)  # noqa: S311 - an order, no secret
        self._requests = list(job.plan.requests)
        self._chance.shuffle(self._requests)
        self._next = 0
        self._keys = new_keys()
        self._sent = 0
        self._routes: dict[str, tuple[Counter[int], Counter[int]]] = {
            request.route: (Counter(), Counter()) for request in self._requests
        }
        self._codes: Counter[str] = Counter()
        self._refused: dict[int, Counter[int]] = {}
        self._answer_bytes = 0
        self._broken = 0
        self._errors = 0
        self._in_flight = 0
        self._idle: deque[Client] = deque()
        self._line: deque[float] = deque()
        self._is_running = False
        self._until = 0.0
        self._last_answer_at = 0.0
        self._all_back = asyncio.Event()
        self._reconnecting: set[asyncio.Task[None]] = set()

    async def run(self) -> Sample:
        """Connect, send until the time is up, and wait for what is still out."""
        await self._connect_all()
        gc.collect()
        gc.freeze()
        begun = time.perf_counter()
        self._until = begun + self._job.seconds
        self._is_running = True
        if self._plan.rate is None:
            for _ in range(len(self._idle)):
                self._send(self._idle.popleft(), time.perf_counter())
            await self._wait_until_done()
        else:
            await self._arrive(begun, self._plan.rate)
        self._is_running = False
        if self._in_flight or self._line:
            self._all_back.clear()
            try:
                async with asyncio.timeout(DRAIN_SECONDS_MAX):
                    await self._all_back.wait()
            except TimeoutError:
                self._errors += self._in_flight + len(self._line)
        return self._sample(begun)

    def _sample(self, begun: float) -> Sample:
        return Sample(
            # To the last answer: what was out when the time was up is counted with its own time.
            seconds=max(0.0, self._last_answer_at - begun),
            routes={
                route: RouteSample(dict(latencies), dict(statuses))
                for route, (latencies, statuses) in self._routes.items()
                if statuses
            },
            codes=dict(self._codes),
            broken=self._broken,
            errors=self._errors,
            answer_bytes=self._answer_bytes,
            refused={status: dict(latencies) for status, latencies in self._refused.items()},
        )

    async def _connect_all(self) -> None:
        async with asyncio.timeout(CONNECT_SECONDS_MAX):
            left = self._plan.clients
            while left:
                some = min(left, _CONNECTING_AT_ONCE)
                await asyncio.gather(*(self._connect() for _ in range(some)))
                left -= some

    async def _connect(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                _, client = await loop.create_connection(
                    lambda: Client(self._finished, self._lost), self._job.host, self._job.port
                )
            except OSError:
                await asyncio.sleep(_RETRY_SECONDS)
            else:
                break
        if self._is_running and self._plan.rate is None:
            self._send(client, time.perf_counter())
        else:
            self._free(client)

    async def _wait_until_done(self) -> None:
        # Looked at now and then: an event would cost something with each of thousands of answers.
        while time.perf_counter() < self._until and not self._is_exhausted():  # noqa: ASYNC110
            await asyncio.sleep(min(0.05, max(0.0, self._until - time.perf_counter())))

    async def _arrive(self, begun: float, rate: float) -> None:
        due = begun
        while due < self._until and not (self._plan.is_once and self._is_exhausted()):
            now = time.perf_counter()
            if due > now:
                # The loop's timers are good to a millisecond; being late is charged to the server.
                await asyncio.sleep(due - now)
                continue
            if self._idle:
                self._send(self._idle.popleft(), due)
            else:
                self._line.append(due)
            due += self._chance.expovariate(rate)

    def _is_exhausted(self) -> bool:
        return self._plan.is_once and self._next + len(self._line) >= len(self._requests)

    def _choose(self) -> WireRequest | None:
        if self._next >= len(self._requests):
            if self._plan.is_once:
                return None
            self._next = 0
        request = self._requests[self._next]
        self._next += 1
        return request

    def _send(self, client: Client, started: float) -> None:
        request = self._choose()
        if request is None or client.transport is None:
            self._idle.append(client)
            return
        client.route = request.route
        client.started = started
        self._in_flight += 1
        if request.after:
            self._sent += 1
            client.transport.write(
                b"%b%b%016x%b" % (request.before, self._keys, self._sent, request.after)
            )
        else:
            client.transport.write(request.before)

    def _finished(self, client: Client, answer: bytes | bytearray) -> None:
        now = time.perf_counter()
        route = client.route
        if route is None or client.transport is None:
            raise AnswerGarbled("An answer came to no request.")
        client.route = None
        self._last_answer_at = now
        self._in_flight -= 1
        status = status_of(answer)
        latencies, statuses = self._routes[route]
        bucket = bucket_of(max(0, int((now - client.started) * 1_000_000)))
        latencies[bucket] += 1
        statuses[status] += 1
        self._answer_bytes += len(answer)
        if status >= 400:
            self._codes[problem_code(answer) or str(status)] += 1
            if status in self._plan.expected:
                self._refused.setdefault(status, Counter())[bucket] += 1
            else:
                self._errors += 1
        if says_close(answer):
            client.transport.close()
        else:
            self._go_on(client, now)

    def _go_on(self, client: Client, now: float) -> None:
        if self._line:
            self._send(client, self._line.popleft())
        elif self._is_running and self._plan.rate is None and now < self._until:
            self._send(client, now)
        else:
            self._free(client)

    def _free(self, client: Client) -> None:
        if self._line:
            self._send(client, self._line.popleft())
        else:
            self._idle.append(client)
        if not self._in_flight:
            self._all_back.set()

    def _lost(self, client: Client) -> None:
        if client.route is not None:
            client.route = None
            self._in_flight -= 1
            self._broken += 1
            self._errors += 1
        elif client in self._idle:
            # Closed while nobody used it: no harm, it is opened again.
            self._idle.remove(client)
        if self._is_running or self._line:
            task = asyncio.get_running_loop().create_task(self._connect())
            self._reconnecting.add(task)
            task.add_done_callback(self._reconnecting.discard)
        elif not self._in_flight:
            self._all_back.set()


async def carry_out(job: Job) -> Sample:
    """The job's sample."""
    return await Generator(job).run()


def main() -> None:
    """Read the job from standard input, and write the sample to standard output."""
    job = msgspec.msgpack.decode(sys.stdin.buffer.read(), type=Job)
    tie_to_parent(job.parent)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        sample = runner.run(carry_out(job))
    sys.stdout.buffer.write(msgspec.msgpack.encode(sample))


if __name__ == "__main__":
    main()
