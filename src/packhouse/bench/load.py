"""Load: what is sent, how, and what came back; sent by programs of their own.

The closed model has so many clients, each of which sends its next request when the answer to the
last is there. The open model has a rate: arrivals are scheduled by chance (exponential gaps, as
people come), take whichever connection is free or wait in line, and latency counts from the
scheduled time. A server that stalls is so charged for every request that had to wait for it.
"""

import asyncio
import os
import sys
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress

import msgspec

from packhouse.bench.latencies import Latencies
from packhouse.bench.model import Measurement, RouteTimes, median_of
from packhouse.bench.requests import WireRequest
from packhouse.foundation.errors import Outage

DRAIN_SECONDS_MAX = 15.0
"""How long the answers that are still out may take when the time is up."""
CONNECT_SECONDS_MAX = 60.0


class LoadFailed(Outage):
    """The load generator ended without a result."""

    code = "bench_load_failed"


class LoadPlan(msgspec.Struct, frozen=True, kw_only=True):
    """``clients`` connections send ``requests`` over and over, in an order of chance.

    ``rate`` (requests a second over all clients) makes it an open model. ``is_once`` sends each
    request at most once. ``expected`` are statuses of 400 and more that are no errors.
    """

    requests: Sequence[WireRequest]
    clients: int
    rate: float | None = None
    is_once: bool = False
    expected: frozenset[int] = frozenset()


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """What one generator program is told on standard input."""

    plan: LoadPlan
    host: str
    port: int
    seconds: float
    parent: int
    seed: int


class RouteSample(msgspec.Struct):
    """One route's latencies by bucket and answers by status."""

    latencies: dict[int, int]
    statuses: dict[int, int]


class Sample(msgspec.Struct):
    """What came back in one turn; ``broken`` connections and unanswered requests are errors.

    ``refused`` are the latencies of expected refusals, by status.
    """

    seconds: float
    routes: dict[str, RouteSample] = {}
    codes: dict[str, int] = {}
    broken: int = 0
    errors: int = 0
    answer_bytes: int = 0
    refused: dict[int, dict[int, int]] = {}

    @property
    def requests(self) -> int:
        """Answered requests, whatever the answer."""
        return sum(sum(route.statuses.values()) for route in self.routes.values())

    @property
    def per_second(self) -> float:
        """Answered requests a second."""
        return self.requests / self.seconds if self.seconds else 0.0

    @property
    def answer_bytes_each(self) -> int:
        """The size of an answer with its head, on average."""
        return self.answer_bytes // max(1, self.requests)


def generator_programs() -> int:
    """How many programs send: one for each four cores, since the server is to have the others."""
    return max(1, len(os.sched_getaffinity(0)) // 4) if hasattr(os, "sched_getaffinity") else 1


async def run_load(plan: LoadPlan, *, host: str, port: int, seconds: float) -> Sample:
    """Send for so long and wait for the answers. Raises ``LoadFailed``."""
    programs = min(generator_programs(), plan.clients)
    jobs = [
        Job(
            plan=msgspec.structs.replace(
                plan,
                requests=plan.requests[number::programs],
                clients=len(range(number, plan.clients, programs)),
                rate=None if plan.rate is None else plan.rate / programs,
            ),
            host=host,
            port=port,
            seconds=seconds,
            parent=os.getpid(),
            seed=number,
        )
        for number in range(programs)
    ]
    samples = await asyncio.gather(*(_run_program(job) for job in jobs))
    sample = merge_samples(samples)
    if not sample.requests:
        raise LoadFailed(f"Nothing at all was answered on port {port}; the last lines say why.")
    return sample


async def _run_program(job: Job) -> Sample:
    program = await asyncio.create_subprocess_exec(
        sys.executable,
        "-P",
        "-m",
        "packhouse.bench.generator",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    allowed = job.seconds + CONNECT_SECONDS_MAX + DRAIN_SECONDS_MAX + 15
    try:
        async with asyncio.timeout(allowed):
            out, _ = await program.communicate(msgspec.msgpack.encode(job))
    except TimeoutError as error:
        raise LoadFailed(f"The load generator did not end within {allowed:.0f} s.") from error
    finally:
        if program.returncode is None:
            with suppress(ProcessLookupError):
                program.kill()
            await program.wait()
    if program.returncode != 0:
        raise LoadFailed(
            f"The load generator ended with {program.returncode}; its last lines are above."
        )
    return msgspec.msgpack.decode(out, type=Sample)


def merge_samples(samples: Sequence[Sample]) -> Sample:
    """Samples of the same turn, or the turns of one contender, as one."""
    whole = Sample(seconds=max((sample.seconds for sample in samples), default=0.0))
    codes: Counter[str] = Counter()
    for sample in samples:
        for name, route in sample.routes.items():
            into = whole.routes.setdefault(name, RouteSample({}, {}))
            into.latencies = dict(Counter(into.latencies) + Counter(route.latencies))
            into.statuses = dict(Counter(into.statuses) + Counter(route.statuses))
        codes.update(sample.codes)
        whole.broken += sample.broken
        whole.errors += sample.errors
        whole.answer_bytes += sample.answer_bytes
        for status, latencies in sample.refused.items():
            known = Counter(whole.refused.get(status, {}))
            whole.refused[status] = dict(known + Counter(latencies))
    whole.codes = dict(codes)
    return whole


def measurement_of(name: str, *, clients: int, samples: Sequence[Sample]) -> Measurement:
    """All rounds of one contender: the median rate, and latencies over all requests."""
    whole = merge_samples(samples)
    latencies = Latencies()
    for route in whole.routes.values():
        latencies.add(Latencies(route.latencies))
    statuses: Counter[int] = Counter()
    for route in whole.routes.values():
        statuses.update(route.statuses)
    rates = tuple(sample.per_second for sample in samples)
    return Measurement(
        name=name,
        clients=clients,
        requests=whole.requests,
        requests_per_second=median_of(rates),
        per_second_by_round=rates,
        p50_ms=latencies.percentile_ms(50),
        p95_ms=latencies.percentile_ms(95),
        p99_ms=latencies.percentile_ms(99),
        max_ms=latencies.percentile_ms(100),
        errors=whole.errors,
        answer_bytes=whole.answer_bytes_each,
        statuses={str(status): count for status, count in sorted(statuses.items())},
        codes=whole.codes,
        routes={label: _times_of(route) for label, route in sorted(whole.routes.items())},
    )


def _times_of(route: RouteSample) -> RouteTimes:
    latencies = Latencies(route.latencies)
    return RouteTimes(
        requests=sum(route.statuses.values()),
        p50_ms=latencies.percentile_ms(50),
        p95_ms=latencies.percentile_ms(95),
        p99_ms=latencies.percentile_ms(99),
        max_ms=latencies.percentile_ms(100),
    )
