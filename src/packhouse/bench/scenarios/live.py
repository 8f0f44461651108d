"""``live``: 10,000 open event streams on one process of ``packhouse serve live``.

Measured are memory for each stream, the time from publishing a pull until the last of all streams
has it, and the processor's time at ten pulls a second. Beside it, when Debian's nginx with the
nchan module is installed, the same number of streams hangs on nchan, and the two take turns pull by
pull with the same JSON. Ours is timed from the statement that commits the pull, and from the call
on Valkey that follows it: that is what a POST to nchan's publisher is, though nchan is handed the
text with it and ours still has to read it from PostgreSQL.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from statistics import quantiles
from typing import Final

import msgspec

from packhouse import feed
from packhouse.bench.audience import Audience, audience
from packhouse.bench.load import LoadFailed
from packhouse.bench.model import Line, Measurement, Outcome, Plot, Ratio, median_of
from packhouse.bench.nchan import LISTEN_PATH, PUBLISH_PATH, find_nchan, nchan
from packhouse.bench.processor import memory_kib, processor_seconds
from packhouse.bench.scenario import Scenario
from packhouse.bench.scenarios.feed import nginx_user
from packhouse.bench.stage import free_port
from packhouse.bench.workbench import Workbench
from packhouse.feed import Pull, PulledFrom
from packhouse.foundation.cards import CardFace
from packhouse.foundation.identifiers import OpeningId, new_id
from packhouse.foundation.limits import LIVE_COMMENT_SECONDS
from packhouse.foundation.time import utc_now
from packhouse.house import House
from packhouse.plumbing.valkey import FEED_CHANNEL

STREAMS: Final = 10_000
QUICK_STREAMS: Final = 500
PULLS: Final = 40
QUICK_PULLS: Final = 5
PAUSE_SECONDS: Final = 0.3
"""Between two pulls, so that each finds an idle server and none waits for the one before it."""
PULLS_PER_SECOND: Final = 10
TURNS_MAX: Final = 3
PATH: Final = "/api/v1/feed/live"
TIME_TARGETS: Final = (1.0, 0.7)
MEMORY_TARGETS: Final = (0.25, 0.15)
PROCESSOR_TARGETS: Final = (40.0, 25.0)


class Published(msgspec.Struct, frozen=True):
    """A pull on its way; ``called`` and ``committed`` are when that was begun."""

    sequence: int
    committed: float
    called: float


class Contestant(msgspec.Struct):
    """A server with its audience, and what was found of it. Delays are seconds."""

    name: str
    pid: int
    audience: Audience
    publish: Callable[[], Awaitable[Published]]
    kib_per_stream: float | None = None
    from_call: list[float] = []
    from_commit: list[float] = []
    processor_percents: list[float] = []

    async def time_one(self) -> None:
        """Publish one pull and wait until the last stream has it."""
        published = await self.publish()
        last = await self.audience.wait_for(published.sequence)
        self.from_call.append(last - published.called)
        self.from_commit.append(last - published.committed)

    async def spend(self, seconds: float) -> None:
        """Publish ten pulls a second for so long, and note the processor's time."""
        before = processor_seconds(self.pid)
        begun = time.monotonic()
        for number in range(1, max(2, int(seconds * PULLS_PER_SECOND)) + 1):
            newest = await self.publish()
            await asyncio.sleep(max(0.0, begun + number / PULLS_PER_SECOND - time.monotonic()))
        await self.audience.wait_for(newest.sequence)
        took = time.monotonic() - begun
        after = processor_seconds(self.pid)
        if before is not None and after is not None:
            self.processor_percents.append(100 * (after - before) / took)


async def run(workbench: Workbench, outcome: Outcome) -> None:
    """Ours, and nchan if it is there."""
    streams = QUICK_STREAMS if workbench.options.is_quick else STREAMS
    async with AsyncExitStack() as servers:
        contestants = [await _ours(workbench, servers, streams)]
        found = find_nchan()
        if found is None:
            outcome.notes.append(
                "nginx with the nchan module (Debian: libnginx-mod-nchan) is not installed, so"
                " there is nothing to hold the streams against."
            )
        else:
            contestants.append(await _theirs(workbench, servers, streams, *found))
        for number, each in enumerate(contestants):
            path = PATH if number == 0 else LISTEN_PATH
            await _fill(workbench, each, streams, path=path, network=number + 1)
            outcome.figures[f"{each.name}_kib_per_stream"] = each.kib_per_stream
        try:
            await _take_turns(workbench, contestants)
        finally:
            _tell(outcome, contestants, streams)


async def _ours(workbench: Workbench, servers: AsyncExitStack, streams: int) -> Contestant:
    port = free_port()
    program = workbench.stage.start_program(
        ("serve", "live"), live_port=str(port), live_streams_max=str(streams)
    )
    servers.callback(workbench.stage.stop_program, program)
    await workbench.stage.wait_until_ready(port)
    listening = await servers.enter_async_context(audience(port))
    house = workbench.stage.house
    return Contestant("packhouse", program.pid, listening, lambda: publish_pull(house))


async def _theirs(
    workbench: Workbench, servers: AsyncExitStack, streams: int, program: str, module: Path
) -> Contestant:
    port, pid = await servers.enter_async_context(
        nchan(
            program,
            module,
            workbench.stage.folder / "nginx-live",
            streams=streams,
            ping_seconds=int(LIVE_COMMENT_SECONDS),
            user=nginx_user(),
        )
    )
    listening = await servers.enter_async_context(audience(port))
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    servers.callback(writer.close)
    publisher = NchanPublisher(reader, writer)
    return Contestant("nchan", pid, listening, publisher.publish)


async def _fill(
    workbench: Workbench, contestant: Contestant, streams: int, *, path: str, network: int
) -> None:
    workbench.show(f"{contestant.name}, opening {streams:,} streams", seconds=10)
    before = memory_kib(contestant.pid)
    await contestant.audience.open(path=path, streams=streams, network=network)
    # What opening them needed is given back in a moment.
    await asyncio.sleep(1)
    after = memory_kib(contestant.pid)
    if before is not None and after is not None:
        contestant.kib_per_stream = (after - before) / streams


async def _take_turns(workbench: Workbench, contestants: list[Contestant]) -> None:
    is_quick = workbench.options.is_quick
    pulls = QUICK_PULLS if is_quick else PULLS
    workbench.show(f"{pulls} pulls, one at a time", seconds=pulls * len(contestants) * 0.5)
    for contestant in contestants:
        await contestant.time_one()
        contestant.from_call.clear()
        contestant.from_commit.clear()
    for number in range(pulls):
        for step in range(len(contestants)):
            await asyncio.sleep(PAUSE_SECONDS)
            await contestants[(number + step) % len(contestants)].time_one()
    for _ in range(min(TURNS_MAX, workbench.options.rounds)):
        for contestant in contestants:
            workbench.show(f"{contestant.name}, {PULLS_PER_SECOND} pulls a second")
            await contestant.spend(workbench.options.seconds)
            workbench.stage.require_running()


def _tell(outcome: Outcome, contestants: list[Contestant], streams: int) -> None:
    ours = contestants[0]
    from_commit = msgspec.structs.replace(ours, name="packhouse, from the commit")
    from_commit.from_call = ours.from_commit
    told = [ours, *contestants[1:], from_commit]
    outcome.measurements += [_measured(each, streams) for each in told if each.from_call]
    outcome.plots.append(
        Plot(
            title="Until the last stream has a pull",
            x_label="pull",
            y_label="milliseconds",
            lines=tuple(
                Line(each.name, tuple((n, 1000 * s) for n, s in enumerate(each.from_call)))
                for each in told
            ),
        )
    )
    for each in contestants:
        outcome.figures[f"{each.name}_processor_percent"] = median_of(each.processor_percents)
    must, aim = PROCESSOR_TARGETS
    outcome.notes.append(
        f"Of ratios and figures here the smaller is the better; at {PULLS_PER_SECOND} pulls a"
        f" second the process must take at most {must:g} % of a core, and {aim:g} % is the aim."
    )
    outcome.notes.append(
        "Pulls of ours are timed from the call on Valkey, and once more from the statement that"
        " commits them; nchan's from the POST. Ids differ by some bytes, the JSON is the same."
        ' A "second" of the rates is one pull after another.'
    )
    for theirs in contestants[1:]:
        outcome.ratios += _ratios(ours, theirs)


def _ratios(ours: Contestant, theirs: Contestant) -> list[Ratio]:
    must, aim = TIME_TARGETS
    ratios = [
        _ratio("live_last_client/nchan", ours.from_call, theirs.from_call, must, aim),
        _ratio("live_last_client_from_commit/nchan", ours.from_commit, theirs.from_call, must, aim),
    ]
    if ours.kib_per_stream is not None and theirs.kib_per_stream is not None:
        sizes = ([ours.kib_per_stream], [theirs.kib_per_stream])
        ratios.append(_ratio("live_memory/nchan", *sizes, *MEMORY_TARGETS))
    spent = (ours.processor_percents, theirs.processor_percents)
    ratios.append(_ratio("live_processor/nchan", *spent, None, None))
    return [each for each in ratios if each.value]


def _ratio(
    name: str, ours: list[float], theirs: list[float], must: float | None, aim: float | None
) -> Ratio:
    pairs = [mine / other for mine, other in zip(ours, theirs, strict=False) if other]
    return Ratio(
        name=name,
        value=median_of(ours) / median_of(theirs) if median_of(theirs) else 0.0,
        low=min(pairs, default=0.0),
        high=max(pairs, default=0.0),
        # Nothing is sent by a generator: those who listen cost both sides the same.
        generator_per_second=None,
        is_counted=bool(pairs),
        must=must,
        aim=aim,
    )


def _measured(contestant: Contestant, streams: int) -> Measurement:
    delays = contestant.from_call
    cuts = quantiles(delays, n=100, method="inclusive") if len(delays) > 1 else delays * 99
    rates = tuple(1 / delay for delay in delays)
    return Measurement(
        name=contestant.name,
        clients=streams,
        requests=len(delays),
        requests_per_second=median_of(rates),
        per_second_by_round=rates,
        p50_ms=1000 * cuts[49],
        p95_ms=1000 * cuts[94],
        p99_ms=1000 * cuts[98],
        max_ms=1000 * max(delays),
        errors=0,
    )


async def publish_pull(house: House) -> Published:
    """Append one pull, as the relay would if it had anything to do, and call."""
    async with house.database.connection() as connection:
        sequence = await feed.find_last_sequence(connection) + 1
        committed = time.monotonic()
        await feed.insert_pulls(connection, [made_up_pull(sequence)])
    called = time.monotonic()
    await house.valkey.ask(house.valkey.client.publish(FEED_CHANNEL, sequence))
    return Published(sequence, committed, called)


def made_up_pull(sequence: int) -> Pull:
    """A pull of ordinary size."""
    return Pull(
        sequence=sequence,
        username="lantern_keeper",
        card=CardFace(
            id=new_id(),
            name="Tidewatcher of the Outer Reef",
            set="Harbour Lights",
            number="042",
            image_url=f"/media/cards/{new_id()}.webp",
        ),
        tier="B",
        value=450,
        pack=PulledFrom(slug="harbour-eight", name="Harbour Eight"),
        opening_id=OpeningId(new_id()),
        created_at=utc_now(),
    )


class NchanPublisher:
    """Publishes to nchan over one kept connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._sequence = 0

    async def publish(self) -> Published:
        """Publish one pull. Raises ``LoadFailed`` when nchan does not take it."""
        self._sequence += 1
        body = msgspec.json.encode(made_up_pull(self._sequence))
        head = (
            f"POST {PUBLISH_PATH} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        called = time.monotonic()
        self._writer.write(head.encode() + body)
        answer = (await self._reader.readuntil(b"\r\n\r\n")).lower()
        length = answer.partition(b"content-length:")[2].split(b"\r\n")[0]
        await self._reader.readexactly(int(length or 0))
        if answer.split()[1][:1] != b"2":
            raise LoadFailed(f"nchan did not take a pull: {answer[:100]!r}")
        return Published(self._sequence, called, called)


SCENARIO = Scenario(
    name="live",
    measures="10,000 open event streams on one process: memory, time to the last of them, load.",
    run=run,
)
