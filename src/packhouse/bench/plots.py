"""Plots as inline SVG: drawn by us, sharp on a phone and in print, without any script."""

import math
from collections.abc import Sequence
from html import escape
from typing import Final

import msgspec

from packhouse.bench.model import Line, Plot

WIDTH: Final = 640
HEIGHT: Final = 360
LEFT: Final = 84
RIGHT: Final = 20
TOP: Final = 20
BOTTOM: Final = 56
TICKS: Final = 5


class Axis(msgspec.Struct, frozen=True):
    """Values from ``low`` to ``high`` onto pixels from ``begin`` to ``end``."""

    low: float
    high: float
    begin: float
    end: float
    is_log: bool

    def pixel(self, value: float) -> float:
        """Where the value lies."""
        low, high, at = self.low, self.high, value
        if self.is_log:
            low, high, at = math.log10(low), math.log10(high), math.log10(max(value, self.low))
        return self.begin + (at - low) / (high - low) * (self.end - self.begin)


def draw_plot(plot: Plot) -> str:
    """The plot as an SVG element with a title for those who cannot see it."""
    points = [point for line in plot.lines for point in line.points]
    if not points:
        return ""
    across = _axis([x for x, _ in points], LEFT, WIDTH - RIGHT, is_log=plot.has_log_x)
    up = _axis([y for _, y in points], HEIGHT - BOTTOM, TOP, is_log=plot.has_log_y)
    parts = [
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(plot.title)}">',
        *(_row(up, value) for value in _ticks(up, [y for _, y in points])),
        *(_column(across, value) for value in _ticks(across, [x for x, _ in points])),
        *(_line(line, across, up, index) for index, line in enumerate(plot.lines)),
        (
            f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 8}" text-anchor="middle">'
            f"{escape(plot.x_label)}</text>"
        ),
        (
            f'<text transform="translate(14 {(TOP + HEIGHT - BOTTOM) / 2}) rotate(-90)"'
            f' text-anchor="middle">{escape(plot.y_label)}</text>'
        ),
        "</svg>",
    ]
    return "\n".join(parts)


def draw_legend(plot: Plot) -> str:
    """The names of the lines, each in its colour."""
    names = "".join(
        f'<li class="line{index % 6}">{escape(line.name)}</li>'
        for index, line in enumerate(plot.lines)
    )
    return f'<ul class="legend">{names}</ul>'


def short_number(value: float) -> str:
    """A number for an axis: 1200000 is ``1.2M``."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:.3g}{letter}"
    return f"{value:.3g}"


def _axis(values: Sequence[float], begin: float, end: float, *, is_log: bool) -> Axis:
    if is_log:
        low = min(value for value in values if value > 0) if max(values) > 0 else 1.0
        high = max(*values, low)
        return Axis(low, high if high > low else low * 10, begin, end, is_log)
    high = max(values)
    low = min(0.0, min(values))
    return Axis(low, high * 1.05 if high > low else low + 1, begin, end, is_log)


def _ticks(axis: Axis, values: Sequence[float]) -> list[float]:
    different = sorted(set(values))
    if axis.is_log:
        if len(different) <= TICKS:
            return [value for value in different if value > 0]
        first, last = math.floor(math.log10(axis.low)), math.ceil(math.log10(axis.high))
        powers = [10.0**power for power in range(first, last + 1)]
        return [power for power in powers if axis.low <= power <= axis.high]
    step = _round_step((axis.high - axis.low) / TICKS)
    first = math.ceil(axis.low / step)
    return [step * number for number in range(first, math.floor(axis.high / step) + 1)]


def _round_step(step: float) -> float:
    size = 10.0 ** math.floor(math.log10(step))
    return float(next(size * times for times in (1, 2, 5, 10) if size * times >= step))


def _row(axis: Axis, value: float) -> str:
    y = axis.pixel(value)
    return (
        f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{short_number(value)}</text>'
    )


def _column(axis: Axis, value: float) -> str:
    x = axis.pixel(value)
    return (
        f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{HEIGHT - BOTTOM}"/>'
        f'<text x="{x:.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">'
        f"{short_number(value)}</text>"
    )


def _line(line: Line, across: Axis, up: Axis, index: int) -> str:
    places = [(across.pixel(x), up.pixel(y)) for x, y in line.points]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    dots = "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3"/>' for x, y in places)
    return f'<g class="line{index % 6}"><polyline points="{path}"/>{dots}</g>'
