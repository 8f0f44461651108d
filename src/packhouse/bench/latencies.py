"""Latencies: every request counted, in buckets narrow enough that a percentile is exact to 0.4 %.

The buckets are those of an HDR histogram: 256 for each power of two, from one microsecond on. So
millions of requests fit in a few kilobytes, merge by adding, and no sample is thrown away.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Final

_BITS: Final = 9
_HALF: Final = 1 << (_BITS - 1)


def bucket_of(microseconds: int) -> int:
    """The bucket of a latency; below 512 µs each has its own microsecond."""
    shift = max(0, microseconds.bit_length() - _BITS)
    return shift * _HALF + (microseconds >> shift)


def milliseconds_in(bucket: int) -> float:
    """The middle of a bucket."""
    shift = max(0, bucket // _HALF - 1)
    lowest = (bucket - shift * _HALF) << shift
    return (lowest + ((1 << shift) - 1) / 2) / 1000


class Latencies:
    """Counts by bucket; recording one takes well under a microsecond."""

    __slots__ = ("_counts",)

    def __init__(self, counts: Mapping[int, int] | None = None) -> None:
        self._counts: Counter[int] = Counter(counts or {})

    def __len__(self) -> int:
        return sum(self._counts.values())

    def record(self, seconds: float) -> None:
        """Count one latency; a clock that stepped back counts as nothing."""
        microseconds = max(0, int(seconds * 1_000_000))
        shift = max(0, microseconds.bit_length() - _BITS)
        self._counts[shift * _HALF + (microseconds >> shift)] += 1

    def add(self, other: "Latencies") -> None:
        """Count everything that another one counted."""
        self._counts.update(other.counts())

    def counts(self) -> dict[int, int]:
        """Requests by bucket."""
        return dict(self._counts)

    def percentile_ms(self, percent: float) -> float:
        """The latency that ``percent`` of all requests did not exceed; 0 without any."""
        total = len(self)
        if total == 0:
            return 0.0
        wanted = max(1.0, total * percent / 100)
        seen = 0
        for bucket in sorted(self._counts):
            seen += self._counts[bucket]
            if seen >= wanted:
                break
        return milliseconds_in(bucket)
