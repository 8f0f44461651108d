"""What a bench run measures and what it tells of it, in plain structs. Pure.

Times are milliseconds, rates are per second, and every number that stands for several rounds is
their median with the lowest and the highest beside it.
"""

from collections.abc import Sequence
from statistics import median
from typing import Final

import msgspec

Figure = int | float | str | None

CEILING_TIMES: Final = 2.0
"""A ratio counts only when the load generator alone is so many times as fast as the best."""


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """How long and how often. ``collectors`` is how many accounts the stage is filled with.

    ``minutes`` is how long the shop is watched in one go where its memory is the matter.
    ``sizes`` are the user cards of each database of ``scale``, its own choice when empty.
    ``openings_each`` and ``recorded_nonce`` are for the making of collectors (``population.py``).
    """

    rounds: int = 5
    seconds: float = 10.0
    warm_up_seconds: float = 3.0
    collectors: int = 10_000
    minutes: float = 5.0
    is_quick: bool = False
    sizes: tuple[int, ...] = ()
    openings_each: int = 3
    recorded_nonce: int = 7_001


class Machine(msgspec.Struct, frozen=True):
    """All that is said about the machine."""

    cores: int
    memory: str


class RouteTimes(msgspec.Struct, frozen=True):
    """One route's share of a measurement."""

    requests: int
    p50_ms: float
    p95_ms: float
    p99_ms: float
    max_ms: float


class Measurement(msgspec.Struct, frozen=True, kw_only=True):
    """One contender at one number of clients, over all its rounds.

    ``errors`` are answers that were not expected and connections that broke; ``codes`` counts the
    ``code`` of every refusal; ``answer_bytes`` is the size of an answer, on average.
    ``per_second_by_round`` keeps the order of the rounds. ``cores`` is the processor time that each
    part of the shop took, in seconds a second, where it was watched.
    """

    name: str
    clients: int
    requests: int
    requests_per_second: float
    per_second_by_round: tuple[float, ...]
    p50_ms: float
    p95_ms: float
    p99_ms: float
    max_ms: float
    errors: int
    answer_bytes: int = 0
    statuses: dict[str, int] = {}
    codes: dict[str, int] = {}
    routes: dict[str, RouteTimes] = {}
    cores: dict[str, float] = {}

    @property
    def low(self) -> float:
        """The slowest round's requests a second."""
        return min(self.per_second_by_round, default=0.0)

    @property
    def high(self) -> float:
        """The fastest round's requests a second."""
        return max(self.per_second_by_round, default=0.0)


class Ratio(msgspec.Struct, frozen=True, kw_only=True):
    """How many times as fast ours is as another's, by median; the pairs of rounds give the spread.

    ``generator_per_second`` is what the load generator alone reached; ``is_counted`` says that it
    was fast enough for the ratio to mean anything. ``must`` and ``aim`` are the targets: the least,
    or with ``is_ceiling`` the most.
    """

    name: str
    value: float
    low: float
    high: float
    generator_per_second: float | None
    is_counted: bool
    must: float | None = None
    aim: float | None = None
    is_ceiling: bool = False


class Line(msgspec.Struct, frozen=True):
    """One line of a plot; points are (x, y)."""

    name: str
    points: tuple[tuple[float, float], ...]


class Plot(msgspec.Struct, frozen=True, kw_only=True):
    """One plot of the report. A logarithmic axis needs values above zero."""

    title: str
    x_label: str
    y_label: str
    lines: tuple[Line, ...]
    has_log_x: bool = False
    has_log_y: bool = False


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """A figure held against what it must be, at most, and what it is meant to be.

    ``is_met`` is None when the figure could not be found out.
    """

    name: str
    measured: float | None
    must: float
    aim: float
    unit: str = "ms"

    @property
    def is_met(self) -> bool | None:
        """Whether it is no more than it must be."""
        return None if self.measured is None else self.measured <= self.must

    @property
    def is_aim_met(self) -> bool:
        """Whether it is even what it is meant to be."""
        return self.measured is not None and self.measured <= self.aim


class StatementTimes(msgspec.Struct, frozen=True, kw_only=True):
    """One statement's cost as ``pg_stat_statements`` counted it.

    ``p95_ms`` is mean + 1.645 standard deviations, never more than the slowest call: PostgreSQL
    keeps no distribution. ``sampled`` is how many calls were timed one by one; with any, ``p95_ms``
    is of those.
    """

    statement: str
    calls: int
    mean_ms: float
    p95_ms: float
    max_ms: float
    total_ms: float
    rows: int
    buffers: int
    sampled: int = 0


class Outcome(msgspec.Struct, kw_only=True):
    """What a scenario found out so far; it is filled while the scenario runs.

    The first measurement is the scenario's headline. An interrupted run keeps what is here.
    ``durations`` are those of single statements, by bucket, where some were timed one by one.
    """

    name: str
    measures: str
    measurements: list[Measurement] = []
    ratios: list[Ratio] = []
    targets: list[Target] = []
    plots: list[Plot] = []
    notes: list[str] = []
    figures: dict[str, Figure] = {}
    statements: list[StatementTimes] = []
    durations: dict[str, dict[int, int]] = {}
    failure: str | None = None

    def find(self, name: str, *, clients: int) -> Measurement | None:
        """The measurement of that contender at so many clients."""
        for each in self.measurements:
            if (each.name, each.clients) == (name, clients):
                return each
        return None


def ratio_of(
    name: str,
    ours: Measurement,
    theirs: Measurement,
    *,
    generator: Measurement | None,
    must: float | None = None,
    aim: float | None = None,
) -> Ratio:
    """Ours against theirs, by requests a second; ``generator`` is the load generator alone.

    Zero when theirs did nothing, and then it does not count either.
    """
    best = max(ours.requests_per_second, theirs.requests_per_second)
    alone = None if generator is None else generator.requests_per_second
    pairs = zip(ours.per_second_by_round, theirs.per_second_by_round, strict=False)
    by_round = [_divide(mine, other) for mine, other in pairs]
    return Ratio(
        name=name,
        value=_divide(ours.requests_per_second, theirs.requests_per_second),
        low=min(by_round, default=0.0),
        high=max(by_round, default=0.0),
        generator_per_second=alone,
        is_counted=alone is not None and theirs.requests > 0 and alone >= CEILING_TIMES * best,
        must=must,
        aim=aim,
    )


def median_of(values: Sequence[float]) -> float:
    """The median, 0 of nothing."""
    return median(values) if values else 0.0


def _divide(mine: float, other: float) -> float:
    return mine / other if other else 0.0
