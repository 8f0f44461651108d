"""wrk, Debian's load generator in C: what asks for pages when it is installed.

Our own generator takes more of a core for a request than some servers do, so that on few cores it
would be the measure of a page. wrk does a tenth of that. It knows neither an open model, nor fresh
idempotency keys, nor the time of each route; where those are wanted, ours sends.
"""

import asyncio
import random
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Final

from packhouse.bench.answers import HEAD_END
from packhouse.bench.latencies import bucket_of
from packhouse.bench.load import (
    DRAIN_SECONDS_MAX,
    LoadFailed,
    LoadPlan,
    RouteSample,
    Sample,
    generator_programs,
)

_SCRIPT: Final = """\
local requests, last = {}, 0
local file = assert(io.open("%(requests)s", "rb"))
for request in file:read("*a"):gmatch("(.-\\r\\n\\r\\n)") do requests[#requests + 1] = request end
file:close()

function request()
  last = last %% #requests + 1
  return requests[last]
end

function done(summary, latency)
  local e = summary.errors
  io.write(string.format("bench %%d %%d %%d %%d %%d", summary.requests, summary.duration,
                         summary.bytes, e.status, e.connect + e.read + e.write + e.timeout))
  for percent = 0.5, 99.5, 1 do
    io.write(string.format(" %%d", latency:percentile(percent)))
  end
  io.write("\\n")
end
"""
"""Built requests in turn, and a hundred quantiles, of the middle of each percent."""


def find_wrk() -> str | None:
    """The program, if it is installed."""
    return shutil.which("wrk")


def may_send(plan: LoadPlan) -> bool:
    """Whether wrk can send the plan: pages of one route, in the closed model."""
    return (
        plan.rate is None
        and not plan.is_once
        and not plan.expected
        and all(request.before.startswith(b"GET ") for request in plan.requests)
        and all(request.before.endswith(HEAD_END) for request in plan.requests)
        and len({request.route for request in plan.requests}) == 1
    )


async def run_wrk(
    program: str, folder: Path, plan: LoadPlan, *, host: str, port: int, seconds: float
) -> Sample:
    """Send a plan for whole seconds, at least one. Raises ``LoadFailed``."""
    script = await asyncio.to_thread(_write_script, folder, plan)
    lasting = max(1, round(seconds))
    child = await asyncio.create_subprocess_exec(
        program,
        f"--threads={min(generator_programs(), plan.clients)}",
        f"--connections={plan.clients}",
        f"--duration={lasting}s",
        f"--timeout={DRAIN_SECONDS_MAX:.0f}s",
        f"--script={script}",
        f"http://{host}:{port}",
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        async with asyncio.timeout(lasting + 2 * DRAIN_SECONDS_MAX):
            out, _ = await child.communicate()
    except TimeoutError as error:
        raise LoadFailed("wrk did not end in time.") from error
    finally:
        if child.returncode is None:
            with suppress(ProcessLookupError):
                child.kill()
            await child.wait()
    words = out.decode(errors="replace")
    sample = read_summary(words, route=plan.requests[0].route)
    if sample is None or not sample.requests:
        raise LoadFailed(f"wrk had no answer on port {port}: {words[-400:]}")
    return sample


def read_summary(words: str, *, route: str) -> Sample | None:
    """What the line that our script writes tells; None without such a line."""
    for line in words.splitlines():
        if line.startswith("bench "):
            return _sample_of(route, [int(word) for word in line.split()[1:]])
    return None


def _write_script(folder: Path, plan: LoadPlan) -> Path:
    requests = [request.before for request in plan.requests]
    random.Random(0).shuffle(requests)  # noqa: S311 - an order, no secret
    built = folder / "wrk.requests"
    built.write_bytes(b"".join(requests))
    script = folder / "wrk.lua"
    script.write_text(_SCRIPT % {"requests": built})
    return script


def _sample_of(route: str, numbers: list[int]) -> Sample:
    requests, microseconds, received, refused, broken, *quantiles = numbers
    latencies: dict[int, int] = {}
    share, rest = divmod(requests, len(quantiles))
    for index, latency in enumerate(quantiles):
        bucket = bucket_of(latency)
        latencies[bucket] = latencies.get(bucket, 0) + share + (index < rest)
    statuses = {200: requests - refused}
    if refused:
        statuses[500] = refused
    return Sample(
        seconds=microseconds / 1_000_000,
        routes={route: RouteSample(latencies, statuses)},
        answer_bytes=received,
        broken=broken,
        errors=refused + broken,
    )
