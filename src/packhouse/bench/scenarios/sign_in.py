"""``sign_in``: signing in with address and password over the API, 16 clients, many collectors.

Nearly all of it is Argon2id, which is made to be slow: this tells how many a second can come in at
the door of a drop, and that they wait for each other and not for the rest of the shop.
"""

from typing import Final

from packhouse.bench.load import LoadPlan
from packhouse.bench.model import Outcome
from packhouse.bench.population import PASSWORD
from packhouse.bench.requests import post
from packhouse.bench.scenario import Scenario
from packhouse.bench.workbench import Workbench

CLIENTS: Final = 16


async def run(workbench: Workbench, outcome: Outcome) -> None:
    """Each collector signs in with the right password."""
    plan = LoadPlan(
        requests=[
            post("/api/v1/session", {"email": collector.email, "password": PASSWORD})
            for collector in workbench.stage.collectors
        ],
        clients=CLIENTS,
    )
    outcome.measurements.append(await workbench.measure(workbench.web(plan)))


SCENARIO = Scenario(
    name="sign_in", measures="Sign-ins with a password a second, over the API.", run=run
)
