"""What a crowd costs in processor time, by part of the shop, from what was measured. Pure.

``packhouse bench users`` lets in several crowds and records the cores that each part took. Between
two of them cost follows the straight line through both on logarithmic axes: openings share
transactions and readers share queries, so twice the people cost less than twice as much. Below
the smallest and above the largest nothing was seen, so there cost goes in proportion: too high
rather than too low.
"""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Final

import msgspec

from packhouse.foundation.errors import Refusal

ERRORS_MAX: Final = 0.001
"""A crowd of whom more were turned away tells what the machine cannot do, not what it costs."""
STREAMS_MEASURED: Final = 500
"""Live streams that stand beside each crowd of the bench."""


class NoMeasurement(Refusal):
    """The file holds no crowds whose cost was measured."""

    code = "plan_without_measurement"


class Crowd(msgspec.Struct, frozen=True, kw_only=True):
    """One crowd as it was measured: answers a second, the cores of each part, and the p95."""

    requests_per_second: float
    cores: dict[str, float]
    p95_ms: float


class Capacity(msgspec.Struct, frozen=True, kw_only=True):
    """Crowds by rate, the smallest first, and what 1,000 live streams take of a core."""

    crowds: tuple[Crowd, ...]
    stream_cores_per_thousand: float

    @property
    def highest_measured(self) -> float:
        """The highest rate at which the shop still answered everybody."""
        return self.crowds[-1].requests_per_second

    def cores_at(self, requests_per_second: float, *, streams: int) -> dict[str, float]:
        """Cores by part at that rate; never less for more."""
        parts = sorted({part for crowd in self.crowds for part in crowd.cores})
        found = {part: self._cores_of(part, requests_per_second) for part in parts}
        found["live"] = streams / 1000 * self.stream_cores_per_thousand
        return found

    def _cores_of(self, part: str, rate: float) -> float:
        points = [
            (crowd.requests_per_second, crowd.cores[part])
            for crowd in self.crowds
            if crowd.cores.get(part, 0.0) > 0
        ]
        if not points or rate <= 0:
            return 0.0
        (lowest, least), (highest, most) = points[0], points[-1]
        if rate <= lowest:
            return least * rate / lowest
        if rate >= highest:
            return most * rate / highest
        for (low, before), (high, after) in pairwise(points):
            if rate <= high:
                share = math.log(rate / low) / math.log(high / low)
                return float(before * (after / before) ** share)
        return most


def capacity_of(crowds: Sequence[Crowd], *, stream_cores_per_thousand: float) -> Capacity:
    """The crowds in order. Raises ``NoMeasurement`` when there is none."""
    usable = sorted(
        (each for each in crowds if each.cores and each.requests_per_second > 0),
        key=lambda each: each.requests_per_second,
    )
    if not usable:
        raise NoMeasurement(
            "There is no crowd in it whose cores were measured and who were all answered; make one"
            " with `packhouse bench users live --json FILE`."
        )
    return Capacity(crowds=tuple(usable), stream_cores_per_thousand=stream_cores_per_thousand)


def read_bench(text: bytes) -> Capacity:
    """Capacity from the JSON of ``packhouse bench``. Raises ``NoMeasurement``."""
    try:
        found = msgspec.json.decode(text, type=_Report)
    except msgspec.DecodeError as error:
        raise NoMeasurement(f"It is not the JSON of `packhouse bench`: {error}.") from error
    users = found.scenarios.get("users", {})
    try:
        crowds = msgspec.convert(users.get("measurements", []), list[_Measured])
        percent = msgspec.convert(
            found.scenarios.get("live", {}).get("packhouse_processor_percent"), float | None
        )
        clients = msgspec.convert(found.scenarios.get("live", {}).get("clients"), int | None)
    except msgspec.ValidationError as error:
        raise NoMeasurement(f"It is not the JSON of `packhouse bench`: {error}.") from error
    usable = [each for each in crowds if each.errors <= ERRORS_MAX * each.requests]
    if percent and clients:
        per_thousand = percent / 100 / clients * 1000
    else:
        per_thousand = max((each.cores.get("live", 0.0) for each in usable), default=0.0) * (
            1000 / STREAMS_MEASURED
        )
    return capacity_of(
        [
            Crowd(
                requests_per_second=each.requests_per_second,
                cores=each.cores,
                p95_ms=each.p95_ms,
            )
            for each in usable
        ],
        stream_cores_per_thousand=per_thousand,
    )


class _Measured(msgspec.Struct):
    requests: int
    requests_per_second: float
    errors: int
    p95_ms: float
    cores: dict[str, float] = {}


class _Report(msgspec.Struct):
    scenarios: dict[str, dict[str, Any]]
