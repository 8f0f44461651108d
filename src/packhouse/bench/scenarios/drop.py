"""``drop``: 5,000 people press "open" within the same second, on a lot of 1,000.

Exactly a thousand are sold, the others are told ``sold_out`` within two seconds; nothing breaks, no
deadlock, and other people's feed and pages are measured before and meanwhile. A fresh lot for each
round. When all are done, every law of the house is checked.
"""

import asyncio
import time
from collections.abc import Sequence
from typing import Final

import msgspec

from packhouse.bench.activities import GROUPS, TOKEN_SLOT, list_activities
from packhouse.bench.latencies import Latencies
from packhouse.bench.load import LoadPlan, Sample, measurement_of, merge_samples
from packhouse.bench.machine import connections_allowed
from packhouse.bench.model import Measurement, Outcome, Target
from packhouse.bench.packs import publish_lot
from packhouse.bench.requests import WireRequest, post
from packhouse.bench.scenario import Scenario
from packhouse.bench.stage import Stage
from packhouse.bench.workbench import Workbench

PEOPLE: Final = 5_000
PACKS: Final = 1_000
QUICK_PEOPLE: Final = 100
QUICK_PACKS: Final = 20
WITHIN_SECONDS: Final = 1.0
REFUSED: Final = frozenset({409})
SOLD_OUT_MUST_MS: Final = 2_000.0
SOLD_OUT_AIM_MS: Final = 1_000.0
OTHERS_A_SECOND: Final = 100.0
QUICK_OTHERS_A_SECOND: Final = 25.0
OTHERS_CLIENTS: Final = 64
OTHERS_SECONDS: Final = 4.0
OTHERS_MUST_MS: Final = 100.0
OTHERS_AIM_MS: Final = 50.0
"""The plan's range of answers for 10,000 users: a drop is no excuse for the rest of the shop."""
LEAD_SECONDS: Final = 0.5
"""The others are under way before the first one presses."""
STATISTICS_SECONDS: Final = 1.5
"""PostgreSQL's sessions report their counters within a second."""


class Drop(msgspec.Struct, frozen=True):
    """One lot: how it sold, and how the rest of the shop was before and meanwhile."""

    sales: Sample
    before: Sample
    meanwhile: Sample


async def run(workbench: Workbench, outcome: Outcome) -> None:
    """A fresh lot for each round, and the laws at the end."""
    is_quick = workbench.options.is_quick
    people = min(
        QUICK_PEOPLE if is_quick else PEOPLE,
        len(workbench.stage.collectors),
        connections_allowed(),
    )
    packs = min(QUICK_PACKS if is_quick else PACKS, people)
    deadlocks = await _count_deadlocks(workbench.stage)
    drops: list[Drop] = []
    for number in range(workbench.options.rounds):
        slug = f"drop-{int(time.time()) % 1_000_000}-{number}"
        drops.append(await _drop(workbench, slug=slug, people=people, packs=packs))
    sales = measurement_of(
        "packhouse, one lot", clients=people, samples=[each.sales for each in drops]
    )
    before, meanwhile = (
        measurement_of(name, clients=OTHERS_CLIENTS, samples=samples)
        for name, samples in (
            ("others, before", [each.before for each in drops]),
            ("others, meanwhile", [each.meanwhile for each in drops]),
        )
    )
    outcome.measurements += [sales, before, meanwhile]
    await asyncio.sleep(STATISTICS_SECONDS)
    deadlocks = await _count_deadlocks(workbench.stage) - deadlocks
    _tell(outcome, drops, packs=packs, people=people, deadlocks=deadlocks)
    outcome.targets += _targets_of_others(sales, before, meanwhile)
    await _check_laws(workbench, outcome)


async def _drop(workbench: Workbench, *, slug: str, people: int, packs: int) -> Drop:
    stage = workbench.stage
    await publish_lot(stage, slug=slug, packs=packs)
    await stage.wait_for_relay()
    others = LoadPlan(
        requests=_look_around(stage),
        clients=OTHERS_CLIENTS,
        rate=QUICK_OTHERS_A_SECOND if workbench.options.is_quick else OTHERS_A_SECOND,
    )
    seconds = min(OTHERS_SECONDS, workbench.options.seconds)
    workbench.show(f"others before {slug}", seconds=seconds)
    before = await workbench.load(others, seconds=seconds)
    path = f"/api/v1/packs/{slug}/openings"
    everybody = LoadPlan(
        requests=[
            post(path, {"quantity": 1}, token=each.token, route="POST openings of the lot")
            for each in stage.collectors[:people]
        ],
        clients=people,
        rate=people / WITHIN_SECONDS,
        is_once=True,
        expected=REFUSED,
    )
    workbench.show(f"{people:,} people on {slug}", seconds=seconds)
    sales, meanwhile = await asyncio.gather(
        workbench.load(everybody, seconds=10 * WITHIN_SECONDS),
        workbench.load(others, seconds=LEAD_SECONDS + seconds),
    )
    stage.require_running()
    return Drop(sales, before, meanwhile)


def _look_around(stage: Stage) -> list[WireRequest]:
    wanted = [each for each in list_activities() if each.name in GROUPS["feed and pages"]]
    return [
        WireRequest(
            each.request.route, each.request.before.replace(TOKEN_SLOT, person.token.encode())
        )
        for person in stage.collectors[-200:]
        for each in wanted
    ]


def _tell(
    outcome: Outcome, drops: Sequence[Drop], *, packs: int, people: int, deadlocks: int
) -> None:
    sold = [_count(drop.sales, 201) for drop in drops]
    slowest = [max(map(_slowest_ms, drop.sales.refused.values()), default=0.0) for drop in drops]
    whole = merge_samples([drop.sales for drop in drops])
    outcome.figures |= {
        "people": people,
        "packs in a lot": packs,
        "sold by lot": ", ".join(map(str, sold)),
        "slowest sold_out by lot, ms": ", ".join(f"{each:.0f}" for each in slowest),
        "deadlocks": deadlocks,
    }
    unsold = sum(abs(packs - each) for each in sold)
    outcome.targets += [
        Target(name="packs too many or too few", measured=unsold, must=0, aim=0, unit="packs"),
        Target(
            name="the slowest sold_out",
            measured=max(slowest, default=0.0),
            must=SOLD_OUT_MUST_MS,
            aim=SOLD_OUT_AIM_MS,
        ),
        Target(name="errors", measured=whole.errors, must=0, aim=0, unit="requests"),
        Target(name="deadlocks", measured=deadlocks, must=0, aim=0, unit="deadlocks"),
    ]


def _targets_of_others(
    sales: Measurement, before: Measurement, meanwhile: Measurement
) -> list[Target]:
    return [
        Target(
            name=f"others' p95 meanwhile (before: {before.p95_ms:.1f} ms)",
            measured=meanwhile.p95_ms,
            must=OTHERS_MUST_MS,
            aim=OTHERS_AIM_MS,
        ),
        Target(
            name="others' errors meanwhile",
            measured=meanwhile.errors,
            must=0,
            aim=0,
            unit="requests",
        ),
        Target(
            name="5xx answers to the drop",
            measured=sum(
                count for status, count in sales.statuses.items() if status.startswith("5")
            ),
            must=0,
            aim=0,
            unit="answers",
        ),
    ]


async def _check_laws(workbench: Workbench, outcome: Outcome) -> None:
    await workbench.stage.wait_for_relay()
    broken = await workbench.stage.list_broken_laws()
    outcome.targets.append(
        Target(name="laws broken afterwards", measured=len(broken), must=0, aim=0, unit="laws")
    )
    outcome.notes += [f"Law broken: {each.law}: {each.evidence}" for each in broken]
    outcome.notes += [
        f"Not looked at, because pgbench does not keep it: {law}."
        for law in sorted(workbench.stage.laws_not_kept)
    ]


async def _count_deadlocks(stage: Stage) -> int:
    async with stage.house.database.connection() as connection:
        return int(
            await connection.fetchval(
                "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
            )
        )


def _count(sample: Sample, status: int) -> int:
    return sum(route.statuses.get(status, 0) for route in sample.routes.values())


def _slowest_ms(counts: dict[int, int]) -> float:
    return Latencies(counts).percentile_ms(100)


SCENARIO = Scenario(
    name="drop",
    measures="5,000 people within one second on a lot of 1,000, and everybody else meanwhile.",
    run=run,
)
