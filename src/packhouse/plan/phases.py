"""Which phase carries a crowd, on which machines, for how much, and what gives out next. Pure."""

import math
from collections.abc import Callable, Mapping
from typing import Final

from packhouse.plan.capacity import Capacity
from packhouse.plan.model import Bottleneck, Cost, CostLine, Machine, Phase, Plan
from packhouse.plan.prices import Prices, Range

BUSY_SHARE_MAX: Final = 0.6
"""Of a machine's cores; beyond, the slowest answers wait for each other longer than they work."""
SIZES: Final = (2, 4, 8, 16, 32)
"""Cores of the machines that one can have."""
ONE_BOX_CORES_MAX: Final = 8
"""The largest box of the first phase: a bigger one costs as much as several that may fail."""
WEB_CORES: Final = 4
DATABASE_CORES_MAX: Final = 32
MEMORY_GIB_PER_CORE: Final = 4
WRITE_SHARE: Final = 0.7
"""Of PostgreSQL's time in the mix, what openings, sales and parcels take: a replica cannot."""
SHARDED_COST: Final = 4.5
"""An opening on Citus against one on a single PostgreSQL, at most (docs/decisions)."""
SHARD_CORES: Final = 16
OPENINGS_SHARE: Final = 0.1
"""Of the mix's requests."""
CARDS_AN_OPENING: Final = 4.5
"""The mix opens packs of one card and of eight, alike often."""
KIB_A_CARD: Final = 1.6
"""With indexes, its pull, its share of the opening and the log, as ten million of them took."""
BUSY_HOURS_A_DAY: Final = 4
"""A day is as long as so many hours like the busiest one."""
DAYS_A_MONTH: Final = 30
STREAMS_EACH: Final = 0.5
"""Half of those who are here have a page with the live feed open."""
ROWS: Final = (
    (100, "the plan's first row: p95 of 200 to 500 ms, queries of 50 to 100 ms"),
    (1_000, "the plan's second row: p95 of 100 to 200 ms, queries of 10 to 50 ms"),
    (10_000_000, "the plan's third row: p95 of 50 to 100 ms, queries of 5 to 20 ms"),
)
USERS_MAX: Final = 10_000_000


def draft_plan(users: int, *, think_seconds: float, capacity: Capacity, prices: Prices) -> Plan:
    """The smallest phase that carries ``users`` who are here at once, each thinking so long."""
    rate = users / think_seconds
    streams = math.ceil(users * STREAMS_EACH)
    cores = capacity.cores_at(rate, streams=streams)
    phase = _phase_of(cores)
    machines = _machines_of(phase, cores)
    gib = gib_a_month(rate)
    return Plan(
        users=users,
        think_seconds=think_seconds,
        requests_per_second=rate,
        streams=streams,
        phase=phase,
        cores=cores,
        machines=machines,
        gib_a_month=gib,
        cost=_cost_of(phase, machines, prices, gib=gib),
        bottleneck=_bottleneck(
            phase,
            users,
            lambda more: capacity.cores_at(
                more / think_seconds, streams=math.ceil(more * STREAMS_EACH)
            ),
        ),
        targets=next(row for most, row in ROWS if users <= most or most == ROWS[-1][0]),
        assumptions=_assumptions(capacity, rate=rate, think_seconds=think_seconds),
    )


def gib_a_month(requests_per_second: float) -> float:
    """How much the database grows in a month at that rate in the busiest hour."""
    cards = requests_per_second * OPENINGS_SHARE * CARDS_AN_OPENING
    seconds = BUSY_HOURS_A_DAY * 3600 * DAYS_A_MONTH
    return cards * seconds * KIB_A_CARD / 1024**2


def _phase_of(cores: Mapping[str, float]) -> Phase:
    if sum(cores.values()) <= ONE_BOX_CORES_MAX * BUSY_SHARE_MAX:
        return Phase.ONE_BOX
    if _primary_cores(cores) <= DATABASE_CORES_MAX * BUSY_SHARE_MAX:
        return Phase.SEVERAL_INSTANCES
    return Phase.SHARDED


def _machines_of(phase: Phase, cores: Mapping[str, float]) -> tuple[Machine, ...]:
    if phase is Phase.ONE_BOX:
        return (_machine("everything", 1, _size_for(sum(cores.values())), sum(cores.values())),)
    serving = cores.get("web", 0.0) + cores.get("live", 0.0) + cores.get("worker", 0.0)
    web = _machine("web, live and worker", max(2, _count(serving, WEB_CORES)), WEB_CORES, serving)
    if phase is Phase.SEVERAL_INSTANCES:
        primary = _primary_cores(cores)
        size = _size_for(primary)
        reading = cores.get("database", 0.0) - primary
        return (
            web,
            _machine("PostgreSQL, primary", 1, size, primary),
            _machine("PostgreSQL, replica", max(1, _count(reading, size)), size, reading),
        )
    sharded = _primary_cores(cores) * SHARDED_COST + cores.get("database", 0.0) * (1 - WRITE_SHARE)
    shards = max(2, _count(sharded, SHARD_CORES))
    return (
        web,
        _machine("Citus coordinator with its standby", 2, SHARD_CORES, sharded / shards),
        _machine("Citus worker with its standby", shards * 2, SHARD_CORES, sharded),
    )


def _primary_cores(cores: Mapping[str, float]) -> float:
    return cores.get("database", 0.0) * WRITE_SHARE


def _machine(purpose: str, count: int, cores: int, needed: float) -> Machine:
    return Machine(
        purpose=purpose,
        count=count,
        cores=cores,
        memory_gib=cores * MEMORY_GIB_PER_CORE,
        needed_cores=needed,
    )


def _size_for(cores: float) -> int:
    return next((size for size in SIZES if cores <= size * BUSY_SHARE_MAX), SIZES[-1])


def _count(cores: float, size: int) -> int:
    return math.ceil(cores / (size * BUSY_SHARE_MAX))


def _cost_of(phase: Phase, machines: tuple[Machine, ...], prices: Prices, *, gib: float) -> Cost:
    lines = [_machine_cost(machine, prices) for machine in machines]
    services: list[tuple[str, Range]] = [("monitoring", prices.monitoring)]
    if phase >= Phase.SEVERAL_INSTANCES:
        services += [
            ("cache", prices.cache),
            ("CDN", prices.cdn),
            ("load balancer", prices.load_balancer),
        ]
    if phase is Phase.SHARDED:
        services += [
            ("advanced monitoring", prices.advanced_monitoring),
            ("orchestration", prices.orchestration),
        ]
    lines += [CostLine(item=item, count=1, low=low, high=high) for item, (low, high) in services]
    year = gib * 12
    low, high = prices.storage_gib
    lines.append(
        CostLine(item="disk after a year, GiB", count=round(year), low=low * year, high=high * year)
    )
    return Cost(currency=prices.currency, lines=tuple(lines))


def _machine_cost(machine: Machine, prices: Prices) -> CostLine:
    is_database = machine.purpose.startswith(("PostgreSQL", "Citus"))
    low, high = prices.database if is_database else prices.server
    whole = machine.count * machine.cores
    share = whole / (prices.database_cores if is_database else prices.server_cores)
    return CostLine(
        item=f"{machine.purpose}, {machine.cores} cores",
        count=machine.count,
        low=low * share,
        high=high * share,
    )


_NEXT: Final = {
    Phase.ONE_BOX: "Go to several instances: a balancer, a cache for all, a replica.",
    Phase.SEVERAL_INSTANCES: "The primary commits as much as it can: distribute users over Citus.",
    Phase.SHARDED: "Add workers and rebalance; it goes on online.",
}


def _bottleneck(
    phase: Phase, users: int, cores_of: Callable[[int], Mapping[str, float]]
) -> Bottleneck:
    """The number of users, by halving the range, from which on another phase is needed."""
    low, high = users, USERS_MAX
    if phase is Phase.SHARDED or _phase_of(cores_of(high)) is phase:
        return Bottleneck(part="database", users=high, advice=_NEXT[Phase.SHARDED])
    while high - low > max(1, low // 1000):
        middle = (low + high) // 2
        if _phase_of(cores_of(middle)) is phase:
            low = middle
        else:
            high = middle
    cores = cores_of(high)
    part = max(cores, key=lambda name: cores[name]) if phase is Phase.ONE_BOX else "database"
    return Bottleneck(part=part, users=low, advice=_NEXT[phase])


def _assumptions(capacity: Capacity, *, rate: float, think_seconds: float) -> tuple[str, ...]:
    seen = f"Costs in cores were measured up to {capacity.highest_measured:,.0f} requests a second"
    far = rate / capacity.highest_measured
    mix = "60 % feed and pages, 25 % vault, 10 % openings (half of one card, half of eight)"
    day = f"A day is {BUSY_HOURS_A_DAY} hours like the busiest; a card with all about it takes"
    return (
        f"Everybody acts once in {think_seconds:g} s: {mix}, 5 % parcels.",
        f"Half of all have a live feed open; {BUSY_SHARE_MAX:.0%} of a core is used at the most.",
        f"{seen}; {far:,.1f} times as many are reckoned in proportion." if far > 1 else f"{seen}.",
        f"Writes are {WRITE_SHARE:.0%} of PostgreSQL's time and stay on the primary.",
        f"On Citus an opening costs {SHARDED_COST:g} times as much.",
        f"{day} {KIB_A_CARD:g} KiB; {MEMORY_GIB_PER_CORE} GiB of memory a core.",
        "Traffic, pictures, postage and people are not in the cost.",
    )
