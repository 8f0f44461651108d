"""Metrics as Prometheus reads them: one text of what all processes of a shop have counted.

Each process is counted once. What grows is added up, the dead processes' part too, so that it never
goes back; how something is now is told by those that run.
"""

import math
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import Any, Final

from packhouse.plumbing.meter_memory import Reading
from packhouse.plumbing.meters import SEPARATOR, Family, Gauge, Histogram

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"

_Labels = tuple[tuple[str, str], ...]
_ESCAPES: Final = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})
_PLACE_LABELS: Final = ("role", "place")


def metrics_text(families: Sequence[Family[Any]], readings: Sequence[Reading]) -> str:
    """What the processes have counted of ``families``; a metric without any series is left out."""
    totals: dict[str, dict[_Labels, list[float]]] = {family.name: {} for family in families}
    known = {family.name: family for family in families}
    for reading in readings:
        for entry in reading.entries:
            name, *values = entry.text.split(SEPARATOR)
            family = known.get(name)
            # Another version of the shop may count beside this one.
            if family is None or len(entry.values) != family.cells:
                continue
            if isinstance(family, Gauge):
                _add_gauge(family, totals[name], values, entry.values[0], reading)
                continue
            labels = tuple(zip(family.labels, values, strict=True))
            total = totals[name].setdefault(labels, [0.0] * family.cells)
            totals[name][labels] = [sum(both) for both in zip(total, entry.values, strict=True)]
    lines: list[str] = []
    for family in families:
        if totals[family.name]:
            lines += _family_lines(family, totals[family.name])
    return "\n".join([*lines, ""])


def _add_gauge(
    family: Gauge,
    totals: dict[_Labels, list[float]],
    values: list[str],
    level: float,
    reading: Reading,
) -> None:
    if not reading.is_running or math.isnan(level):
        return
    labels = tuple(zip(family.labels, values, strict=True))
    if family.across == "each":
        labels += tuple(zip(_PLACE_LABELS, (reading.role, str(reading.place)), strict=True))
    before = totals.get(labels)
    if before is None:
        totals[labels] = [level]
    else:
        before[0] = before[0] + level if family.across == "sum" else max(before[0], level)


def _family_lines(family: Family[Any], totals: dict[_Labels, list[float]]) -> Iterator[str]:
    meaning = family.meaning.replace("\\", r"\\").replace("\n", r"\n")
    yield f"# HELP {family.name} {meaning}"
    yield f"# TYPE {family.name} {family.word}"
    for labels, numbers in sorted(totals.items()):
        if not isinstance(family, Histogram):
            yield f"{family.name}{_braced(_pairs(labels))} {_number(numbers[0])}"
            continue
        pairs = _pairs(labels)
        counts = list(accumulate(numbers[1:]))
        for bound, count in zip((*family.bounds, math.inf), counts, strict=True):
            within = _braced([*pairs, f'le="{_number(bound)}"'])
            yield f"{family.name}_bucket{within} {_number(count)}"
        yield f"{family.name}_sum{_braced(pairs)} {_number(numbers[0])}"
        yield f"{family.name}_count{_braced(pairs)} {_number(counts[-1])}"


def _pairs(labels: _Labels) -> list[str]:
    return [f'{name}="{value.translate(_ESCAPES)}"' for name, value in labels]


def _braced(pairs: list[str]) -> str:
    return f"{{{','.join(pairs)}}}" if pairs else ""


def _number(value: float) -> str:
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return str(int(value)) if value == int(value) else repr(value)
