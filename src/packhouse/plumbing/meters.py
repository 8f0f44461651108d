"""Meters: a counter, a gauge or a histogram, and its series, as many as were declared and no more.

A metric is declared once, in ``plumbing/metrics.py``, with the values that each of its labels may
have, or how many. Whatever else turns up is counted as ``other``: nothing that a visitor sends, or
that an owner makes, can have a shop keep more series than its bound.

To count costs two look-ups and an addition in the memory of this process (``meter_memory.py``): no
lock, no file, no call. So only the thread of the event loop counts.
"""

import math
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from typing import ClassVar, Final, Generic, Literal, TypeVar

from packhouse.plumbing.meter_memory import GAUGE, TEXT_BYTES_MAX, Slot, private_slot

SEPARATOR: Final = "\x1f"
OTHER: Final = "other"

Across = Literal["sum", "max", "each"]
"""How the gauges of several processes are one: added, the largest, or each by role and place."""

Values = int | Sequence[str]
"""What a label may be: any of these, or the first so many that turn up."""

SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Bounds of a histogram of seconds; those of the targets are among them."""


class Tally:
    """Where this process counts: for itself, until it is given a slot that others read too."""

    def __init__(self) -> None:
        self.slot: Slot = private_slot()


TALLY: Final = Tally()


class CounterSeries:
    """What only grows."""

    __slots__ = ("at", "cells")

    def __init__(self, cells: "memoryview[float]", at: int) -> None:
        self.cells = cells
        self.at = at

    def add(self, amount: float = 1.0) -> None:
        """Count so much more."""
        self.cells[self.at] += amount


class GaugeSeries:
    """How something is now, and nothing at all until it is set."""

    __slots__ = ("at", "cells")

    def __init__(self, cells: "memoryview[float]", at: int) -> None:
        self.cells = cells
        self.at = at

    def set(self, value: float) -> None:
        """It is so much now."""
        self.cells[self.at] = value

    def unset(self) -> None:
        """It is not known any more."""
        self.cells[self.at] = math.nan


class HistogramSeries:
    """How often something was how large: a sum, and a number for each bound and for beyond."""

    __slots__ = ("at", "bounds", "cells")

    def __init__(self, cells: "memoryview[float]", at: int, bounds: Sequence[float]) -> None:
        self.cells = cells
        self.at = at
        self.bounds = bounds

    def observe(self, value: float) -> None:
        """It was so large once more."""
        cells, at = self.cells, self.at
        cells[at] += value
        cells[at + 1 + bisect_left(self.bounds, value)] += 1.0


Series = TypeVar("Series", CounterSeries, GaugeSeries, HistogramSeries)


class Family(Generic[Series]):
    """A metric: all series of one name."""

    kind: ClassVar[bytes]
    word: ClassVar[str]

    def __init__(
        self,
        name: str,
        meaning: str,
        labels: Mapping[str, Values] | None = None,
        *,
        series_max: int | None = None,
        cells: int = 1,
        tally: Tally = TALLY,
    ) -> None:
        self.name = name
        self.meaning = meaning
        self.labels = dict(labels or {})
        sizes = [each if isinstance(each, int) else len(each) for each in self.labels.values()]
        possible = math.prod(size + 1 for size in sizes)
        self.series_max = possible if series_max is None else min(series_max, possible)
        self.cells = cells
        self._tally = tally
        self._allowed: list[frozenset[str] | None] = [
            None if isinstance(each, int) else frozenset(each) for each in self.labels.values()
        ]
        self._sizes = sizes
        self._value_bytes_max = self._room_for_a_value()
        self._met: list[set[str]] = [set() for _ in sizes]
        self._asked: dict[tuple[str, ...], Series] = {}
        self._series: dict[tuple[str, ...], Series] = {}

    def of(self, *values: str) -> Series:
        """The series of these label values, in the order of their declaration.

        It may be kept: it goes on counting when the process is given another slot.
        """
        found = self._asked.get(values)
        return found if found is not None else self._admit(values)

    def move(self) -> None:
        """Count in the slot that the process has now, from what is there."""
        for values, series in self._series.items():
            series.cells = self._tally.slot.cells
            series.at = self._allot(values)

    def _admit(self, values: tuple[str, ...]) -> Series:
        if len(values) != len(self.labels):
            raise TypeError(f"{self.name} has the labels {', '.join(self.labels) or 'none'}")
        named = tuple(self._bounded(place, value) for place, value in enumerate(values))
        too_late = (OTHER,) * len(values)
        # One place is kept for all that comes too late.
        others = len(self._series) - (too_late in self._series)
        if named not in self._series and others >= self.series_max - 1:
            named = too_late
        series = self._series.get(named)
        if series is None:
            series = self._series[named] = self._make(self._tally.slot, self._allot(named))
        # What is counted as another is looked up again, so that nobody's inventions are kept.
        if named == values:
            self._asked[values] = series
        return series

    def _bounded(self, place: int, value: str) -> str:
        allowed = self._allowed[place]
        if allowed is not None:
            return value if value in allowed else OTHER
        met = self._met[place]
        cut = value.encode()[: self._value_bytes_max].decode(errors="ignore")
        value = cut.replace(SEPARATOR, "?")
        if value not in met:
            if len(met) >= self._sizes[place]:
                return OTHER
            met.add(value)
        return value

    def _allot(self, values: tuple[str, ...]) -> int:
        return self._tally.slot.allot(self.kind, self._text(values), cells=self.cells)

    def _text(self, values: tuple[str, ...]) -> str:
        return SEPARATOR.join((self.name, *values))

    def _room_for_a_value(self) -> int:
        """The bytes that a value may have of a label whose values are not known beforehand."""
        known = [max(map(len, each | {OTHER})) for each in self._allowed if each is not None]
        room = TEXT_BYTES_MAX - len(self.name) - len(self.labels) - sum(known)
        return room // max(1, len(self.labels) - len(known))

    def _make(self, slot: Slot, at: int) -> Series:
        raise NotImplementedError


class Counter(Family[CounterSeries]):
    """A metric that only grows; its name ends in ``_total``."""

    kind = b"c"
    word = "counter"

    def _make(self, slot: Slot, at: int) -> CounterSeries:
        return CounterSeries(slot.cells, at)


class Gauge(Family[GaugeSeries]):
    """A metric that tells how something is now, for as long as its process runs."""

    kind = GAUGE
    word = "gauge"

    def __init__(
        self,
        name: str,
        meaning: str,
        labels: Mapping[str, Values] | None = None,
        *,
        across: Across,
        series_max: int | None = None,
        tally: Tally = TALLY,
    ) -> None:
        super().__init__(name, meaning, labels, series_max=series_max, tally=tally)
        self.across = across

    def replace(self, levels: Mapping[tuple[str, ...], float]) -> None:
        """Tell these, and no longer what was told before."""
        for values in set(self._series) - set(levels):
            del self._series[values]
            self._asked.pop(values, None)
            self._tally.slot.free(self._text(values))
        self._met = [
            {values[place] for values in self._series} for place in range(len(self.labels))
        ]
        for values, level in levels.items():
            self.of(*values).set(level)

    def _make(self, slot: Slot, at: int) -> GaugeSeries:
        return GaugeSeries(slot.cells, at)


class Histogram(Family[HistogramSeries]):
    """A metric of how often something was how large."""

    kind = b"h"
    word = "histogram"

    def __init__(
        self,
        name: str,
        meaning: str,
        labels: Mapping[str, Values] | None = None,
        *,
        bounds: Sequence[float] = SECONDS,
        series_max: int | None = None,
        tally: Tally = TALLY,
    ) -> None:
        cells = 2 + len(bounds)
        super().__init__(name, meaning, labels, series_max=series_max, cells=cells, tally=tally)
        self.bounds = tuple(bounds)

    def _make(self, slot: Slot, at: int) -> HistogramSeries:
        return HistogramSeries(slot.cells, at, self.bounds)
