"""``soak``: the mix of ``users`` at one steady rate for minutes, and the memory of every process.

10,000 users think for ten seconds each. Every ten seconds each process of the shop is looked at; a
straight line through the later half of what was seen (caches fill in the first) has a slope, and
the slope an error. A process grows when its slope is above zero beyond that error. Five minutes
tell of a leak that matters; ``--minutes 60`` is what the target is about.
"""

import asyncio
import time
from collections.abc import Awaitable
from typing import Final

from packhouse.bench.activities import list_activities
from packhouse.bench.crowd import CrowdPlan, CrowdSample, run_crowd
from packhouse.bench.load import measurement_of
from packhouse.bench.machine import connections_allowed
from packhouse.bench.memory import (
    MemorySample,
    children_of,
    later_half,
    read_memory,
    trend_of,
)
from packhouse.bench.model import Line, Outcome, Plot, Target
from packhouse.bench.scenario import Scenario
from packhouse.bench.stage import Stage
from packhouse.bench.visitors import cards_needed, list_visitors, stock_both_packs
from packhouse.bench.workbench import Workbench

USERS: Final = 10_000
QUICK_USERS: Final = 40
THINK_SECONDS: Final = 10.0
QUICK_THINK_SECONDS: Final = 1.0
STREAMS: Final = 100
QUICK_STREAMS: Final = 5
LOOK_SECONDS: Final = 10.0
QUICK_LOOK_SECONDS: Final = 0.2
STOCK_SECONDS: Final = 60.0
"""How long the copies on sale last; they are filled up when half of it is over."""
OPENS_EACH: Final = 0.05
TAKES_A_CARD: Final = 0.025
MUST_MIB: Final = 250.0
AIM_MIB: Final = 200.0

Seen = dict[str, list[MemorySample]]


async def run(workbench: Workbench, outcome: Outcome) -> None:
    """One long turn; what was seen of the memory is kept when it is stopped."""
    stage, options = workbench.stage, workbench.options
    seconds = options.seconds if options.is_quick else options.minutes * 60
    wanted = QUICK_USERS if options.is_quick else USERS
    users = min(wanted, len(stage.collectors), connections_allowed() - STREAMS)
    think = QUICK_THINK_SECONDS if options.is_quick else THINK_SECONDS
    plan = CrowdPlan(
        visitors=await list_visitors(
            stage,
            users,
            cards_each=cards_needed(seconds=seconds, think_seconds=think, share=TAKES_A_CARD),
        ),
        activities=list_activities(),
        think_seconds=think,
        streams=QUICK_STREAMS if options.is_quick else STREAMS,
        live_port=stage.open_live(),
    )
    seen: Seen = {}
    await _fill_stock(stage, plan)
    workbench.show(f"{users:,} users for {seconds / 60:.0f} minutes", seconds=seconds)
    try:
        crowd = await _watched(
            stage,
            plan,
            run_crowd(plan, host=stage.host, port=stage.port, seconds=seconds),
            seen=seen,
            pause=QUICK_LOOK_SECONDS if options.is_quick else LOOK_SECONDS,
        )
    finally:
        _tell_of_memory(outcome, seen)
    outcome.measurements.append(
        measurement_of(f"{users:,} users, {think:g} s think", clients=users, samples=[crowd.sample])
    )
    outcome.figures["generator lag p99 ms"] = crowd.lag_ms(99)
    outcome.figures["requests sent late"] = crowd.late


async def _watched(
    stage: Stage, plan: CrowdPlan, work: Awaitable[CrowdSample], *, seen: Seen, pause: float
) -> CrowdSample:
    begun = time.monotonic()
    filled_at = begun
    task = asyncio.ensure_future(work)
    try:
        while not task.done():
            _look(stage, seen, seconds=time.monotonic() - begun)
            if time.monotonic() - filled_at > STOCK_SECONDS / 2:
                filled_at = time.monotonic()
                await _fill_stock(stage, plan)
            stage.require_running()
            await asyncio.wait([task], timeout=pause)
        return await task
    finally:
        task.cancel()


async def _fill_stock(stage: Stage, plan: CrowdPlan) -> None:
    openings = int(plan.per_second * STOCK_SECONDS * OPENS_EACH * 1.2) + 10
    await stock_both_packs(stage, openings_each=openings)


def _look(stage: Stage, seen: Seen, *, seconds: float) -> None:
    for program in stage.list_programs():
        below = children_of(program.pid)
        named = {program.name: program.pid} | {
            f"{program.name}, process {number + 1}": pid for number, pid in enumerate(below)
        }
        for name, pid in named.items():
            sample = read_memory(pid, seconds=seconds)
            if sample is not None:
                seen.setdefault(name, []).append(sample)


def _tell_of_memory(outcome: Outcome, seen: Seen) -> None:
    later = later_half(seen)
    for name, samples in seen.items():
        highest = max(each.pss_mib for each in samples)
        outcome.figures[f"{name}: highest PSS MiB"] = highest
        outcome.figures[f"{name}: highest RSS MiB"] = max(each.rss_mib for each in samples)
        trend = trend_of(later[name])
        if trend is not None:
            outcome.figures[f"{name}: MiB an hour"] = (
                f"{trend.mib_per_hour:.1f} ({trend.low:.1f} to {trend.high:.1f})"
            )
        if name.startswith("serve-web"):
            outcome.targets += [
                Target(
                    name=f"{name}: highest PSS",
                    measured=highest,
                    must=MUST_MIB,
                    aim=AIM_MIB,
                    unit="MiB",
                ),
                Target(
                    name=f"{name}: growth an hour that is beyond doubt",
                    measured=None if trend is None else max(0.0, trend.low),
                    must=0,
                    aim=0,
                    unit="MiB",
                ),
            ]
    outcome.plots.append(
        Plot(
            title="Memory (PSS) over time",
            x_label="minutes",
            y_label="MiB",
            lines=tuple(
                Line(name, tuple((each.seconds / 60, each.pss_mib) for each in samples))
                for name, samples in seen.items()
            ),
        )
    )
    outcome.notes.append(
        "Slopes are of the later half of the samples, with 95 % confidence; a process grows when"
        " the whole range is above zero."
    )


SCENARIO = Scenario(
    name="soak",
    measures="The mix of `users` for minutes on end, and the memory of the shop's processes.",
    run=run,
)
