"""A crowd: thousands of people with think time, each with a session and a connection of their own.

Each thinks for an exponential time between requests, independently of the others and of how long
answers take: an open model. All of them together are one Poisson process, of which each arrival
falls on somebody by chance. Latency counts from the moment when the request was due, whatever kept
it: a slow server, its own earlier request on the same connection, or a late generator. How late the
generator itself was is measured beside it, so that nobody has to believe that it kept up.
"""

import asyncio
import os
import sys
from collections.abc import Sequence
from contextlib import suppress

import msgspec

from packhouse.bench.activities import Activity
from packhouse.bench.latencies import Latencies
from packhouse.bench.load import (
    CONNECT_SECONDS_MAX,
    DRAIN_SECONDS_MAX,
    LoadFailed,
    Sample,
)

LATE_SECONDS = 0.01
"""A request that is sent so much after its time is counted as late."""
LATE_SHARE_MAX = 0.01
"""With more late ones than this, percentiles tell of the generator too, and the result says so."""


class Visitor(msgspec.Struct, frozen=True):
    """One of the crowd: a session, and cards that may be sold or sent."""

    token: str
    cards: tuple[str, ...] = ()


class CrowdPlan(msgspec.Struct, frozen=True, kw_only=True):
    """Who comes, what they do, and how long each thinks on average.

    ``streams`` live streams are open meanwhile, at ``live_port``. ``expected`` are statuses of 400
    and more that are no errors.
    """

    visitors: Sequence[Visitor]
    activities: Sequence[Activity]
    think_seconds: float
    streams: int = 0
    live_port: int = 0
    expected: frozenset[int] = frozenset()

    @property
    def per_second(self) -> float:
        """Requests a second of all of them together."""
        return len(self.visitors) / self.think_seconds


class CrowdJob(msgspec.Struct, frozen=True, kw_only=True):
    """What the program is told on standard input. ``warm_up_seconds`` are not counted."""

    plan: CrowdPlan
    host: str
    port: int
    seconds: float
    warm_up_seconds: float
    parent: int
    seed: int


class CrowdSample(msgspec.Struct, kw_only=True):
    """What came back. ``lag`` is how late requests were sent, by bucket, over all ``arrivals``.

    ``reopened`` connections had been closed by the server while idle; ``lost_streams`` had ended by
    themselves; ``left`` is how many cards each visitor still has.
    """

    sample: Sample
    arrivals: int
    late: int
    lag: dict[int, int]
    reopened: int
    stream_bytes: int
    lost_streams: int

    @property
    def kept_its_schedule(self) -> bool:
        """Whether the generator itself was in time."""
        return self.late <= LATE_SHARE_MAX * self.arrivals

    def lag_ms(self, percent: float) -> float:
        """How late ``percent`` of all requests were at most."""
        return Latencies(self.lag).percentile_ms(percent)


async def run_crowd(
    plan: CrowdPlan, *, host: str, port: int, seconds: float, warm_up_seconds: float = 0.0
) -> CrowdSample:
    """Let the crowd in for so long, in a program of its own. Raises ``LoadFailed``."""
    job = CrowdJob(
        plan=plan,
        host=host,
        port=port,
        seconds=seconds,
        warm_up_seconds=warm_up_seconds,
        parent=os.getpid(),
        seed=len(plan.visitors),
    )
    program = await asyncio.create_subprocess_exec(
        sys.executable,
        "-P",
        "-m",
        "packhouse.bench.crowd_generator",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    allowed = seconds + warm_up_seconds + CONNECT_SECONDS_MAX + DRAIN_SECONDS_MAX + 15
    try:
        async with asyncio.timeout(allowed):
            out, _ = await program.communicate(msgspec.msgpack.encode(job))
    except TimeoutError as error:
        raise LoadFailed(f"The crowd did not leave within {allowed:.0f} s.") from error
    finally:
        if program.returncode is None:
            with suppress(ProcessLookupError):
                program.kill()
            await program.wait()
    if program.returncode != 0:
        raise LoadFailed(f"The crowd ended with {program.returncode}; its last lines are above.")
    found = msgspec.msgpack.decode(out, type=CrowdSample)
    if not found.sample.requests:
        raise LoadFailed(f"Nothing at all was answered on port {port}; the last lines say why.")
    return found
