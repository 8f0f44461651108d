"""``pack_page``: the page of one pack as people see it, with its odds, at 64 clients, signed in."""

from typing import Final

from packhouse.bench.load import LoadPlan
from packhouse.bench.model import Outcome
from packhouse.bench.requests import get
from packhouse.bench.scenario import Scenario
from packhouse.bench.stage import PACK
from packhouse.bench.workbench import Workbench

CLIENTS: Final = 64


async def run(workbench: Workbench, outcome: Outcome) -> None:
    """The page for many collectors, each with a balance of their own on it."""
    plan = LoadPlan(
        requests=[
            get(f"/packs/{PACK}", token=collector.token) for collector in workbench.stage.collectors
        ],
        clients=CLIENTS,
    )
    ours = await workbench.measure(workbench.web(plan))
    outcome.measurements += [ours, await workbench.generator_alone(plan, like=ours)]
    workbench.note_sender(plan)


SCENARIO = Scenario(
    name="pack_page",
    measures="A pack's page with its odds, for signed-in collectors.",
    run=run,
)
