"""``vault``: the first page of the vault over HTTP, many collectors, 64 clients.

Beside it pgbench runs the vault's one query for the same collectors, prepared.
"""

from collections.abc import Sequence
from typing import Final

from packhouse.bench.load import LoadPlan
from packhouse.bench.model import Outcome, ratio_of
from packhouse.bench.pgbench import PgbenchRun, Turns, pgbench_contender
from packhouse.bench.pgbench_script import USER
from packhouse.bench.requests import get
from packhouse.bench.scenario import Scenario
from packhouse.bench.stage import Stage
from packhouse.bench.workbench import Workbench
from packhouse.foundation.limits import PAGE_LIMIT_DEFAULT
from packhouse.plumbing.queries import load_queries

CLIENTS: Final = 64
SAMPLING: Final = 0.1
"""Of pgbench's transactions so many are timed: writing its log would cost it too much."""
MUST: Final = 0.35
AIM: Final = 0.55


async def run(workbench: Workbench, outcome: Outcome) -> None:
    """The shop and pgbench, and the ratio."""
    plan = vault_plan(workbench.stage, clients=CLIENTS)
    pgbench = PgbenchRun(
        name="vault", script=vault_script(), variables={}, clients=CLIENTS, sampling=SAMPLING
    )
    ours, theirs = await workbench.take_turns(
        [
            workbench.web(plan),
            pgbench_contender(workbench.stage, pgbench, turns=Turns()),
        ]
    )
    outcome.measurements += [ours, theirs]
    alone = await workbench.generator_alone(plan, like=ours)
    outcome.measurements.append(alone)
    outcome.ratios.append(
        ratio_of("vault/pgbench", ours, theirs, generator=alone, must=MUST, aim=AIM)
    )
    workbench.note_sender(plan)


def vault_plan(stage: Stage, *, clients: int, cookies: Sequence[str] | None = None) -> LoadPlan:
    """Each collector looks at the newest cards in turn, by a peer's cookies if any."""
    return LoadPlan(
        requests=[get("/api/v1/vault", cookie=each) for each in cookies or stage.cookies],
        clients=clients,
    )


def vault_script() -> str:
    """The page that ``GET /api/v1/vault`` asks for, of a collector by chance."""
    query = load_queries("packhouse.vault")["list_user_cards_by_newest"]
    arguments = {"$1": USER, "$2": "NULL", "$3": "NULL", "$4": f"{PAGE_LIMIT_DEFAULT + 1}"}
    for parameter, expression in arguments.items():
        query = query.replace(parameter, expression)
    return "\n".join(
        [
            "\\set mine random(0, :users_each - 1)",
            "\\set u :client_id * :users_each + :mine",
            f"{query};",
            "",
        ]
    )


SCENARIO = Scenario(
    name="vault",
    measures="The first page of the vault over HTTP, beside pgbench with its query.",
    run=run,
)
