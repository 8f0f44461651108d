"""wrk, Debian's load generator in C, for answers so cheap that ours could not keep up."""

import asyncio
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Final

from packhouse.bench.latencies import bucket_of
from packhouse.bench.load import LoadFailed, RouteSample, Sample

_SCRIPT: Final = """\
done = function(summary, latency, requests)
  local e = summary.errors
  io.write(string.format("bench %d %d %d %d", summary.requests, summary.duration, e.status,
                         e.connect + e.read + e.write + e.timeout))
  for percent = 0.5, 99.5, 1 do
    io.write(string.format(" %d", latency:percentile(percent)))
  end
  io.write("\\n")
end
"""
"""A hundred quantiles, from the middle of the first percent to the middle of the last."""


def find_wrk() -> str | None:
    """The program, if it is installed."""
    return shutil.which("wrk")


async def run_wrk(
    program: str, folder: Path, *, port: int, path: str, clients: int, seconds: float
) -> Sample:
    """GET ``path`` over and over, in the closed model. Raises ``LoadFailed``."""
    script = folder / "wrk.lua"
    script.write_text(_SCRIPT)
    child = await asyncio.create_subprocess_exec(
        program,
        "--threads=1",
        f"--connections={clients}",
        f"--duration={max(1, round(seconds))}s",
        f"--script={script}",
        f"http://127.0.0.1:{port}{path}",
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        out, _ = await child.communicate()
    finally:
        if child.returncode is None:
            with suppress(ProcessLookupError):
                child.kill()
            await child.wait()
    for line in out.decode(errors="replace").splitlines():
        if line.startswith("bench "):
            return _sample_of(path, [int(word) for word in line.split()[1:]])
    raise LoadFailed(f"wrk gave no result: {out.decode(errors='replace')[-400:]}")


def _sample_of(path: str, numbers: list[int]) -> Sample:
    requests, microseconds, refused, broken, *quantiles = numbers
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
        routes={f"GET {path}": RouteSample(latencies, statuses)},
        broken=broken,
        errors=refused + broken,
    )
