"""Memory of the shop's processes over time, and whether it grows.

Counted is the proportional set size where Linux tells it: what a process holds alone, and its share
of what it holds with others, so that workers that were forked from one parent are not charged for
the same pages twice. The resident set is beside it.
"""

import math
from collections.abc import Mapping, Sequence
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import Final

import msgspec

from packhouse.bench.processor import PROC

KIB_PER_MIB: Final = 1024
CONFIDENT: Final = 1.96
"""So many standard errors on either side hold the true slope 95 times of 100, in a long series."""


class MemorySample(msgspec.Struct, frozen=True):
    """One process at one moment, in MiB."""

    seconds: float
    pss_mib: float
    rss_mib: float


class MemoryTrend(msgspec.Struct, frozen=True):
    """A straight line through a process's memory: its slope, and how sure that is.

    ``low`` and ``high`` hold the slope with 95 % confidence, in MiB an hour.
    """

    highest_mib: float
    mib_per_hour: float
    low: float
    high: float

    @property
    def grows(self) -> bool:
        """Whether the slope is above zero beyond doubt."""
        return self.low > 0


def read_memory(pid: int, *, seconds: float) -> MemorySample | None:
    """What the process holds now; None when it is gone or the system does not tell."""
    with suppress(OSError, KeyError, ValueError):
        text = (PROC / str(pid) / "smaps_rollup").read_text(encoding="utf-8")
        kib = {line.split(":")[0]: line.split()[1] for line in text.splitlines()[1:]}
        return MemorySample(
            seconds=seconds,
            pss_mib=int(kib["Pss"]) / KIB_PER_MIB,
            rss_mib=int(kib["Rss"]) / KIB_PER_MIB,
        )
    return None


def children_of(pid: int) -> list[int]:
    """The processes that this one started and that live."""
    found: list[int] = []
    for listed in Path(PROC / str(pid) / "task").glob("*/children"):
        with suppress(OSError):
            found += [int(word) for word in listed.read_text(encoding="utf-8").split()]
    return sorted(found)


def trend_of(samples: Sequence[MemorySample]) -> MemoryTrend | None:
    """The least-squares line through the samples; None with fewer than three.

    Neighbouring samples of a process are alike, so the error of the slope is widened by the
    residuals' own correlation from one sample to the next: without that, any staircase would look
    like a proof.
    """
    if len(samples) < 3:
        return None
    times = [sample.seconds for sample in samples]
    sizes = [sample.pss_mib for sample in samples]
    count = len(samples)
    middle_time, middle_size = sum(times) / count, sum(sizes) / count
    spread = sum((time - middle_time) ** 2 for time in times)
    if spread == 0:
        return None
    slope = (
        sum(
            (time - middle_time) * (size - middle_size)
            for time, size in zip(times, sizes, strict=True)
        )
        / spread
    )
    off = [
        size - middle_size - slope * (time - middle_time)
        for time, size in zip(times, sizes, strict=True)
    ]
    squares = sum(each**2 for each in off)
    alike = 0.0
    if squares > 0:
        along = sum(one * after for one, after in pairwise(off))
        alike = min(0.9, max(0.0, along / squares))
    error = math.sqrt(squares / (count - 2) / spread * (1 + alike) / (1 - alike))
    return MemoryTrend(
        highest_mib=max(sizes),
        mib_per_hour=slope * 3600,
        low=(slope - CONFIDENT * error) * 3600,
        high=(slope + CONFIDENT * error) * 3600,
    )


def later_half(
    samples: Mapping[str, Sequence[MemorySample]],
) -> dict[str, Sequence[MemorySample]]:
    """Each process's samples without the first half, in which caches fill."""
    return {name: each[len(each) // 2 :] for name, each in samples.items()}
