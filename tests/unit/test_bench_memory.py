"""Whether memory grows: a slope, and how sure it is."""

import os
import random
import subprocess
import sys

import pytest

from packhouse.bench.memory import (
    MemorySample,
    children_of,
    later_half,
    read_memory,
    trend_of,
)


def series(*, mib_per_hour: float, noise: float, count: int = 60) -> list[MemorySample]:
    chance = random.Random(3)  # noqa: S311 - no secret
    return [
        MemorySample(
            seconds=number * 10.0,
            pss_mib=100 + mib_per_hour * number * 10 / 3600 + chance.gauss(0, noise),
            rss_mib=0,
        )
        for number in range(count)
    ]


def test_a_steady_leak_is_beyond_doubt() -> None:
    trend = trend_of(series(mib_per_hour=60, noise=0.2))
    assert trend is not None
    assert trend.grows
    assert trend.low < 60 < trend.high
    assert trend.mib_per_hour == pytest.approx(60, abs=5)


def test_noise_alone_is_no_growth() -> None:
    trend = trend_of(series(mib_per_hour=0, noise=2))
    assert trend is not None
    assert not trend.grows
    assert trend.highest_mib > 100


def test_one_step_up_is_less_sure_than_a_slope_all_the_way() -> None:
    stairs = [MemorySample(n * 10.0, 100.0 + (n >= 30), 0) for n in range(60)]
    slope = [MemorySample(n * 10.0, 100.0 + n / 40, 0) for n in range(60)]
    of_stairs, of_slope = trend_of(stairs), trend_of(slope)
    assert of_stairs is not None
    assert of_slope is not None
    assert of_stairs.high - of_stairs.low > 10 * (of_slope.high - of_slope.low)


def test_too_few_samples_tell_no_trend() -> None:
    assert trend_of(series(mib_per_hour=1, noise=0, count=2)) is None
    assert trend_of([MemorySample(5.0, 1.0, 1.0)] * 5) is None


def test_the_first_half_is_left_to_caches_that_fill() -> None:
    samples = series(mib_per_hour=1, noise=0, count=10)
    assert later_half({"web": samples}) == {"web": samples[5:]}


@pytest.mark.skipif(not os.path.exists("/proc/self/smaps_rollup"), reason="Linux tells it")  # noqa: PTH110
def test_a_process_and_its_children_are_found_and_read() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        assert child.pid in children_of(os.getpid())
        found = read_memory(child.pid, seconds=1.0)
        assert found is not None
        assert 0 < found.pss_mib <= found.rss_mib
        child.communicate(b"\n")
    assert read_memory(child.pid, seconds=2.0) is None
