"""``replica``: vaults and histories over HTTP, by a web server that reads from a replica.

Beside it, in turns, the same by one without. The replica is a real one: the primary's cluster,
copied while it runs. Both servers, the web and the load share this machine's cores, so how many
answers there are tells little; what counts is the primary's processor time for each, which is what
a replica on a machine of its own takes off it.
"""

from typing import Final

from packhouse.bench.load import LoadPlan
from packhouse.bench.model import Measurement, Outcome, Ratio
from packhouse.bench.parts import list_roots
from packhouse.bench.requests import get
from packhouse.bench.scenario import Scenario
from packhouse.bench.scenarios.feed import Spent
from packhouse.bench.servers import POSTGRES_SETTINGS
from packhouse.bench.stage import Stage, free_port
from packhouse.bench.workbench import Workbench
from packhouse.plumbing.embedded import start_standby

CLIENTS: Final = (64, 8)
PATHS: Final = ("/api/v1/vault", "/api/v1/openings", "/api/v1/wallet/entries")
MUST: Final = 0.6
AIM: Final = 0.4


async def run(workbench: Workbench, outcome: Outcome) -> None:
    """Start the replica and a web server that reads from it, and let both take turns."""
    stage = workbench.stage
    roots = await list_roots(stage)
    if not stage.servers.is_embedded or "database" not in roots:
        outcome.notes.append("A replica is only made of the bench's own server.")
        return
    workbench.say("Copying the primary into a replica …")
    replica = start_standby(
        stage.folder / "replica",
        primary_url=stage.servers.database_url,
        announce=workbench.say,
        settings=POSTGRES_SETTINGS,
    )
    try:
        port = free_port()
        program = stage.start_program(
            ("serve", "web"), http_port=str(port), database_replica_urls=replica.url
        )
        try:
            await stage.wait_until_ready(port)
            for clients in CLIENTS:
                await _compare(workbench, outcome, clients, port=port, primary=roots["database"])
        finally:
            stage.stop_program(program)
    finally:
        replica.stop()


async def _compare(
    workbench: Workbench, outcome: Outcome, clients: int, *, port: int, primary: int
) -> None:
    plan = reading_plan(workbench.stage, clients=clients)
    alone, shared = Spent(primary), Spent(primary)
    measured = await workbench.take_turns(
        [
            shared.counting(workbench.server("with a replica", plan, port=port)),
            alone.counting(workbench.web(plan, name="primary alone")),
        ]
    )
    outcome.measurements += measured
    share = shared.share_of(alone)
    outcome.figures |= {
        f"{clients} clients: primary_processor_us_per_answer": shared.microseconds_per_answer,
        f"{clients} clients: alone_primary_processor_us_per_answer": alone.microseconds_per_answer,
    }
    if share is not None:
        outcome.ratios.append(_share(clients, share, measured))


def _share(clients: int, share: float, measured: list[Measurement]) -> Ratio:
    """What is left of the primary's time for an answer; the load's speed plays no part in it."""
    return Ratio(
        name=f"replica/primary's time, {clients} clients",
        value=share,
        low=share,
        high=share,
        generator_per_second=None,
        is_counted=all(each.requests > 0 for each in measured),
        must=MUST if clients == max(CLIENTS) else None,
        aim=AIM if clients == max(CLIENTS) else None,
        is_ceiling=True,
    )


def reading_plan(stage: Stage, *, clients: int) -> LoadPlan:
    """Everybody looks at their newest cards, openings and entries, by chance."""
    return LoadPlan(
        requests=[get(path, cookie=each) for each in stage.cookies for path in PATHS],
        clients=clients,
    )


SCENARIO = Scenario(
    name="replica",
    measures="Vaults and histories by a web server with a read replica, and the primary's time.",
    run=run,
)
