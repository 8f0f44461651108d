"""The crowd's program: ``python -m packhouse.bench.crowd_generator`` reads a job, writes a sample.

It shares the machine with the shop, so it is as light as the other generator (``generator.py``) and
uses its client: bare uvloop Protocols, and requests of which all but a few bytes are built
beforehand. A connection that the server closed while its visitor was thinking is opened again, and
a request that met such a close is sent once more, with its key: as browsers do.
"""

import asyncio
import gc
import random
import sys
import time
from collections import Counter, deque
from collections.abc import Coroutine
from typing import cast

import msgspec
import uvloop

from packhouse.bench.activities import (
    CANCELLATION,
    QUOTE,
    SALE,
    SHIPPING,
    VAULT,
    Activity,
    Mix,
    bytes_of,
)
from packhouse.bench.answers import problem_code, says_close, status_of
from packhouse.bench.crowd import LATE_SECONDS, CrowdJob, CrowdSample, Visitor
from packhouse.bench.generator import Client
from packhouse.bench.latencies import bucket_of
from packhouse.bench.load import CONNECT_SECONDS_MAX, DRAIN_SECONDS_MAX, RouteSample, Sample
from packhouse.bench.requests import get, new_keys
from packhouse.plumbing.handover import tie_to_parent

_CONNECTING_AT_ONCE = 100
_RETRY_SECONDS = 0.05
_COME_BACK_SECONDS = 3.0
"""How long a browser waits before it opens an ended stream again."""
_LIVE = get("/api/v1/feed/live").before
_ID = b'"id":"'


class Person:
    """A visitor at work: one connection, at most one request on it, and what waits behind it."""

    __slots__ = (
        "_crowd", "activity", "bytes", "cards", "client", "due", "is_connecting", "is_retried",
        "parcels", "thing", "token", "waiting",
    )  # fmt: skip

    def __init__(self, crowd: "Crowd", visitor: Visitor) -> None:
        self._crowd = crowd
        self.token = visitor.token.encode()
        self.cards = deque(card.encode() for card in visitor.cards)
        self.parcels: deque[tuple[bytes, bytes]] = deque()
        self.waiting: deque[tuple[Activity, float]] = deque()
        self.client: Client | None = None
        self.activity: Activity | None = None
        self.thing = b""
        self.bytes = b""
        self.due = 0.0
        self.is_connecting = False
        self.is_retried = False

    def begin(self, activity: Activity, due: float) -> None:
        """Send it, or let it wait for the answer before or for a connection."""
        if self.activity is not None or self.client is None:
            self.waiting.append((activity, due))
            if self.client is None:
                self._crowd.connect_soon(self)
            return
        self.activity, self.thing = self._crowd.possible(self, activity)
        self.due = due
        self.is_retried = False
        self.bytes = bytes_of(
            self.activity, key=self._crowd.next_key(), token=self.token, thing=self.thing
        )
        self._write()

    def connected(self, client: Client) -> None:
        """A connection is there: go on where the last one ended."""
        self.client = client
        if self.activity is not None:
            self._write()
        elif self.waiting:
            self.begin(*self.waiting.popleft())

    def finished(self, client: Client, answer: bytes | bytearray) -> None:
        """An answer is whole."""
        activity = self.activity
        if activity is None:
            return
        self.activity = None
        self._crowd.count(self, activity, answer)
        if says_close(answer) and client.transport is not None:
            self.client = None
            client.transport.close()
            if self.waiting:
                self._crowd.connect_soon(self)
        elif self.waiting:
            self.begin(*self.waiting.popleft())

    def lost(self, client: Client) -> None:
        """The server closed the connection."""
        if self.client is not client:
            return
        self.client = None
        if self.activity is not None and self.is_retried:
            self._crowd.count_broken(self.activity)
            self.activity = None
        elif self.activity is not None:
            self.is_retried = True
            self._crowd.connect_soon(self)
        if self.waiting:
            self._crowd.connect_soon(self)

    def _write(self) -> None:
        if self.client is not None and self.client.transport is not None:
            self.client.transport.write(self.bytes)


class LiveStream(asyncio.Protocol):
    """One open live stream; what it is told is only counted. One that was refused is ended."""

    def __init__(self, crowd: "Crowd") -> None:
        self._crowd = crowd
        self._is_begun = False
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for everything that happens."""
        # uvloop has a class of its own for it.
        self.transport = cast("asyncio.Transport", transport)
        self.transport.write(_LIVE)

    def data_received(self, data: bytes) -> None:
        """Count it."""
        if not self._is_begun and not data.startswith(b"HTTP/1.1 200") and self.transport:
            self.transport.close()
            return
        self._is_begun = True
        self._crowd.stream_bytes += len(data)

    def connection_lost(self, _error: Exception | None) -> None:
        """Streams last as long as the crowd, unless the server ends them."""
        self._crowd.stream_ended(self)


class Crowd:
    """Carries out one job."""

    def __init__(self, job: CrowdJob) -> None:
        self._job = job
        self._chance = random.Random(job.seed)  # noqa: S311 - arrivals, no secret
        self._mix = Mix(job.plan.activities, self._chance)
        self._by_name = {each.name: each for each in job.plan.activities}
        self._people = [Person(self, visitor) for visitor in job.plan.visitors]
        self._senders: deque[Person] = deque()
        self._keys = new_keys()
        self._sent = 0
        self._routes: dict[str, tuple[Counter[int], Counter[int]]] = {
            each.name: (Counter(), Counter()) for each in job.plan.activities
        }
        self._codes: Counter[str] = Counter()
        self._lag: Counter[int] = Counter()
        self._late = self._arrivals = self._reopened = 0
        self._answer_bytes = self._broken = self._errors = 0
        self._is_open = self._is_counting = False
        self._counts_from = 0.0
        self._last_answer_at = 0.0
        self._tasks: set[asyncio.Task[None]] = set()
        self._streams: set[LiveStream] = set()
        self.stream_bytes = 0
        self._lost_streams = 0

    async def run(self) -> CrowdSample:
        """Connect everybody, let them act until the time is up, and wait for what is still out."""
        async with asyncio.timeout(CONNECT_SECONDS_MAX):
            await self._connect_all()
        gc.collect()
        gc.freeze()
        self._is_open = True
        begun = time.perf_counter()
        self._counts_from = begun + self._job.warm_up_seconds
        await self._arrive(begun, until=self._counts_from + self._job.seconds)
        deadline = time.perf_counter() + DRAIN_SECONDS_MAX
        # Looked at now and then: an event would cost something with each of thousands of answers.
        while self._left() and time.perf_counter() < deadline:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
        self._errors += self._left()
        self._is_open = False
        self._leave()
        return self._found()

    def possible(self, person: Person, activity: Activity) -> tuple[Activity, bytes]:
        """What can be done of it with what the visitor has, and the card or parcel for it."""
        if not activity.takes:
            return activity, b""
        if activity.takes == "card" and person.cards:
            if activity.name == QUOTE:
                return activity, person.cards[0]
            return activity, person.cards.popleft()
        if person.parcels:
            return self._by_name.get(CANCELLATION, activity), person.parcels[0][0]
        return self._by_name[VAULT], b""

    def next_key(self) -> bytes:
        """An idempotency key that nobody had before."""
        self._sent += 1
        return b"%b%016x" % (self._keys, self._sent)

    def count(self, person: Person, activity: Activity, answer: bytes | bytearray) -> None:
        """Count an answer from the time when its request was due, and remember what it gave."""
        now = time.perf_counter()
        status = status_of(answer)
        self._remember(person, activity, status, answer)
        if person.due < self._counts_from:
            return
        self._last_answer_at = now
        latencies, statuses = self._routes[activity.name]
        latencies[bucket_of(max(0, int((now - person.due) * 1_000_000)))] += 1
        statuses[status] += 1
        self._answer_bytes += len(answer)
        if status >= 400:
            self._codes[problem_code(answer) or str(status)] += 1
            self._errors += status not in self._job.plan.expected

    def count_broken(self, _activity: Activity) -> None:
        """Count a request that got no answer, twice."""
        self._broken += 1
        self._errors += 1

    def stream_ended(self, stream: LiveStream) -> None:
        """Count a live stream that ended before its time, and come back after a while."""
        self._streams.discard(stream)
        if self._is_open:
            self._lost_streams += 1
            self._begin(self._open_stream(after_seconds=_COME_BACK_SECONDS))

    def connect_soon(self, person: Person) -> None:
        """Open a new connection for somebody whose old one was closed."""
        if person.is_connecting:
            return
        person.is_connecting = True
        self._reopened += 1
        self._begin(self._connect(person))

    def _begin(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _remember(
        self, person: Person, activity: Activity, status: int, answer: bytes | bytearray
    ) -> None:
        if activity.name == SHIPPING and status == 201:
            at = answer.find(_ID, answer.find(b"\r\n\r\n"))
            parcel = bytes(answer[at + len(_ID) : at + len(_ID) + 36])
            person.parcels.append((parcel, person.thing))
            self._senders.append(person)
        elif activity.name == CANCELLATION and person.parcels:
            person.cards.append(person.parcels.popleft()[1])
        elif activity.name in (SHIPPING, SALE) and status >= 500:
            person.cards.append(person.thing)

    async def _connect_all(self) -> None:
        at_once = asyncio.Semaphore(_CONNECTING_AT_ONCE)

        async def connect(person: Person) -> None:
            async with at_once:
                await self._connect(person)

        async def listen() -> None:
            async with at_once:
                await self._open_stream()

        await asyncio.gather(*(connect(person) for person in self._people))
        await asyncio.gather(*(listen() for _ in range(self._job.plan.streams)))

    async def _connect(self, person: Person) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                _, client = await loop.create_connection(
                    lambda: Client(person.finished, person.lost), self._job.host, self._job.port
                )
            except OSError:
                await asyncio.sleep(_RETRY_SECONDS)
            else:
                break
        person.is_connecting = False
        person.connected(client)

    async def _open_stream(self, *, after_seconds: float = 0.0) -> None:
        await asyncio.sleep(after_seconds)
        loop = asyncio.get_running_loop()
        port = self._job.plan.live_port or self._job.port
        while True:
            try:
                _, stream = await loop.create_connection(
                    lambda: LiveStream(self), self._job.host, port
                )
            except OSError:
                await asyncio.sleep(_RETRY_SECONDS)
            else:
                break
        self._streams.add(stream)

    async def _arrive(self, begun: float, *, until: float) -> None:
        rate = self._job.plan.per_second
        due = begun + self._chance.expovariate(rate)
        while due < until:
            now = time.perf_counter()
            if due > now:
                # Timers are good to a millisecond; being late is charged, and counted as lag too.
                await asyncio.sleep(due - now)
                continue
            if due >= self._counts_from:
                self._arrivals += 1
                self._lag[bucket_of(int((now - due) * 1_000_000))] += 1
                self._late += now - due > LATE_SECONDS
            self._act(due)
            due += self._chance.expovariate(rate)

    def _act(self, due: float) -> None:
        activity = self._mix.choose()
        if activity.name == CANCELLATION:
            # Only who has sent for a parcel can call one off.
            while self._senders:
                person = self._senders.popleft()
                if person.parcels:
                    person.begin(activity, due)
                    return
        person = self._people[int(self._chance.random() * len(self._people))]
        person.begin(activity, due)

    def _leave(self) -> None:
        for person in self._people:
            if person.client is not None and person.client.transport is not None:
                person.client.transport.close()
        for task in self._tasks:
            task.cancel()
        for stream in self._streams:
            if stream.transport is not None:
                stream.transport.close()

    def _left(self) -> int:
        return sum((person.activity is not None) + len(person.waiting) for person in self._people)

    def _found(self) -> CrowdSample:
        return CrowdSample(
            sample=Sample(
                seconds=max(0.0, self._last_answer_at - self._counts_from),
                routes={
                    name: RouteSample(dict(latencies), dict(statuses))
                    for name, (latencies, statuses) in self._routes.items()
                    if statuses
                },
                codes=dict(self._codes),
                broken=self._broken,
                errors=self._errors,
                answer_bytes=self._answer_bytes,
            ),
            arrivals=self._arrivals,
            late=self._late,
            lag=dict(self._lag),
            reopened=self._reopened,
            stream_bytes=self.stream_bytes,
            lost_streams=self._lost_streams,
        )


async def carry_out(job: CrowdJob) -> CrowdSample:
    """The job's sample."""
    return await Crowd(job).run()


def main() -> None:
    """Read the job from standard input, and write the sample to standard output."""
    job = msgspec.msgpack.decode(sys.stdin.buffer.read(), type=CrowdJob)
    tie_to_parent(job.parent)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        found = runner.run(carry_out(job))
    sys.stdout.buffer.write(msgspec.msgpack.encode(found))


if __name__ == "__main__":
    main()
