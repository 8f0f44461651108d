"""``open``: pack openings a second over HTTP at 1, 16, 64 and 256 clients, many collectors.

Beside it, in the same run, pgbench opens the same pack with the statements that the server itself
sends, one opening to a transaction, prepared, on the same tables and with the same relay behind:
what PostgreSQL can do when nobody stands before it. Nobody is asked for more than the shop's pack
of eight physical cards, each of which is claimed from stock.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from fractions import Fraction
from typing import Final

from packhouse.bench.load import LoadPlan
from packhouse.bench.model import Line, Measurement, Outcome, Plot, ratio_of
from packhouse.bench.opening_script import record_opening
from packhouse.bench.pgbench import PgbenchRun, Turns, pgbench_contender
from packhouse.bench.requests import post
from packhouse.bench.scenario import Scenario
from packhouse.bench.stage import PACK, Stage
from packhouse.bench.stock import restock
from packhouse.bench.workbench import Workbench
from packhouse.foundation.identifiers import CardId

CLIENTS: Final = (64, 1, 16, 256)
"""The headline first."""
QUICK_CLIENTS: Final = (16, 1)
PER_SECOND_MAX: Final = 4_000
"""So many openings a second the stock of a turn is meant for."""
MUST: Final = 1.2
AIM: Final = 3.0


async def run(workbench: Workbench, outcome: Outcome) -> None:
    """Both contenders at each number of clients, and the ratio at the headline's."""
    stage, options = workbench.stage, workbench.options
    workbench.say("Recording the statements of an opening …")
    recorded = await record_opening(stage, slug=PACK)
    # Its statements claim cards by chance, as openings do, but always under the receipt that was
    # recorded, so the log tells of other copies than those that went.
    stage.laws_not_kept.add("stock_is_logged")
    turns = Turns()
    alone: Measurement | None = None
    for clients in QUICK_CLIENTS if options.is_quick else CLIENTS:
        plan = opening_plan(stage, clients=clients)
        pgbench = PgbenchRun(
            name="opening",
            script=recorded.script.text,
            variables=recorded.script.variables,
            clients=clients,
        )
        ours, theirs = await workbench.take_turns(
            [
                workbench.web(plan, prepare=stock_for(workbench)),
                pgbench_contender(
                    stage, pgbench, turns=turns, prepare=stock_for(workbench, recorded.expected)
                ),
            ]
        )
        outcome.measurements += [ours, theirs]
        if alone is None:
            alone = await workbench.generator_alone(plan, like=ours)
            outcome.measurements.append(alone)
            ratio = ratio_of("open/pgbench", ours, theirs, generator=alone, must=MUST, aim=AIM)
        else:
            name = f"open/pgbench at {clients} clients"
            ratio = ratio_of(name, ours, theirs, generator=alone)
        outcome.ratios.append(ratio)
    outcome.plots.append(_plot(outcome.measurements))
    outcome.notes.append(
        f"Each opening is one pack {PACK} of eight physical cards. The relay runs behind both, and"
        " each turn begins when it has nothing left to do."
    )


def opening_plan(
    stage: Stage, *, clients: int, slug: str = PACK, cookies: Sequence[str] | None = None
) -> LoadPlan:
    """Each collector opens one pack in turn, by a peer's cookies if not by the shop's own."""
    path = f"/api/v1/packs/{slug}/openings"
    return LoadPlan(
        requests=[post(path, {"quantity": 1}, cookie=each) for each in cookies or stage.cookies],
        clients=clients,
    )


def stock_for(
    workbench: Workbench, expected: Mapping[CardId, Fraction] | None = None, *, slug: str = PACK
) -> Callable[[], Awaitable[None]]:
    """Before a turn: enough copies on sale, by the pack's odds unless told otherwise."""
    seconds = max(workbench.options.seconds, workbench.options.warm_up_seconds)

    async def prepare() -> None:
        await restock(
            workbench.stage.house,
            slug=slug,
            openings=int(seconds * PER_SECOND_MAX),
            expected=expected,
        )

    return prepare


def _plot(measurements: list[Measurement]) -> Plot:
    names = list(dict.fromkeys(each.name for each in measurements))
    return Plot(
        title="Openings a second by clients",
        x_label="clients",
        y_label="openings a second",
        lines=tuple(
            Line(
                name,
                tuple(
                    sorted(
                        (float(each.clients), each.requests_per_second)
                        for each in measurements
                        if each.name == name
                    )
                ),
            )
            for name in names
            if name != "generator alone"
        ),
        has_log_x=True,
    )


SCENARIO = Scenario(
    name="open",
    measures="Pack openings a second over HTTP, beside pgbench with the same statements.",
    run=run,
)
