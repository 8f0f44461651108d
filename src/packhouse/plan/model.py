"""A plan: the phase that fits, its machines, its cost, and what will be too small next."""

from enum import IntEnum
from typing import Final

import msgspec


class Phase(IntEnum):
    """The three stages in which a shop grows."""

    ONE_BOX = 1
    SEVERAL_INSTANCES = 2
    SHARDED = 3


PHASE_NAMES: Final = {
    Phase.ONE_BOX: "one box: indexes, and a cache in the process",
    Phase.SEVERAL_INSTANCES: "several instances: cache, CDN, balancer, replicas",
    Phase.SHARDED: "services and shards on Kubernetes",
}


class Machine(msgspec.Struct, frozen=True, kw_only=True):
    """So many machines of one size for one purpose. ``needed_cores`` is what they will use."""

    purpose: str
    count: int
    cores: int
    memory_gib: int
    needed_cores: float


class CostLine(msgspec.Struct, frozen=True, kw_only=True):
    """What one item costs a month, at least and at most, in the price file's currency."""

    item: str
    count: float
    low: float
    high: float


class Cost(msgspec.Struct, frozen=True):
    """A month's cost: the sum of its lines."""

    currency: str
    lines: tuple[CostLine, ...]

    @property
    def low(self) -> float:
        """The least of a month."""
        return sum(line.low for line in self.lines)

    @property
    def high(self) -> float:
        """The most of a month."""
        return sum(line.high for line in self.lines)


class Bottleneck(msgspec.Struct, frozen=True, kw_only=True):
    """What is full first, at how many users, and what to do then."""

    part: str
    users: int
    advice: str


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """The whole answer. ``cores`` is processor time by part of the shop, in cores."""

    users: int
    think_seconds: float
    requests_per_second: float
    streams: int
    phase: Phase
    cores: dict[str, float]
    machines: tuple[Machine, ...]
    gib_a_month: float
    cost: Cost
    bottleneck: Bottleneck
    targets: str
    assumptions: tuple[str, ...]
