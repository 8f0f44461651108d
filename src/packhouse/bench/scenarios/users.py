"""``users``: 10,000 people with think time, each signed in, on a kept-alive connection each.

An open model: everybody thinks for an exponential time, 10 s or 3 s on average, whatever the shop
does, and latency counts from the moment when a request was due. Of all requests 60 % look at the
feed and at packs (JSON and pages), 25 % at one's own cards, 10 % open packs, 5 % are about parcels
(``bench/activities.py``). Live streams are open beside it, at the live role's port if there is one.
The plan's first stages, 100 and 1,000 users, are measured in the same run.

Database time is told twice: means by ``pg_stat_statements``, and percentiles from a sample of all
transactions that PostgreSQL itself times and logs (``bench/statement_samples.py``).
"""

from typing import Final

import msgspec

from packhouse.bench.activities import GROUPS, list_activities
from packhouse.bench.crowd import LATE_SECONDS, CrowdPlan, CrowdSample, run_crowd
from packhouse.bench.latencies import Latencies
from packhouse.bench.load import measurement_of, merge_samples
from packhouse.bench.machine import connections_allowed
from packhouse.bench.model import Line, Measurement, Outcome, Plot, Target
from packhouse.bench.parts import median_cores, watched_parts
from packhouse.bench.scenario import Scenario
from packhouse.bench.statement_samples import (
    Durations,
    add_durations,
    sampled_statements,
    whole_of,
)
from packhouse.bench.visitors import cards_needed, list_visitors, stock_both_packs
from packhouse.bench.workbench import Workbench

STREAMS: Final = 500
QUICK_STREAMS: Final = 5
QUICK_USERS: Final = 40
"""So few that even a machine with no time for us turns none of them away."""
QUICK_THINK_SECONDS: Final = 1.0
TAKES_A_CARD: Final = 0.025
"""The share of requests that sell or send a card."""
OPENS_EACH: Final = 0.05
"""The share of requests that open each of the two packs."""
QUERY_MUST_MS: Final = 5.0
QUERY_AIM_MS: Final = 2.0
STATEMENTS_A_REQUEST: Final = 1.5
"""Transactions, about; it only chooses how many of them are sampled."""


class Row(msgspec.Struct, frozen=True):
    """One crowd. ``plan_ms`` and ``plan_query_ms`` are the plan's ranges for answers and queries;
    ``p99_ms`` is what we ask of ourselves, must and aim.
    """

    users: int
    think_seconds: float
    plan_ms: tuple[float, float]
    plan_query_ms: tuple[float, float]
    p99_ms: tuple[float, float] | None = None

    @property
    def name(self) -> str:
        """As the report calls it."""
        return f"{self.users:,} users, {self.think_seconds:g} s think"


ROWS: Final = (
    Row(10_000, 10.0, (50.0, 100.0), (5.0, 20.0), p99_ms=(25.0, 10.0)),
    Row(10_000, 3.0, (50.0, 100.0), (5.0, 20.0), p99_ms=(60.0, 30.0)),
    Row(1_000, 3.0, (100.0, 200.0), (10.0, 50.0)),
    Row(100, 3.0, (200.0, 500.0), (50.0, 100.0)),
)
"""The headline first."""


class Turns(msgspec.Struct):
    """What one crowd left behind, over all its rounds."""

    row: Row
    samples: list[CrowdSample] = []
    cores: list[dict[str, float]] = []
    durations: Durations = {}


async def run(workbench: Workbench, outcome: Outcome) -> None:
    """Each crowd after the other, and what they found against the targets."""
    for row in _rows(workbench):
        turns = await _let_in(workbench, row)
        measurement = msgspec.structs.replace(
            measurement_of(
                row.name, clients=row.users, samples=[each.sample for each in turns.samples]
            ),
            cores=median_cores(turns.cores),
        )
        outcome.measurements.append(measurement)
        add_durations(turns.durations, into=outcome.durations)
        outcome.targets += targets_of(row, measurement, turns.durations)
        _tell_of_generator(outcome, turns)
    outcome.plots.append(_plot(outcome.measurements))
    outcome.notes.append(
        f"Each user has one kept-alive connection; {_streams(workbench)} live streams of the whole"
        " feed are open beside them. Latency counts from when a request was due. Queries are a"
        " sample of all transactions, the relay's and the sequencer's among them, as PostgreSQL"
        " timed and logged them itself: planning, execution and commit."
    )


def _rows(workbench: Workbench) -> tuple[Row, ...]:
    if workbench.options.is_quick:
        return (
            msgspec.structs.replace(ROWS[0], users=QUICK_USERS, think_seconds=QUICK_THINK_SECONDS),
        )
    most = min(len(workbench.stage.collectors), connections_allowed() - STREAMS)
    return tuple(msgspec.structs.replace(row, users=min(row.users, most)) for row in ROWS)


def _streams(workbench: Workbench) -> int:
    return QUICK_STREAMS if workbench.options.is_quick else STREAMS


async def _let_in(workbench: Workbench, row: Row) -> Turns:
    stage, options = workbench.stage, workbench.options
    turns = Turns(row)
    lasting = options.seconds + options.warm_up_seconds
    durations: dict[str, dict[int, int]] = {}
    for number in range(options.rounds):
        await stage.wait_for_relay()
        plan = CrowdPlan(
            visitors=await list_visitors(
                stage,
                row.users,
                cards_each=cards_needed(
                    seconds=lasting, think_seconds=row.think_seconds, share=TAKES_A_CARD
                ),
            ),
            activities=list_activities(),
            think_seconds=row.think_seconds,
            streams=_streams(workbench),
            live_port=stage.open_live(),
        )
        await stock_both_packs(
            stage, openings_each=int(plan.per_second * lasting * OPENS_EACH * 1.2) + 10
        )
        workbench.show(f"{row.name}, round {number + 1} of {options.rounds}", seconds=lasting)
        async with (
            sampled_statements(stage, per_second=plan.per_second * STATEMENTS_A_REQUEST) as found,
            watched_parts(stage) as watch,
        ):
            turns.samples.append(
                await run_crowd(
                    plan,
                    host=stage.host,
                    port=stage.port,
                    seconds=options.seconds,
                    warm_up_seconds=options.warm_up_seconds,
                )
            )
        turns.cores.append(watch.cores_of_last(options.seconds))
        add_durations(found, into=durations)
        stage.require_running()
    turns.durations = {name: Latencies(counts) for name, counts in durations.items()}
    return turns


def targets_of(row: Row, measurement: Measurement, durations: Durations) -> list[Target]:
    """The row held against the plan, and against what we ask of ourselves."""
    queries = whole_of(durations)
    query_p95 = queries.percentile_ms(95) if len(queries) else None
    plan_aim, plan_must = row.plan_ms
    query_aim, query_must = row.plan_query_ms
    targets = [
        Target(
            name=f"{row.name}: p95 of answers, the plan's range",
            measured=measurement.p95_ms,
            must=plan_must,
            aim=plan_aim,
        ),
        Target(
            name=f"{row.name}: p95 of queries, the plan's range",
            measured=query_p95,
            must=query_must,
            aim=query_aim,
        ),
        Target(
            name=f"{row.name}: errors", measured=measurement.errors, must=0, aim=0, unit="requests"
        ),
    ]
    if row.p99_ms is not None:
        must, aim = row.p99_ms
        targets += [
            Target(
                name=f"{row.name}: p99 of answers", measured=measurement.p99_ms, must=must, aim=aim
            ),
            Target(
                name=f"{row.name}: p95 of queries",
                measured=query_p95,
                must=QUERY_MUST_MS,
                aim=QUERY_AIM_MS,
            ),
        ]
    return targets


def _tell_of_generator(outcome: Outcome, turns: Turns) -> None:
    lag = Latencies()
    for each in turns.samples:
        lag.add(Latencies(each.lag))
    arrivals = sum(each.arrivals for each in turns.samples)
    late = sum(each.late for each in turns.samples)
    queries = whole_of(turns.durations)
    name = turns.row.name
    outcome.figures |= {
        f"{name}: generator lag p99 ms": lag.percentile_ms(99),
        f"{name}: generator lag max ms": lag.percentile_ms(100),
        f"{name}: requests sent late": late,
        f"{name}: requests scheduled": arrivals,
        f"{name}: connections opened again": sum(each.reopened for each in turns.samples),
        f"{name}: live streams lost": sum(each.lost_streams for each in turns.samples),
        f"{name}: live stream MiB": sum(each.stream_bytes for each in turns.samples) / 2**20,
        f"{name}: queries sampled": len(queries),
        f"{name}: query p95 ms": queries.percentile_ms(95),
        f"{name}: query p99 ms": queries.percentile_ms(99),
    } | _groups(name, turns)
    if not all(each.kept_its_schedule for each in turns.samples):
        outcome.notes.append(
            f"{name}: the load generator did not keep its own schedule ({late:,} of {arrivals:,}"
            f" requests were sent over {LATE_SECONDS * 1000:.0f} ms late). Latencies count from the"
            " schedule, so they are too high rather than too low."
        )


def _groups(name: str, turns: Turns) -> dict[str, float]:
    whole = merge_samples([each.sample for each in turns.samples])
    told = {}
    for group, members in GROUPS.items():
        latencies = Latencies()
        for member in members:
            if member in whole.routes:
                latencies.add(Latencies(whole.routes[member].latencies))
        told[f"{name}: {group} p95 ms"] = latencies.percentile_ms(95)
    return told


def _plot(measurements: list[Measurement]) -> Plot:
    by_rate = sorted(measurements, key=lambda each: each.requests_per_second)
    return Plot(
        title="Answers by requests a second",
        x_label="requests a second",
        y_label="milliseconds",
        lines=tuple(
            Line(
                name,
                tuple((each.requests_per_second, getattr(each, field)) for each in by_rate),
            )
            for name, field in (("p50", "p50_ms"), ("p95", "p95_ms"), ("p99", "p99_ms"))
        ),
    )


SCENARIO = Scenario(
    name="users",
    measures="10,000 people with think time on connections of their own, and the plan's stages.",
    run=run,
)
