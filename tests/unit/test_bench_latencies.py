"""Latencies of the bench: percentiles are exact to half a percent, and merging loses nothing."""

import math

from hypothesis import given
from hypothesis import strategies as st

from packhouse.bench.latencies import Latencies, bucket_of, milliseconds_in

MICROSECONDS = st.integers(min_value=0, max_value=600_000_000)


@given(MICROSECONDS)
def test_a_bucket_tells_its_latency_to_half_a_percent(microseconds: int) -> None:
    told = milliseconds_in(bucket_of(microseconds)) * 1000
    assert abs(told - microseconds) <= max(0.5, microseconds * 0.004)


@given(st.lists(MICROSECONDS, min_size=2, unique=True))
def test_a_longer_latency_is_never_in_an_earlier_bucket(some: list[int]) -> None:
    buckets = [bucket_of(microseconds) for microseconds in sorted(some)]
    assert buckets == sorted(buckets)


@given(st.lists(MICROSECONDS, min_size=1), st.sampled_from([50, 95, 99, 100]))
def test_a_percentile_is_that_of_the_sorted_latencies(some: list[int], percent: int) -> None:
    latencies = Latencies()
    for microseconds in some:
        # A hundredth more, lest the float fall below its own microsecond.
        latencies.record((microseconds + 0.01) / 1_000_000)
    expected = sorted(some)[max(1, math.ceil(len(some) * percent / 100)) - 1]
    told = latencies.percentile_ms(percent) * 1000
    assert abs(told - expected) <= max(1, expected * 0.004)


@given(st.lists(MICROSECONDS), st.lists(MICROSECONDS))
def test_merged_latencies_are_all_of_both(mine: list[int], others: list[int]) -> None:
    whole, one, two = Latencies(), Latencies(), Latencies()
    for part, some in ((one, mine), (two, others)):
        for microseconds in some:
            part.record(microseconds / 1_000_000)
            whole.record(microseconds / 1_000_000)
    one.add(two)
    assert one.counts() == whole.counts()
    assert len(one) == len(mine) + len(others)


def test_nothing_recorded_is_told_as_nothing() -> None:
    assert Latencies().percentile_ms(99) == 0
